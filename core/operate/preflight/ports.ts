/** An availability zone that the account may use. */
export interface Zone {
  /** Stands for another zone in each account: `us-east-1a`. */
  name: string;
  /** The zone itself: `use1-az4`. */
  id: string;
}

/** How much of a quota is used. */
export interface Usage {
  used: number;
  quota: number;
}

/** What MSK says about a broker type: accepted, refused with a reason, or inconclusive. */
export type BrokerVerdict = { accepted: true } | { refused: string } | { unknown: string };

/**
 * What a deployment depends on in an AWS account and region. Nothing is changed. Each method throws if the
 * question cannot be answered, e.g. without the permission for it.
 */
export interface Account {
  identity(): Promise<{ account: string; arn: string; region: string }>;
  /** Of concurrent Lambda executions. */
  concurrency(): Promise<{ quota: number; reserved: number }>;
  zones(): Promise<Zone[]>;
  /** The names of the zones among which a template without names chooses, in its order. */
  defaultZones(): Promise<string[]>;
  /** Those with which a cluster can be created. */
  kafkaVersions(): Promise<string[]>;
  /** Finds out by requesting a cluster that cannot be created. */
  brokerVerdict(instanceType: string, kafkaVersion: string): Promise<BrokerVerdict>;
  /** `OpenSearch_3.5`, … */
  searchVersions(): Promise<string[]>;
  /** By type, the names of the zones that have it; none if AWS does not say. */
  searchNodeTypes(version: string): Promise<Map<string, string[]>>;
  hasRole(name: string): Promise<boolean>;
  /** Names of the region's resource policies for logs. */
  logPolicies(): Promise<string[]>;
  vpcs(): Promise<Usage>;
  addresses(): Promise<Usage>;
  /** Of the zone that has the most. */
  natGateways(): Promise<Usage>;
  /** @returns undefined if the region is not bootstrapped */
  bootstrapVersion(): Promise<number | undefined>;
  /** The status of a stack: `CREATE_COMPLETE`, … */
  stackStatus(stackName: string): Promise<string | undefined>;
}

/** What a stage's deployment needs from its account. */
export interface Needs {
  stage: string;
  statefulStack: string;
  /** None in an existing VPC. */
  network?: { zones: number; names?: readonly string[] | undefined; natGateways: number };
  /** None on an existing cluster. */
  brokers?: { instanceType: string; kafkaVersion: string };
  search: { version: string; nodeTypes: readonly string[] };
  /** Lambda executions. */
  executions: { atOnce: number; reserved: number; assumedQuota: number };
  logPolicy: string;
  sources: readonly SourceNeed[];
}

export interface SourceNeed {
  name: string;
  /** Beginnings of the names of regions that the exchange refuses. */
  refusedRegions: readonly string[];
  /** Polled at another address than the exchange's own. */
  elsewhere: boolean;
  /** Polls it once, from here. @throws what the poll found */
  poll(): Promise<{ tickers: number }>;
}
