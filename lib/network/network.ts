import { Fn, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { NetworkConfig } from '../config/stage-config.ts';
import { configureProvider } from '../trust/cdk-provider.ts';
import { serviceForThisAccount } from '../trust/service-for-this-account.ts';

export interface NetworkProps extends NetworkConfig {
  /** Settings of the flow log's group. */
  readonly logs: LogGroupProps;
}

/**
 * The private network: brokers, domain and functions in private subnets, with NAT for outbound traffic. S3 is reached
 * through a gateway endpoint, which is free and keeps the lake's traffic off the NAT bill.
 */
export class Network extends Construct {
  readonly vpc: ec2.IVpc;
  /** Undefined in an existing VPC, whose owner decides. */
  readonly #s3: ec2.GatewayVpcEndpoint | undefined;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const { existing, availabilityZones, zones, natGateways, flowLog, logs } = props;
    if (existing) {
      this.vpc = ec2.Vpc.fromVpcAttributes(this, 'Vpc', {
        vpcId: existing.vpcId,
        availabilityZones: [...existing.availabilityZones],
        privateSubnetIds: [...existing.privateSubnetIds],
      });
      Validations.of(this.vpc).acknowledge({
        id: 'Annotation::@aws-cdk/aws-ec2:noSubnetRouteTableId',
        reason: 'Nothing here adds a route; the routes belong to the owner of the VPC.',
      });
      return;
    }
    const vpc = new ec2.Vpc(this, 'Vpc', {
      // Without names by position: looking them up would need credentials at synth.
      availabilityZones:
        zones?.slice() ??
        Array.from({ length: availabilityZones }, (_, zone) => Fn.select(zone, Fn.getAzs())),
      natGateways,
      subnetConfiguration: [
        { name: 'Public', subnetType: ec2.SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false },
        { name: 'Private', subnetType: ec2.SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
      ],
      restrictDefaultSecurityGroup: true,
    });
    configureProvider(this, 'DefaultGroupLogs', 'Custom::VpcRestrictDefaultSG', logs);
    this.#s3 = vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 });
    const flowLogs = Stack.of(this).formatArn({
      service: 'ec2',
      resource: 'vpc-flow-log',
      resourceName: '*',
    });
    const role = new iam.Role(this, 'FlowLogRole', {
      assumedBy: serviceForThisAccount(this, 'vpc-flow-logs.amazonaws.com', flowLogs),
    });
    vpc.addFlowLog('FlowLog', {
      trafficType: ec2.FlowLogTrafficType[flowLog],
      destination: ec2.FlowLogDestination.toCloudWatchLogs(new LogGroup(this, 'FlowLogs', logs), role),
    });
    // CDK's own types disagree under exactOptionalPropertyTypes.
    this.vpc = vpc as ec2.IVpc;
  }

  /**
   * Lets only the objects of one bucket through the endpoint, and only for principals of its account, so an
   * attacker in a function cannot copy data to their own bucket.
   */
  allowOnlyObjectsOf(bucket: Bucket): void {
    this.#s3?.addToPolicy(
      new iam.PolicyStatement({
        principals: [new iam.AnyPrincipal()],
        actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:ListBucket'],
        resources: [bucket.bucketArn, bucket.arnForObjects('*')],
        conditions: { StringEquals: { 'aws:PrincipalAccount': Stack.of(this).account } },
      }),
    );
  }
}
