import { Fn, Names, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import * as msk from 'aws-cdk-lib/aws-msk';
import { Construct } from 'constructs';
import type { StreamConfig } from '../config/stage-config.ts';
import type { EngineProps } from '../stacks/engine-props.ts';
import { ClusterAlarms } from './cluster-alarms.ts';

/** MSK's port for IAM over TLS. */
export const IAM_PORT = 9098;

export type ClusterProps = EngineProps & StreamConfig;

/**
 * A provisioned MSK cluster in KRaft mode. The only way in is IAM over TLS, from security groups that it admits by name.
 * Everything else is MSK's default, e.g. no automatic topics (`auto.create.topics.enable=false`) and internal topics on
 * as many brokers as there are zones.
 */
export class Cluster extends Construct {
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly securityGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, props: ClusterProps) {
    super(scope, id);
    const { stage, vpc, key, logs, removalPolicy, notifications } = props;
    const { kafkaVersion, instanceType, brokers, storageGb, monitoring } = props;
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'Kafka brokers, and the pollers of the event source mapping',
      allowAllOutbound: false,
    });
    // Lambda's pollers use the cluster's own security group, and reach Lambda and STS through the NAT.
    this.securityGroup.addIngressRule(this.securityGroup, ec2.Port.tcp(IAM_PORT), 'Pollers to brokers');
    this.securityGroup.addEgressRule(this.securityGroup, ec2.Port.tcp(IAM_PORT), 'Pollers to brokers');
    this.securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'Pollers to Lambda and STS');

    const brokerLogs = new LogGroup(this, 'BrokerLogs', logs);
    const cluster = new msk.CfnCluster(this, 'Cluster', {
      clusterName: props.clusterName ?? this.#newName(),
      kafkaVersion,
      numberOfBrokerNodes: brokers,
      brokerNodeGroupInfo: {
        instanceType,
        clientSubnets: vpc.privateSubnets.map(({ subnetId }) => subnetId),
        securityGroups: [this.securityGroup.securityGroupId],
        storageInfo: { ebsStorageInfo: { volumeSize: storageGb } },
        connectivityInfo: { publicAccess: { type: 'DISABLED' } },
      },
      clientAuthentication: {
        sasl: { iam: { enabled: true }, scram: { enabled: false } },
        tls: { enabled: false },
        unauthenticated: { enabled: false },
      },
      encryptionInfo: {
        encryptionAtRest: { dataVolumeKmsKeyId: key.keyArn },
        encryptionInTransit: { clientBroker: 'TLS', inCluster: true },
      },
      enhancedMonitoring: monitoring,
      loggingInfo: {
        brokerLogs: { cloudWatchLogs: { enabled: true, logGroup: brokerLogs.logGroupName } },
      },
    });
    cluster.applyRemovalPolicy(removalPolicy);
    this.clusterArn = cluster.attrArn;
    this.clusterName = clusterNameIn(this.clusterArn);
    const { clusterName } = this;
    new ClusterAlarms(this, 'Alarms', {
      notifications,
      stage,
      clusterName,
      brokers,
      instanceType,
      monitoring,
    });
  }

  /**
   * MSK insists on a name, and a cluster that a removed stack retained keeps its own. So the name ends with the first part
   * of the stack's id, which each stack has for itself.
   */
  #newName(): string {
    const stackUuid = Fn.select(2, Fn.split('/', Stack.of(this).stackId));
    const ending = Fn.select(0, Fn.split('-', stackUuid));
    return Fn.join('-', [Names.uniqueResourceName(this, { maxLength: 55, separator: '-' }), ending]);
  }
}

/** `arn:…:cluster/<name>/<uuid>` → the name. */
export function clusterNameIn(clusterArn: string): string {
  return Fn.select(1, Fn.split('/', clusterArn));
}
