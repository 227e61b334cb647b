import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, DescribeResourcePoliciesCommand } from '@aws-sdk/client-cloudwatch-logs';
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { KafkaClient, paginateListKafkaVersions } from '@aws-sdk/client-kafka';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  ListVersionsCommand,
  OpenSearchClient,
  paginateListInstanceTypeDetails,
} from '@aws-sdk/client-opensearch';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Account } from '../../core/operate/preflight/ports.ts';
import { brokerVerdict } from './broker-verdict.ts';
import { networkUse } from './network-use.ts';

/** Few attempts and short waits: someone is watching. */
const PATIENCE = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 15_000, throwOnRequestTimeout: true },
};

/** The account and region of the user's credentials, through AWS's own clients. */
export function awsAccount(): Account {
  const sts = new STSClient(PATIENCE);
  const lambda = new LambdaClient(PATIENCE);
  const kafka = new KafkaClient(PATIENCE);
  const openSearch = new OpenSearchClient(PATIENCE);
  const iam = new IAMClient(PATIENCE);
  const logs = new CloudWatchLogsClient(PATIENCE);
  const cloudFormation = new CloudFormationClient(PATIENCE);

  const stack = async (StackName: string) => {
    try {
      return (await cloudFormation.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0];
    } catch (error) {
      // CloudFormation has no error of its own for it.
      if (/does not exist/.test((error as Error).message)) return undefined;
      throw error;
    }
  };
  return {
    ...networkUse(PATIENCE),
    async identity() {
      const { Account: account = '', Arn: arn = '' } = await sts.send(new GetCallerIdentityCommand({}));
      return { account, arn, region: await sts.config.region() };
    },
    async concurrency() {
      const { AccountLimit } = await lambda.send(new GetAccountSettingsCommand({}));
      const { ConcurrentExecutions: quota, UnreservedConcurrentExecutions: unreserved } = AccountLimit ?? {};
      if (quota === undefined) throw new Error('Lambda did not say what the quota is');
      return { quota, reserved: quota - (unreserved ?? quota) };
    },
    async kafkaVersions() {
      const versions: string[] = [];
      for await (const { KafkaVersions = [] } of paginateListKafkaVersions({ client: kafka }, {})) {
        versions.push(
          ...KafkaVersions.flatMap(({ Version, Status }) =>
            Version && Status === 'ACTIVE' ? [Version] : [],
          ),
        );
      }
      return versions;
    },
    brokerVerdict: (instanceType, kafkaVersion) => brokerVerdict(kafka, instanceType, kafkaVersion),
    async searchVersions() {
      const versions: string[] = [];
      let NextToken: string | undefined;
      do {
        const page = await openSearch.send(new ListVersionsCommand({ ...(NextToken ? { NextToken } : {}) }));
        versions.push(...(page.Versions ?? []));
        ({ NextToken } = page);
      } while (NextToken);
      return versions;
    },
    async searchNodeTypes(EngineVersion) {
      const zones = new Map<string, string[]>();
      const query = { EngineVersion, RetrieveAZs: true };
      for await (const { InstanceTypeDetails = [] } of paginateListInstanceTypeDetails(
        { client: openSearch },
        query,
      )) {
        for (const { InstanceType, AvailabilityZones = [] } of InstanceTypeDetails) {
          if (InstanceType) zones.set(InstanceType, AvailabilityZones);
        }
      }
      return zones;
    },
    async hasRole(RoleName) {
      try {
        await iam.send(new GetRoleCommand({ RoleName }));
        return true;
      } catch (error) {
        if ((error as Error).name.startsWith('NoSuchEntity')) return false;
        throw error;
      }
    },
    async logPolicies() {
      const { resourcePolicies = [] } = await logs.send(new DescribeResourcePoliciesCommand({ limit: 50 }));
      return resourcePolicies.map(({ policyName = '' }) => policyName);
    },
    async bootstrapVersion() {
      const version = (await stack('CDKToolkit'))?.Outputs?.find(
        ({ OutputKey }) => OutputKey === 'BootstrapVersion',
      );
      return version?.OutputValue === undefined ? undefined : Number(version.OutputValue);
    },
    stackStatus: async (stackName) => (await stack(stackName))?.StackStatus,
  };
}
