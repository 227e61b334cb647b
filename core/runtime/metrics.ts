/**
 * The metrics of the pipeline: one list of their names, units and dimensions, which the functions emit and the alarms
 * ask for. CloudWatch finds a metric only by all of its dimensions: both sides take them from `dimensionsOf`.
 */

/** CloudWatch's namespace of all of them. */
export const METRICS_NAMESPACE = 'CryptoMarketInsights';

/** CloudWatch's units that we use. */
export type MetricUnit = 'Count' | 'Bytes' | 'Milliseconds' | 'Seconds' | 'Percent';

/**
 * By service: the dimensions beside `service` and `stage`, and the metrics.
 * Every metric of a group is emitted each time (0 where nothing happened), unless it says otherwise.
 */
export const METRIC_GROUPS = {
  /** One poll of one source. */
  ingest: {
    dimensions: ['exchange', 'source'],
    metrics: {
      /** 1: no category failed, and the stream acknowledged all that waited, this slot among it. Else 0. */
      PollsSucceeded: 'Count',
      /** 1 where the poll threw, else 0. */
      PollsFailed: 'Count',
      /** Categories that could not be fetched or stored; all of them where the poll threw before that was known. */
      CategoriesFailed: 'Count',
      /** Categories answered with nothing, or with under half of the tickers of the poll before. */
      SuspiciousAnswers: 'Count',
      TickersFetched: 'Count',
      TickersRejected: 'Count',
      /** Of the tickers that came, those that were rejected. Absent where none came. */
      RejectedShare: 'Percent',
      /** Bytes of the batches' objects that this poll put into the lake, compressed. */
      LakeBytes: 'Bytes',
      /** Records that the stream acknowledged, the backlog's among them. */
      RecordsProduced: 'Count',
      /** Batches that wait in the lake for the next poll. */
      BatchesWaiting: 'Count',
      /** What the lake holds and cannot be read. */
      UnreadableInLake: 'Count',
      PollDuration: 'Milliseconds',
      /** From the slot to the begin of its poll. */
      SlotDelay: 'Milliseconds',
    },
  },
  /** One batch of the event source mapping. */
  index: {
    dimensions: [],
    metrics: {
      RecordsReceived: 'Count',
      DocumentsIndexed: 'Count',
      DocumentsAlreadyThere: 'Count',
      /** Documents that OpenSearch did not take and that were sent again within the batch, once for each time. */
      DocumentsRetried: 'Count',
      /** Records that went to the dead letters: poison, or refused by OpenSearch. */
      DeadLetters: 'Count',
      /** Records that have to come again. */
      RecordsUnstored: 'Count',
      /** Values of the records as they came, base64. */
      BatchBytes: 'Bytes',
      /** From the first document to the last answer: making the requests and sending some again are among it. */
      OpenSearchDuration: 'Milliseconds',
      /** From the oldest record's own timestamp to the end of the batch. Absent where no record has one. */
      EventAge: 'Milliseconds',
    },
  },
  /** One run of summarise; of one that failed, what it had done until then. */
  summarise: {
    dimensions: [],
    metrics: {
      HoursSummarised: 'Count',
      CandlesWritten: 'Count',
      MovesWritten: 'Count',
      SeriesMadeAgain: 'Count',
    },
  },
  /** What watch finds in the index, for each exchange and category that is polled. */
  freshness: {
    dimensions: ['exchange', 'category'],
    metrics: {
      /** From the slot of the newest ticker that can be searched until now. Absent where there is none. */
      NewestTickerAge: 'Seconds',
    },
  },
  /** What watch finds in the summaries. */
  summaries: {
    dimensions: [],
    metrics: {
      /** Closed hours that hold ticks and are not summarised yet. */
      SummariesHoursBehind: 'Count',
    },
  },
} as const satisfies Record<string, { dimensions: readonly string[]; metrics: Record<string, MetricUnit> }>;

export type MetricGroup = keyof typeof METRIC_GROUPS;
export type MetricName<Group extends MetricGroup> = keyof (typeof METRIC_GROUPS)[Group]['metrics'] & string;

/** The values of a group's dimensions beside `service` and `stage`. */
export type MetricDimensions<Group extends MetricGroup> = {
  [Name in (typeof METRIC_GROUPS)[Group]['dimensions'][number]]: string;
};

/** A group's values of one time; undefined for one that is absent this time. */
export type MetricValues<Group extends MetricGroup> = Record<MetricName<Group>, number | undefined>;

/** Tells CloudWatch a group's values. */
export type EmitMetrics = <Group extends MetricGroup>(
  group: Group,
  own: MetricDimensions<Group>,
  values: MetricValues<Group>,
) => void;

/** All dimensions of a group's metrics, as CloudWatch knows them. */
export function dimensionsOf<Group extends MetricGroup>(
  group: Group,
  stage: string,
  own: MetricDimensions<Group>,
): Record<string, string> {
  return { service: group, stage, ...own };
}
