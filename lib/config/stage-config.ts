import * as z from 'zod';
import { sourceConfigSchema } from '../../exchanges/source-config.ts';

/** A value of a stage's configuration is wrong; the message names it. */
export class StageConfigError extends Error {
  override readonly name = 'StageConfigError';
}

const count = z.int().positive();
const megabytes = z.int().min(128).max(10_240);
/** What CloudWatch Logs accepts. */
const logDays = z.literal([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827]);
/** A poll lies on whole minutes of every hour, so the slots of one day are those of the next. */
const pollMinutes = z.literal([1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]);

/** How much of Lambda one function may use. */
const functionSize = z.strictObject({ memoryMb: megabytes, timeoutSeconds: z.int().min(10).max(900) });

const source = sourceConfigSchema.safeExtend({
  samplingIntervalMinutes: pollMinutes,
  /** Replaces the base URL of the exchange's API, e.g. with another host of the same exchange. */
  apiUrl: z.url({ protocol: /^https?$/ }).optional(),
});

const network = z.strictObject({
  availabilityZones: z.literal([2, 3]),
  /** One is cheap; one a zone survives the loss of a zone. */
  natGateways: z.int().min(1).max(3),
  /** A VPC that is there already, instead of one of our own: where a cluster that is brought along lives. */
  existing: z
    .strictObject({
      vpcId: z.string().startsWith('vpc-'),
      availabilityZones: z.array(z.string()).min(2),
      /** One a zone, in the same order; with a route to the internet through a NAT. */
      privateSubnetIds: z.array(z.string().startsWith('subnet-')).min(2),
    })
    .optional(),
});

const topic = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,249}$/, 'letters, digits, dots, dashes and underscores'),
  partitions: count,
  replicationFactor: count,
  minInsyncReplicas: count,
  retentionHours: count,
});

const stream = z
  .strictObject({
    /** A cluster that is there already; nothing below but the topic counts then. */
    existing: z
      .strictObject({
        clusterArn: z.string().regex(/^arn:[^:]+:kafka:[^:]+:\d+:cluster\/.+$/, 'the ARN of an MSK cluster'),
        /** The cluster's security group, opened for our functions. @default the owner of the cluster opens it */
        securityGroupId: z.string().startsWith('sg-').optional(),
      })
      .optional(),
    kafkaVersion: z.string().regex(/\.kraft$/, 'a version that runs without ZooKeeper ends in .kraft'),
    instanceType: z.string().startsWith('kafka.'),
    brokers: count,
    /** Of each broker. */
    storageGb: z.int().min(1).max(16_384),
    monitoring: z.enum(['DEFAULT', 'PER_BROKER', 'PER_TOPIC_PER_BROKER', 'PER_TOPIC_PER_PARTITION']),
    topic,
  })
  .superRefine(({ brokers, topic: { replicationFactor, minInsyncReplicas } }, context) => {
    if (replicationFactor > brokers) {
      context.addIssue({
        code: 'custom',
        path: ['topic', 'replicationFactor'],
        message: `${replicationFactor} copies need as many brokers, there are ${brokers}`,
      });
    }
    if (minInsyncReplicas >= replicationFactor) {
      context.addIssue({
        code: 'custom',
        path: ['topic', 'minInsyncReplicas'],
        message: `has to be below replicationFactor (${replicationFactor}), else the loss of one broker stops the stream`,
      });
    }
  });

const search = z.strictObject({
  dataNodes: count,
  dataNodeType: z.string().endsWith('.search'),
  /** Dedicated managers; none on a single node. */
  managers: z.strictObject({ nodes: z.literal(3), nodeType: z.string().endsWith('.search') }).optional(),
  /** gp3, of each data node. */
  volumeGb: z.int().min(10).max(3_072),
  indices: z.strictObject({
    shards: count,
    replicas: z.int().nonnegative(),
    refreshInterval: z.string().regex(/^\d+(ms|s|m)$/, 'a duration such as 30s'),
  }),
});

const index = z.strictObject({
  /**
   * Provisioned pollers, and with them what only they can do: partial batch responses, bisecting, a limit to
   * retries. Without, the whole batch is tried until it works.
   */
  provisioned: z.boolean(),
  minimumPollers: count,
  maximumPollers: count,
  /** How long records may be gathered; an event holds 6 MB of them at most, about 5,700 tickers. */
  batchWindowSeconds: z.int().min(0).max(300),
  /** With provisioned pollers: older records go to the on-failure destination. */
  maxRecordAgeHours: z.int().min(1).max(168),
});

const chatTopics = z.array(z.enum(['pages', 'notices'])).min(1);

/** AWS Chatbot has to be let into the workspace or team once, in its console; the ids are shown there. */
const chatRoom = z.discriminatedUnion('app', [
  z.strictObject({
    app: z.literal('slack'),
    workspaceId: z.string().regex(/^T[0-9A-Z]{1,255}$/, 'as in T012ABCDEFG'),
    channelId: z.string().regex(/^[CG][0-9A-Z]{1,255}$/, 'as in C012ABCDEFG'),
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

/** What differs between the stages. */
export const stageConfigSchema = z
  .strictObject({
    stage: z.string().regex(/^[a-z][a-z0-9]{0,11}$/, 'lower-case letters and digits, 12 at most'),
    /** Whether what holds data may go with its stack. */
    dataOnRemoval: z.enum(['destroy', 'retain']),
    network,
    stream,
    search,
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
      insights: functionSize,
      operate: functionSize,
      watch: functionSize,
    }),
    retention: z.strictObject({
      logDays,
      /** How long OpenSearch keeps raw ticks; the lake keeps them forever. */
      tickDays: z.int().min(2),
      /** How long the lake keeps versions that were replaced or deleted. */
      oldVersionDays: count,
    }),
    /** A small host through which a person reaches Dashboards. */
    bastion: z.boolean(),
    alarms: z.strictObject({
      /** Who is told: e-mail addresses, which have to be confirmed once. */
      pages: z.array(z.email()),
      notices: z.array(z.email()),
      /** Rooms that are told, too. */
      chat: z.array(chatRoom),
      /** The account's quota of concurrent executions of Lambda, of which 80 % are alarmed. */
      concurrencyQuota: count,
    }),
    /** What the account may cost a month, everything in it. @default nobody is told */
    budget: z
      .strictObject({
        monthlyUsd: z.number().positive(),
        /** @default *notices* is told */
        emails: z.array(z.email()).min(1).max(10).optional(),
      })
      .optional(),
  })
  .superRefine(({ sources, functions, network: { availabilityZones }, search: domain }, context) => {
    const names = sources.map(({ name }) => name);
    const twice = names.find((name, position) => names.indexOf(name) !== position);
    if (twice !== undefined) {
      context.addIssue({ code: 'custom', path: ['sources'], message: `two of them are named ${twice}` });
    }
    const markets = sources.flatMap(({ exchange, categories }) =>
      categories.map((each) => `${exchange} ${each}`),
    );
    const shared = markets.find((market, position) => markets.indexOf(market) !== position);
    if (shared !== undefined) {
      context.addIssue({
        code: 'custom',
        path: ['sources'],
        message: `two of them poll ${shared}, and would write the same objects of the lake`,
      });
    }
    for (const { name, samplingIntervalMinutes } of sources) {
      if (functions.ingest.timeoutSeconds >= samplingIntervalMinutes * 60) {
        context.addIssue({
          code: 'custom',
          path: ['functions', 'ingest', 'timeoutSeconds'],
          message: `has to be below the ${samplingIntervalMinutes} min between two polls of ${name}, else they overlap`,
        });
      }
    }
    if (domain.dataNodes > 1 && domain.dataNodes % availabilityZones !== 0) {
      context.addIssue({
        code: 'custom',
        path: ['search', 'dataNodes'],
        message: `has to be 1 or a multiple of the ${availabilityZones} availability zones`,
      });
    }
    if (domain.indices.replicas >= domain.dataNodes) {
      context.addIssue({
        code: 'custom',
        path: ['search', 'indices', 'replicas'],
        message: `${domain.indices.replicas} replicas find no place on ${domain.dataNodes} data nodes`,
      });
    }
  });

export type StageConfig = DeepReadonly<z.infer<typeof stageConfigSchema>>;

type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/**
 * Checks a stage's configuration and freezes it.
 * @throws StageConfigError with one line for each wrong value
 */
export function parseStageConfig(config: unknown): StageConfig {
  const result = stageConfigSchema.safeParse(config);
  if (result.success) return deepFreeze(result.data) as StageConfig;
  const lines = result.error.issues.map(
    ({ path, message }) => `- ${path.join('.')}: ${message}; it is ${JSON.stringify(at(config, path))}`,
  );
  throw new StageConfigError(`The stage's configuration is wrong:\n${lines.join('\n')}`);
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
