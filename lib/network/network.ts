import { Fn, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { LogGroup, type LogGroupProps } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { NetworkConfig } from '../config/stage-config.ts';

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

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const { existing, availabilityZones, zones, natGateways, logs } = props;
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
      gatewayEndpoints: { S3: { service: ec2.GatewayVpcEndpointAwsService.S3 } },
      restrictDefaultSecurityGroup: false,
    });
    vpc.addFlowLog('FlowLog', {
      trafficType: ec2.FlowLogTrafficType.REJECT,
      destination: ec2.FlowLogDestination.toCloudWatchLogs(new LogGroup(this, 'FlowLogs', logs)),
    });
    // CDK's own types disagree under exactOptionalPropertyTypes.
    this.vpc = vpc as ec2.IVpc;
  }
}
