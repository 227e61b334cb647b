import * as z from 'zod';
import { sourceConfigSchema } from '../../exchanges/source-config.ts';

/** A stage's configuration is invalid; the message lists every invalid value. */
export class StageConfigError extends Error {
  override readonly name = 'StageConfigError';
}

function addProblem(context: z.core.$RefinementCtx, path: string[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}

const count = z.int().positive();
const megabytes = z.int().min(128).max(10_240);
/** The retention periods that CloudWatch Logs accepts. */
const logDays = z.literal([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827]);
/** Divides the hour, so that every day has the same slots. */
const pollMinutes = z.literal([1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]);

const functionSize = z.strictObject({ memoryMb: megabytes, timeoutSeconds: z.int().min(10).max(900) });

const calledFunctionSize = functionSize.extend({
  /**
   * With `reservedConcurrency`, more concurrent calls are refused, so that callers cannot use up the
   * account's quota.
   */
  maxAtOnce: count,
});

const compactFunctionSize = functionSize.extend({
  /** Of its temporary folder: the batches of a market's day, and what does not fit into memory while they are sorted. */
  storageMb: z.int().min(512).max(10_240),
});

const source = sourceConfigSchema
  .safeExtend({
    samplingIntervalMinutes: pollMinutes,
    /** Overrides the base URL of the exchange's API, e.g. with one of its other hosts. */
    apiUrl: z.url({ protocol: /^https?$/ }).optional(),
    /** `apiUrl` may be http and have a private address: a proxy in your own network. */
    apiIsPrivate: z.boolean().optional(),
  })
  .refine(({ apiUrl, apiIsPrivate }) => apiIsPrivate || !apiUrl?.startsWith('http:'), {
    path: ['apiUrl'],
    error: 'must be https, unless apiIsPrivate says that it is a proxy in your own network',
  });

const network = z.strictObject({
  /** Fixed once deployed: fixed-settings.ts. */
  availabilityZones: z.literal([2, 3]),
  /**
   * Which ones, by name. MSK and OpenSearch are not in every zone (MSK refuses `use1-az3`), and each account
   * has its own names for zones: `npm run preflight` finds the right ones. Fixed once deployed:
   * fixed-settings.ts.
   * @default the first ones of the region
   */
  zones: z
    .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'must be the name of a zone, such as us-east-1a'))
    .optional(),
  /** One is cheap; one per zone survives the loss of a zone. */
  natGateways: z.int().min(1).max(3),
  /** Which connections are logged: only those that were refused, or all. */
  flowLog: z.enum(['REJECT', 'ALL']),
  /** Use this VPC instead of creating one, e.g. that of an existing cluster. Fixed once deployed: fixed-settings.ts. */
  existing: z
    .strictObject({
      vpcId: z.string().startsWith('vpc-'),
      availabilityZones: z.array(z.string()).min(2),
      /** One per zone, in the same order, with a route to the internet through a NAT. */
      privateSubnetIds: z.array(z.string().startsWith('subnet-')).min(2),
    })
    .optional(),
});

const topic = z.strictObject({
  /** Fixed once deployed: fixed-settings.ts. */
  name: z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'must be letters, digits, dots, dashes and underscores'),
  /** Only goes up once deployed: fixed-settings.ts. */
  partitions: count,
  /** Fixed once deployed: fixed-settings.ts. */
  replicationFactor: count,
  minInsyncReplicas: count,
  retentionHours: count,
});

const stream = z
  .strictObject({
    /**
     * Use this cluster instead of creating one; of the settings below only the topic's apply. Fixed once deployed:
     * fixed-settings.ts.
     */
    existing: z
      .strictObject({
        clusterArn: z
          .string()
          .regex(/^arn:[^:]+:kafka:[^:]+:\d+:cluster\/.+$/, 'must be the ARN of an MSK cluster'),
        /** The cluster's security group, opened to the functions. @default its owner opens it */
        securityGroupId: z.string().startsWith('sg-').optional(),
      })
      .optional(),
    /**
     * For a cluster that a removed stack left, and that `cdk import` adopts. Fixed once deployed: fixed-settings.ts.
     * @default a new name for each stack
     */
    clusterName: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, 'must be letters, digits and dashes')
      .optional(),
    /** Only goes up once deployed: fixed-settings.ts. */
    kafkaVersion: z.string().regex(/\.kraft$/, 'must be a version without ZooKeeper, ending in .kraft'),
    /** Not back to T3 once deployed: fixed-settings.ts. */
    instanceType: z.string().startsWith('kafka.'),
    brokers: count,
    /** Per broker. Only goes up once deployed: fixed-settings.ts. */
    storageGb: z.int().min(1).max(16_384),
    monitoring: z.enum(['DEFAULT', 'PER_BROKER', 'PER_TOPIC_PER_BROKER', 'PER_TOPIC_PER_PARTITION']),
    topic,
  })
  .superRefine(({ brokers, topic: { replicationFactor, minInsyncReplicas } }, context) => {
    if (replicationFactor > brokers) {
      const message = `${replicationFactor} copies need as many brokers, but there are ${brokers}`;
      addProblem(context, ['topic', 'replicationFactor'], message);
    }
    if (minInsyncReplicas >= replicationFactor) {
      addProblem(
        context,
        ['topic', 'minInsyncReplicas'],
        `must be below replicationFactor (${replicationFactor}), or the loss of one broker stops the stream`,
      );
    }
  });

const search = z.strictObject({
  dataNodes: count,
  dataNodeType: z.string().endsWith('.search'),
  /** Dedicated managers. @default none */
  managers: z.strictObject({ nodes: z.literal(3), nodeType: z.string().endsWith('.search') }).optional(),
  /** gp3, per data node. */
  volumeGb: z.int().min(10).max(3_072),
  indices: z.strictObject({
    shards: count,
    replicas: z.int().nonnegative(),
    refreshInterval: z.string().regex(/^\d+(ms|s|m)$/, 'must be a duration such as 30s'),
  }),
});

const index = z.strictObject({
  /**
   * Provisioned pollers, which also bring partial batch responses, bisecting, and retries until the record's maximum age.
   * Without them Lambda retries the whole batch ten times, then stores it in the on-failure destination.
   */
  provisioned: z.boolean(),
  minimumPollers: count,
  maximumPollers: count,
  /** How long Lambda may gather records; an event holds at most 6 MB, about 5,700 tickers. */
  batchWindowSeconds: z.int().min(0).max(300),
  /** With provisioned pollers, older records go to the on-failure destination. */
  maxRecordAgeHours: z.int().min(1).max(168),
});

/** Beside each source's ingest: summarise, watch and compact. */
const ONE_AT_A_TIME = 3;
/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const UNRESERVED_MINIMUM = 100;

const chatTopics = z.array(z.enum(['pages', 'notices'])).min(1);

/** Authorize AWS Chatbot for the workspace or team once, in its console, which also shows the ids. */
const chatRoom = z.discriminatedUnion('app', [
  z.strictObject({
    app: z.literal('slack'),
    workspaceId: z.string().regex(/^T[0-9A-Z]{1,255}$/, 'must look like T012ABCDEFG'),
    channelId: z.string().regex(/^[CG][0-9A-Z]{1,255}$/, 'must look like C012ABCDEFG'),
    topics: chatTopics,
  }),
  z.strictObject({
    app: z.literal('teams'),
    teamId: z.uuid(),
    tenantId: z.uuid(),
    channelId: z.string().min(1),
    topics: chatTopics,
  }),
]);

const stageConfigSchema = z
  .strictObject({
    stage: z.string().regex(/^[a-z][a-z0-9]{0,11}$/, 'must be at most 12 lower-case letters and digits'),
    /** What happens to data when its stack is removed. */
    dataOnRemoval: z.enum(['destroy', 'retain']),
    network,
    stream,
    search,
    lake: z.strictObject({
      /** Batches may be replaced and copied into `tickers/`: only while another lake is copied into this one. */
      acceptsCopies: z.boolean(),
      /**
       * For how many days S3 Object Lock (governance mode) protects a batch of tickers from deletion. Once
       * deployed it can change, but not be removed: fixed-settings.ts. @default no lock
       */
      lockDays: count.optional(),
      /**
       * The age at which batches above 128 KB move to Glacier Instant Retrieval, which is as fast, cheaper to
       * store, and more expensive to read. @default they stay
       */
      coldAfterDays: z.int().min(1).optional(),
      /**
       * A bucket in another region or account that gets a copy of every new object of the lake. @default none
       */
      replica: z
        .strictObject({
          /** Versioned, and its objects owned by its account (S3's default). */
          bucketArn: z.string().regex(/^arn:[^:]+:s3:::[a-z0-9.-]{3,63}$/, 'must be the ARN of a bucket'),
          /** A KMS key of the bucket's region that encrypts the copies. */
          keyArn: z.string().regex(/^arn:[^:]+:kms:[^:]+:\d{12}:key\/.+$/, 'must be the ARN of a KMS key'),
        })
        .optional(),
    }),
    sources: z.array(source).min(1),
    index,
    summarise: z.strictObject({
      /** Fractions: 0.01 is 1 %. */
      moveThresholds: z.array(z.number().positive().lt(1)).min(1),
    }),
    functions: z.strictObject({
      ingest: functionSize,
      index: functionSize,
      summarise: functionSize,
      insights: calledFunctionSize,
      /** Also of the one that fetches candles for it. */
      operate: calledFunctionSize,
      watch: functionSize,
      compact: compactFunctionSize,
    }),
    /**
     * Reserves one concurrent execution for each function that needs no second (each source's ingest, summarise, watch and
     * compact) and `maxAtOnce` for those that people call. Then no other function of the account can crowd them out, and questions and
     * commands cannot crowd out indexing. Lambda insists on 100 unreserved executions, so a
     * new account, with a quota of 10, cannot reserve any.
     * https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
     */
    reservedConcurrency: z.boolean(),
    retention: z.strictObject({
      logDays,
      /** How long OpenSearch keeps ticks; the lake keeps them forever. */
      tickDays: z.int().min(2),
      /** How long the lake keeps replaced and deleted object versions. */
      oldVersionDays: count,
      /** How long the lake keeps rejected tickers and dead letters. */
      rejectedDays: z.int().min(7),
    }),
    /** Each hour, fill hours without data with the exchanges' own candles (`npm run gaps -- --repair`), of the last three days. */
    repairGaps: z.boolean(),
    /** A small host for reaching Dashboards through port forwarding. */
    bastion: z.boolean(),
    alarms: z.strictObject({
      /** E-mail addresses; each recipient must confirm the subscription once. */
      pages: z.array(z.email()),
      notices: z.array(z.email()),
      chat: z.array(chatRoom),
      /**
       * The log group of a CloudTrail trail of the account that records management events, and data events of the lake's
       * bucket: for alarms on reads of the admin password and on deletions. @default none
       */
      trailLogGroup: z
        .string()
        .regex(/^[\w./#-]{1,512}$/, 'must be the name of a log group')
        .optional(),
      /** The account's quota of concurrent Lambda executions; an alarm goes off at 80 %. */
      concurrencyQuota: count,
    }),
    /** What the whole account may cost per month. @default no budget */
    budget: z
      .strictObject({
        monthlyUsd: z.number().positive(),
        /** @default the notices topic */
        emails: z.array(z.email()).min(1).max(10).optional(),
      })
      .optional(),
  })
  .superRefine(({ sources, functions, network, stream, search: domain, ...rest }, context) => {
    const { availabilityZones } = network;
    if (rest.lake.lockDays !== undefined && rest.dataOnRemoval === 'destroy') {
      const message = 'needs dataOnRemoval "retain": the bucket could not be emptied before it is destroyed';
      addProblem(context, ['lake', 'lockDays'], message);
    }
    if (rest.lake.lockDays !== undefined && rest.lake.replica) {
      const message =
        'does not go with lake.replica: S3 copies locked objects only into a bucket that locks, too';
      addProblem(context, ['lake', 'lockDays'], message);
    }
    const reserved = executionsToReserve({ sources, functions });
    const { concurrencyQuota } = rest.alarms;
    if (rest.reservedConcurrency && concurrencyQuota - reserved < UNRESERVED_MINIMUM) {
      const message = `Lambda refuses to reserve ${reserved} of ${concurrencyQuota} executions (alarms.concurrencyQuota): ${UNRESERVED_MINIMUM} must stay unreserved. Set it to false, or have the quota raised`;
      addProblem(context, ['reservedConcurrency'], message);
    }
    const name = firstRepeated(sources.map(({ name }) => name));
    if (name !== undefined) addProblem(context, ['sources'], `two of them are named ${name}`);
    const market = firstRepeated(
      sources.flatMap(({ exchange, categories }) => categories.map((each) => `${exchange} ${each}`)),
    );
    if (market !== undefined) {
      const message = `two of them poll ${market} and would write the same lake objects`;
      addProblem(context, ['sources'], message);
    }
    for (const { name, samplingIntervalMinutes } of sources) {
      if (functions.ingest.timeoutSeconds >= samplingIntervalMinutes * 60) {
        addProblem(
          context,
          ['functions', 'ingest', 'timeoutSeconds'],
          `must be below the ${samplingIntervalMinutes} min between two polls of ${name}, or they overlap`,
        );
      }
    }
    const { zones } = network;
    if (zones && new Set(zones).size !== availabilityZones) {
      const message = `must name ${availabilityZones} different zones (network.availabilityZones)`;
      addProblem(context, ['network', 'zones'], message);
    }
    const { brokers, existing } = stream;
    if (!existing && brokers % availabilityZones !== 0) {
      const message = `must be a multiple of the ${availabilityZones} availability zones`;
      addProblem(context, ['stream', 'brokers'], message);
    }
    if (domain.dataNodes > 1 && domain.dataNodes % availabilityZones !== 0) {
      const message = `must be 1 or a multiple of the ${availabilityZones} availability zones`;
      addProblem(context, ['search', 'dataNodes'], message);
    }
    if (domain.indices.replicas >= domain.dataNodes) {
      const message = `${domain.indices.replicas} replicas do not fit on ${domain.dataNodes} data nodes`;
      addProblem(context, ['search', 'indices', 'replicas'], message);
    }
  });

/** How many executions a stage reserves if it does. */
export function executionsToReserve({
  sources,
  functions,
}: Pick<StageConfig, 'sources' | 'functions'>): number {
  const { insights, operate } = functions;
  return sources.length + ONE_AT_A_TIME + insights.maxAtOnce + 2 * operate.maxAtOnce;
}

function firstRepeated(values: readonly string[]): string | undefined {
  return values.find((value, position) => values.indexOf(value) !== position);
}

export type StageConfigInput = z.input<typeof stageConfigSchema>;
export type StageConfig = DeepReadonly<z.infer<typeof stageConfigSchema>>;

export type NetworkConfig = StageConfig['network'];
export type StreamConfig = StageConfig['stream'];
export type LakeConfig = StageConfig['lake'];
export type SearchConfig = StageConfig['search'];
export type PolledSource = StageConfig['sources'][number];
/** How much of Lambda one function may use. */
export type FunctionSize = StageConfig['functions']['ingest'];
export type CompactFunctionSize = StageConfig['functions']['compact'];
export type CalledFunctionSize = StageConfig['functions']['insights'];

type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/**
 * Validates and freezes a stage's configuration.
 * @throws StageConfigError with one line per invalid value
 */
export function parseStageConfig(config: unknown): StageConfig {
  const result = stageConfigSchema.safeParse(config);
  if (result.success) return deepFreeze(result.data) as StageConfig;
  const lines = result.error.issues.map(({ path, message }) => {
    const value = path.length === 0 ? '' : ` (got ${JSON.stringify(at(config, path))})`;
    return `- ${path.join('.') || 'settings'}: ${message}${value}`;
  });
  throw new StageConfigError(`Invalid stage configuration:\n${lines.join('\n')}`);
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inside, key) => (inside as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  );
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
