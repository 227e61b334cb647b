import { Names } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as msk from 'aws-cdk-lib/aws-msk';
import { Construct } from 'constructs';
import { removalPolicyOf } from '../config/removal.ts';
import type { StageConfig } from '../config/stage-config.ts';
import type { Notifications } from '../monitoring/notifications.ts';
import { ClusterAlarms } from './cluster-alarms.ts';

/** Where MSK listens for IAM over TLS. */
export const IAM_PORT = 9098;

export interface ClusterProps {
  readonly config: StageConfig;
  readonly vpc: ec2.IVpc;
  readonly key: IKey;
  readonly notifications: Notifications;
}

/**
 * A provisioned MSK cluster in KRaft mode. The only way in is IAM over TLS, from a security group that is let in by
 * name. Brokers' logs go to CloudWatch. What is not set here is MSK's default: no topics by accident
 * (`auto.create.topics.enable=false`), internal topics on as many brokers as there are zones.
 */
export class Cluster extends Construct {
  readonly clusterArn: string;
  readonly clusterName: string;
  readonly securityGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, { config, vpc, key, notifications }: ClusterProps) {
    super(scope, id);
    const { kafkaVersion, instanceType, brokers, storageGb, monitoring } = config.stream;
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc,
      description: 'Kafka brokers, and the pollers of the event source mapping',
      allowAllOutbound: false,
    });
    // Lambda's pollers stand in the cluster's own security group, and ask Lambda and STS through the NAT.
    this.securityGroup.addIngressRule(this.securityGroup, ec2.Port.tcp(IAM_PORT), 'Pollers to brokers');
    this.securityGroup.addEgressRule(this.securityGroup, ec2.Port.tcp(IAM_PORT), 'Pollers to brokers');
    this.securityGroup.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.tcp(443), 'Pollers to Lambda and STS');

    const brokerLogs = new logs.LogGroup(this, 'BrokerLogs', {
      retention: config.retention.logDays,
      encryptionKey: key,
      removalPolicy: removalPolicyOf(config),
    });
    this.clusterName = Names.uniqueResourceName(this, { maxLength: 64, separator: '-' });
    const cluster = new msk.CfnCluster(this, 'Cluster', {
      clusterName: this.clusterName,
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
    cluster.applyRemovalPolicy(removalPolicyOf(config));
    this.clusterArn = cluster.attrArn;
    new ClusterAlarms(this, 'Alarms', { notifications, config, clusterName: this.clusterName });
  }
}
