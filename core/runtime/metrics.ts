/**
 * The metrics of the pipeline: their names, units and dimensions, for the functions that emit them and the alarms that
 * read them. CloudWatch finds a metric only by all of its dimensions, so both sides use `dimensionsOf`.
 */

/** The CloudWatch namespace. */
export const METRICS_NAMESPACE = 'CryptoMarketInsights';

export type MetricUnit = 'Count' | 'Bytes' | 'Milliseconds' | 'Seconds' | 'Percent';

interface Group {
  /** In addition to `service` and `stage`. */
  readonly dimensions: readonly string[];
  /** Emitted every time (0 if nothing happened) unless noted otherwise. */
  readonly metrics: Readonly<Record<string, MetricUnit>>;
  /**
   * Metrics without those dimensions: CloudWatch adds them up for the stage. The log line has them by source.
   */
  readonly ofStage?: readonly string[];
  /** Failure metrics, not emitted while they are 0: CloudWatch bills a metric for each hour with a value. */
  readonly rare?: readonly string[];
}

/** By service. */
export const METRIC_GROUPS = {
  /** One poll of one source. */
  ingest: {
    dimensions: ['source'],
    ofStage: ['TickersFetched', 'LakeBytes', 'RecordsProduced', 'PollDuration'],
    rare: [
      'PollsFailed',
      'CategoriesFailed',
      'SuspiciousAnswers',
      'TickersRejected',
      'RejectedShare',
      'BatchesWaiting',
      'UnreadableInLake',
      'SlotDelay',
    ],
    metrics: {
      /** 1 if no category failed and the stream acknowledged everything that waited, including this slot; else 0. */
      PollsSucceeded: 'Count',
      /** 1 if the poll threw, else 0. */
      PollsFailed: 'Count',
      /** Categories that could not be fetched or stored; all of them if the poll threw before that was known. */
      CategoriesFailed: 'Count',
      /** Categories with no tickers, or less than half of the previous poll's. */
      SuspiciousAnswers: 'Count',
      TickersFetched: 'Count',
      TickersRejected: 'Count',
      /** Rejected among all received tickers. Absent if none were received. */
      RejectedShare: 'Percent',
      /** Compressed size of the batches that this poll wrote to the lake. */
      LakeBytes: 'Bytes',
      /** Records that the stream acknowledged, including the backlog. */
      RecordsProduced: 'Count',
      /** Batches waiting in the lake for the next poll. */
      BatchesWaiting: 'Count',
      /** Batches or lines in the lake that cannot be read. */
      UnreadableInLake: 'Count',
      PollDuration: 'Milliseconds',
      /** From the slot to the start of its poll. Absent if that is within a minute, as Scheduler promises. */
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
      /** Documents sent again within the batch, counted each time. */
      DocumentsRetried: 'Count',
      /** Records that are not tickers or that OpenSearch refused. */
      DeadLetters: 'Count',
      /** Records that have to be delivered again. */
      RecordsUnstored: 'Count',
      /** Size of the records' values in base64. */
      BatchBytes: 'Bytes',
      /** From the first document to the last answer, including retries. */
      OpenSearchDuration: 'Milliseconds',
      /** From the oldest record's timestamp to the end of the batch. Absent if no record has one. */
      EventAge: 'Milliseconds',
    },
  },
  /** One scheduled redrive. */
  redrive: {
    dimensions: [],
    metrics: {
      /** Tickers indexed from batches that Lambda gave up and from dead letters. */
      RecordsRedriven: 'Count',
      /** Batches that Lambda gave up and that are still not redriven. */
      BatchesToRedrive: 'Count',
    },
  },
  /** One run of summarise; if it failed, what it had done until then. */
  summarise: {
    dimensions: [],
    metrics: {
      HoursSummarised: 'Count',
      CandlesWritten: 'Count',
      MovesWritten: 'Count',
      SeriesMadeAgain: 'Count',
    },
  },
  /** One scheduled run of compact. Nothing is emitted by a run that fails as a whole. */
  compact: {
    dimensions: [],
    metrics: {
      /** Parquet files written. */
      FilesWritten: 'Count',
      /**
       * Files of closed days and months that are missing or older than what they are made from, when the run
       * ends. 0 if all is well; the next run continues with what this one had no time for.
       */
      FilesDue: 'Count',
      /** Those of them that could not be written, for a reason that the log names. */
      FilesFailed: 'Count',
      /** Lines of the files written that are not rows. */
      LinesSkipped: 'Count',
    },
  },
  /** What watch finds in the index, for each exchange that is polled. */
  freshness: {
    dimensions: ['exchange'],
    rare: ['StaleCategories'],
    metrics: {
      /** Categories whose newest searchable ticker is older than three polls, or that have none. */
      StaleCategories: 'Count',
    },
  },
  /** One check by watch. */
  watch: {
    dimensions: [],
    metrics: {
      /** Always 1: a check that fails emits nothing. */
      Looks: 'Count',
      /** Time since the slot of the newest searchable ticker, of the category where it is oldest. Absent if there is none. */
      OldestTickerAge: 'Seconds',
      /** Past hours that have ticks and are not summarised yet. */
      SummariesHoursBehind: 'Count',
    },
  },
} as const satisfies Record<string, Group>;

export type MetricGroup = keyof typeof METRIC_GROUPS;
export type MetricName<Group extends MetricGroup> = keyof (typeof METRIC_GROUPS)[Group]['metrics'] & string;

/** The values of a group's dimensions other than `service` and `stage`. */
export type MetricDimensions<Group extends MetricGroup> = {
  [Name in (typeof METRIC_GROUPS)[Group]['dimensions'][number]]: string;
};

/** A group's values; undefined for a metric that is absent this time. */
export type MetricValues<Group extends MetricGroup> = Record<MetricName<Group>, number | undefined>;

/** Sends a group's values to CloudWatch. */
export type EmitMetrics = <Group extends MetricGroup>(
  group: Group,
  own: MetricDimensions<Group>,
  values: MetricValues<Group>,
) => void;

/** A group as data. */
export const metricGroup = (group: MetricGroup): Group => METRIC_GROUPS[group];

/** All dimensions of a metric. */
export function dimensionsOf<Group extends MetricGroup>(
  group: Group,
  stage: string,
  own: MetricDimensions<Group>,
  name: MetricName<Group>,
): Record<string, string> {
  const ofStage = metricGroup(group).ofStage?.includes(name);
  return { service: group, stage, ...(ofStage ? {} : own) };
}
