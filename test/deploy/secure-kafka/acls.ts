import kafkajs, { type AclEntry } from 'kafkajs';
import { matches, type Policy } from '../permissions.ts';

const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs;

type About = 'cluster' | 'topic' | 'group' | 'transactional-id';
type Operation = keyof typeof AclOperationTypes;
type Names = Pick<AclEntry, 'resourceName' | 'resourcePatternType'>;

/**
 * The actions of a policy: its kind of resource, the ACL that AWS calls equivalent, and the other actions
 * that it requires. https://docs.aws.amazon.com/msk/latest/developerguide/kafka-actions.html
 */
const ACTIONS: Readonly<Record<string, readonly [about: About, operation?: Operation, needs?: string[]]>> = {
  Connect: ['cluster'],
  DescribeCluster: ['cluster', 'DESCRIBE', ['Connect']],
  AlterCluster: ['cluster', 'ALTER', ['Connect', 'DescribeCluster']],
  DescribeClusterDynamicConfiguration: ['cluster', 'DESCRIBE_CONFIGS', ['Connect']],
  AlterClusterDynamicConfiguration: [
    'cluster',
    'ALTER_CONFIGS',
    ['Connect', 'DescribeClusterDynamicConfiguration'],
  ],
  WriteDataIdempotently: ['cluster', 'IDEMPOTENT_WRITE', ['Connect', 'WriteData']],
  CreateTopic: ['topic', 'CREATE', ['Connect']],
  DescribeTopic: ['topic', 'DESCRIBE', ['Connect']],
  AlterTopic: ['topic', 'ALTER', ['Connect', 'DescribeTopic']],
  DeleteTopic: ['topic', 'DELETE', ['Connect', 'DescribeTopic']],
  DescribeTopicDynamicConfiguration: ['topic', 'DESCRIBE_CONFIGS', ['Connect']],
  AlterTopicDynamicConfiguration: [
    'topic',
    'ALTER_CONFIGS',
    ['Connect', 'DescribeTopicDynamicConfiguration'],
  ],
  ReadData: ['topic', 'READ', ['Connect', 'DescribeTopic', 'AlterGroup']],
  WriteData: ['topic', 'WRITE', ['Connect', 'DescribeTopic']],
  DescribeGroup: ['group', 'DESCRIBE', ['Connect']],
  AlterGroup: ['group', 'READ', ['Connect', 'DescribeGroup']],
  DeleteGroup: ['group', 'DELETE', ['Connect', 'DescribeGroup']],
  DescribeTransactionalId: ['transactional-id', 'DESCRIBE', ['Connect']],
  AlterTransactionalId: ['transactional-id', 'WRITE', ['Connect', 'DescribeTransactionalId', 'WriteData']],
};

const RESOURCE_TYPES = {
  cluster: AclResourceTypes.CLUSTER,
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  'transactional-id': AclResourceTypes.TRANSACTIONAL_ID,
};

/** A policy that AWS would read differently from what it means, or that Kafka's ACLs cannot express. */
export class KafkaPolicyError extends Error {
  override readonly name = 'KafkaPolicyError';
}

/** What a role's policies allow on a cluster. Kafka has no ACL for connecting. */
export interface ClusterAccess {
  mayConnect: boolean;
  /** Without the principal. */
  acls: Omit<AclEntry, 'principal' | 'host'>[];
}

/** @throws KafkaPolicyError */
export function clusterAccess(policies: readonly Policy[], clusterArn: string): ClusterAccess {
  const allowed = new Set<string>();
  // A policy may say the same twice.
  const acls = new Map<string, ClusterAccess['acls'][number]>();
  for (const { action, resource } of policies.flatMap(permissionsIn)) {
    const [about, operation] = ACTIONS[action] ?? [];
    const names = about && namesIn(resource, about, clusterArn);
    if (!names) continue;
    allowed.add(action);
    if (!operation) continue;
    acls.set(`${action} ${resource}`, {
      resourceType: RESOURCE_TYPES[about],
      ...names,
      operation: AclOperationTypes[operation],
      permissionType: AclPermissionTypes.ALLOW,
    });
  }
  for (const action of allowed) {
    const missing = ACTIONS[action]?.[2]?.filter((needed) => !allowed.has(needed)) ?? [];
    if (missing.length > 0) {
      throw new KafkaPolicyError(`kafka-cluster:${action} allows nothing without ${missing.join(', ')}`);
    }
  }
  return { mayConnect: allowed.has('Connect'), acls: [...acls.values()] };
}

/** Each action on Kafka, by name, with each resource. */
function permissionsIn({ Statement }: Policy): { action: string; resource: string }[] {
  return Statement.flatMap((statement) => {
    const patterns = [statement.Action]
      .flat()
      .flatMap((each) => /^kafka-cluster:(.+)$/.exec(each)?.[1] ?? []);
    if (patterns.length === 0) return [];
    if (statement.Effect !== 'Allow' || 'Condition' in statement) {
      throw new KafkaPolicyError(`Only plain permissions become ACLs: ${JSON.stringify(statement)}`);
    }
    return patterns.flatMap((pattern) => {
      const actions = Object.keys(ACTIONS).filter((action) => matches(pattern, action));
      if (actions.length === 0) throw new KafkaPolicyError(`There is no action kafka-cluster:${pattern}`);
      return actions.flatMap((action) =>
        [statement.Resource].flat().map((resource) => ({ action, resource })),
      );
    });
  });
}

const ARN =
  /^(?<account>arn:[^:]+:kafka:[^:]*:\d*):(?<about>[\w-]+)\/(?<cluster>[^/]+(?:\/[^/]+)?)(?:\/(?<name>.+))?$/;

/** The names that an ARN matches, as an ACL writes them; undefined for another kind of resource. */
function namesIn(arn: string, about: About, clusterArn: string): Names | undefined {
  const ours = ARN.exec(clusterArn)?.groups;
  const theirs = ARN.exec(arn === '*' ? `${ours?.account}:${about}/*` : arn)?.groups;
  if (!ours?.cluster || !theirs?.cluster) throw new KafkaPolicyError(`Which cluster is ${arn} about?`);
  const isOurs = theirs.account === ours.account && matches(theirs.cluster, ours.cluster);
  if (!isOurs || theirs.about !== about) return undefined;
  const name = about === 'cluster' ? 'kafka-cluster' : (theirs.name ?? '*');
  if (name === '*' || !name.includes('*')) {
    return { resourceName: name, resourcePatternType: ResourcePatternTypes.LITERAL };
  }
  if (name.indexOf('*') < name.length - 1) {
    throw new KafkaPolicyError(`An ACL is for a name or a prefix, which ${arn} is not`);
  }
  return { resourceName: name.slice(0, -1), resourcePatternType: ResourcePatternTypes.PREFIXED };
}
