import { Fn, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { removalPolicyOf } from '../config/removal.ts';
import type { StageConfig } from '../config/stage-config.ts';

export interface NetworkProps {
  readonly config: StageConfig;
  /** Encrypts the flow log. */
  readonly key: IKey;
}

/**
 * The private network: brokers, domain and functions in private subnets, the way out through NAT. S3 is reached
 * through a gateway endpoint, which is free and keeps the lake's traffic off the NAT's bill.
 */
export class Network extends Construct {
  readonly vpc: ec2.IVpc;

  constructor(scope: Construct, id: string, { config, key }: NetworkProps) {
    super(scope, id);
    const { existing, availabilityZones, natGateways } = config.network;
    if (existing) {
      this.vpc = ec2.Vpc.fromVpcAttributes(this, 'Vpc', {
        vpcId: existing.vpcId,
        availabilityZones: [...existing.availabilityZones],
        privateSubnetIds: [...existing.privateSubnetIds],
      });
      Validations.of(this.vpc).acknowledge({
        id: 'Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId',
        reason: 'Nothing here adds a route: whoever owns the VPC has its routes in order.',
      });
      return;
    }
    const vpc = new ec2.Vpc(this, 'Vpc', {
      // By position: looking their names up would need credentials at synth.
      availabilityZones: Array.from({ length: availabilityZones }, (_, zone) => Fn.select(zone, Fn.getAzs())),
      natGateways,
      subnetConfiguration: [
        { name: 'Public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: 'Private', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
      ],
      gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
      restrictDefaultSecurityGroup: false,
    });
    vpc.addFlowLog('FlowLog', {
      trafficType: ec2.FlowLogTrafficType.REJECT,
      destination: ec2.FlowLogDestination.toCloudWatchLogs(
        new logs.LogGroup(this, 'FlowLogs', {
          retention: config.retention.logDays,
          encryptionKey: key,
          removalPolicy: removalPolicyOf(config),
        }),
      ),
    });
    // CDK's own types disagree under exactOptionalPropertyTypes.
    this.vpc = vpc as ec2.IVpc;
  }
}
