import { Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Search } from '../search/domain.ts';

export interface BastionProps {
  readonly vpc: ec2.IVpc;
  readonly key: IKey;
  readonly search: Search;
  readonly internet: ec2.ISecurityGroup;
}

/**
 * A small host for reaching Dashboards: Session Manager forwards a laptop's port through it. It is in a private subnet,
 * accepts no connections and holds no SSH key.
 */
export class Bastion extends Construct {
  readonly instance: ec2.Instance;

  constructor(scope: Construct, id: string, { vpc, key, search, internet }: BastionProps) {
    super(scope, id);
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('ec2.amazonaws.com'),
      managedPolicies: [iam.ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore')],
    });
    const volume = ec2.BlockDeviceVolume.ebs(8, {
      volumeType: ec2.EbsDeviceVolumeType.GP3,
      encrypted: true,
      kmsKey: key,
    });
    this.instance = new ec2.Instance(this, 'Host', {
      vpc,
      vpcSubnets: { subnets: vpc.privateSubnets.slice(0, 1) },
      instanceType: ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.NANO),
      machineImage: ec2.MachineImage.latestAmazonLinux2023({ cpuType: ec2.AmazonLinuxCpuType.ARM_64 }),
      role,
      securityGroup: search.clients,
      requireImdsv2: true,
      detailedMonitoring: true,
      ebsOptimized: true,
      blockDevices: [{ deviceName: '/dev/xvda', volume }],
    });
    this.instance.addSecurityGroup(internet);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]',
      reason: 'AWS maintains this policy for the agent that needs it.',
    });
    Validations.of(this.instance).acknowledge({
      id: 'AwsSolutions-EC29',
      reason: 'It stores nothing, and is switched on only while someone needs it.',
    });
  }
}
