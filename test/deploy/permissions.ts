import { readFileSync } from 'node:fs';
import {
  GetRolePolicyCommand,
  type IAMClient,
  ListRolePoliciesCommand,
  paginateListRoles,
} from '@aws-sdk/client-iam';
import { GetBucketPolicyCommand, type S3Client } from '@aws-sdk/client-s3';
import { runSimulation } from '@cloud-copilot/iam-simulate';

/** Something that a role did, in IAM's terms. */
export interface Call {
  /** The role's name. */
  role: string;
  action: string;
  resource: string;
  context: Record<string, string | string[]>;
}

interface Statement {
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
  Resource: string | string[];
}

export interface Policy {
  Version: string;
  Statement: Statement[];
}

const ACCOUNT = '000000000000';

/** A stack's roles bear its name. */
const isOf = (role: string | undefined, stacks: readonly string[]) =>
  stacks.some((stack) => role?.startsWith(`${stack}-`));

/** The calls that the roles of stacks made, as the emulator recorded them; each once. */
export function recordedCalls(callsFile: string, stacks: readonly string[]): Call[] {
  const calls = new Map<string, Call>();
  for (const line of readFileSync(callsFile, 'utf8').trimEnd().split('\n')) {
    const { principal, action, resource, context } = JSON.parse(line);
    const role = principal.split('/')[1];
    if (!isOf(role, stacks)) continue;
    const given = Object.entries(context ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    calls.set(`${role} ${action} ${resource}`, {
      role,
      action,
      resource,
      context: Object.fromEntries(given),
    });
  }
  return [...calls.values()];
}

/** The policies of every role of the stacks, by the role's name. */
export async function policiesOf(iam: IAMClient, stacks: readonly string[]): Promise<Map<string, Policy[]>> {
  const policies = new Map<string, Policy[]>();
  for await (const { Roles = [] } of paginateListRoles({ client: iam }, {})) {
    for (const { RoleName = '' } of Roles.filter((role) => isOf(role.RoleName, stacks))) {
      policies.set(RoleName, await policiesOfRole(iam, RoleName));
    }
  }
  return policies;
}

export async function policiesOfRole(iam: IAMClient, RoleName: string): Promise<Policy[]> {
  const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  const documents = PolicyNames.map(async (PolicyName) => {
    const { PolicyDocument = '' } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
    return JSON.parse(decodeURIComponent(PolicyDocument)) as Policy;
  });
  return Promise.all(documents);
}

export async function bucketPolicyOf(s3: S3Client, Bucket: string): Promise<Policy> {
  const { Policy = '' } = await s3.send(new GetBucketPolicyCommand({ Bucket }));
  return JSON.parse(Policy);
}

/** Pseudo parameters of CloudFormation, in the emulator. */
const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': 'us-east-1',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** The policy of a template's only KMS key. */
export function keyPolicyIn(templateFile: string): Policy {
  const { Resources } = JSON.parse(readFileSync(templateFile, 'utf8'), (_, value) => {
    if (value?.Ref in PSEUDO) return PSEUDO[value.Ref];
    const [separator, parts] = value?.['Fn::Join'] ?? [];
    return parts?.every((part: unknown) => typeof part === 'string') ? parts.join(separator) : value;
  }) as { Resources: Record<string, { Type: string; Properties: { KeyPolicy: Policy } }> };
  const keys = Object.values(Resources).filter(({ Type }) => Type === 'AWS::KMS::Key');
  if (!keys[0] || keys.length > 1) throw new Error(`${keys.length} keys`);
  return keys[0].Properties.KeyPolicy;
}

/** What a service asks of the key for a call, on behalf of the caller. */
export function callsOfKey({ role, action }: Call, key: string): Call[] {
  const through = (asked: string, service: string): Call[] => [
    {
      ...{ role, action: asked, resource: key },
      context: { 'kms:ViaService': `${service}.us-east-1.amazonaws.com`, 'kms:CallerAccount': ACCOUNT },
    },
  ];
  switch (action) {
    case 's3:PutObject':
      return through('kms:GenerateDataKey', 's3');
    case 's3:GetObject':
      return through('kms:Decrypt', 's3');
    case 'secretsmanager:GetSecretValue':
      return through('kms:Decrypt', 'secretsmanager');
    default:
      return [];
  }
}

/**
 * The IAM action and resource that MSK checks for each of Kafka's requests, by request number. Every client
 * connects, and may ask which versions the broker supports.
 * https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html
 */
const KAFKA_ACTIONS: Readonly<Record<number, [action: string, resource: 'cluster' | 'topic' | 'group']>> = {
  0: ['WriteData', 'topic'], // Produce
  1: ['ReadData', 'topic'], // Fetch
  2: ['DescribeTopic', 'topic'], // ListOffsets
  3: ['DescribeTopic', 'topic'], // Metadata
  8: ['AlterGroup', 'group'], // OffsetCommit
  9: ['DescribeGroup', 'group'], // OffsetFetch
  10: ['DescribeGroup', 'group'], // FindCoordinator
  11: ['AlterGroup', 'group'], // JoinGroup
  12: ['AlterGroup', 'group'], // Heartbeat
  13: ['AlterGroup', 'group'], // LeaveGroup
  14: ['AlterGroup', 'group'], // SyncGroup
  15: ['DescribeGroup', 'group'], // DescribeGroups
  18: ['Connect', 'cluster'], // ApiVersions
  22: ['WriteDataIdempotently', 'cluster'], // InitProducerId
};

/** A role's requests to the brokers as calls. */
export function callsOfKafka(
  role: string,
  requests: Iterable<number>,
  arns: Readonly<Record<'cluster' | 'topic' | 'group', string>>,
): Call[] {
  return [18, ...requests].map((request) => {
    const [action, about] = KAFKA_ACTIONS[request] ?? [];
    if (!about) throw new Error(`Which IAM action is request ${request} of Kafka? Add it to KAFKA_ACTIONS.`);
    return { role, action: `kafka-cluster:${action}`, resource: arns[about], context: {} };
  });
}

/** Actions that accept no resource, although the emulator names one. */
const WITHOUT_RESOURCE = new Set(['kafka:GetBootstrapBrokers']);

/** Whether a call is allowed by the role's policies and the resource's own, if it has one. */
export async function isAllowed(
  { role, action, resource, context }: Call,
  policies: readonly Policy[],
  resourcePolicy?: Policy,
): Promise<boolean> {
  const answer = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/${role}`,
        action,
        resource: { resource: WITHOUT_RESOURCE.has(action) ? '*' : resource, accountId: ACCOUNT },
        contextVariables: { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', ...context },
      },
      identityPolicies: policies.map((policy, position) => ({ name: String(position), policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      ...(resourcePolicy ? { resourcePolicy } : {}),
    },
    {},
  );
  if (answer.resultType === 'error') throw new Error(JSON.stringify(answer.errors));
  return answer.overallResult === 'Allowed';
}

/** What statements allow but no call used: `role action resource`. */
export function unusedPermissions(policies: ReadonlyMap<string, readonly Policy[]>, calls: readonly Call[]) {
  const unused: { role: string; action: string; resource: string }[] = [];
  for (const [role, documents] of policies) {
    const made = calls.filter((call) => call.role === role);
    const statements = documents.flatMap(({ Statement }) => Statement);
    for (const { Action, Resource } of statements.filter(({ Effect }) => Effect === 'Allow')) {
      for (const action of [Action].flat()) {
        for (const resource of [Resource].flat()) {
          const isUse = (call: Call) => call.action === action && matches(resource, call.resource);
          if (!made.some(isUse)) unused.push({ role, action, resource });
        }
      }
    }
  }
  return unused;
}

/** Whether a text matches a pattern with asterisks. */
export function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`).test(text);
}
