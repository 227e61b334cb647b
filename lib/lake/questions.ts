import * as athena from 'aws-cdk-lib/aws-athena';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { THRESHOLD_TOLERANCE } from '../../core/market/threshold.ts';
import type { Catalog } from './catalog.ts';
import { ATHENA_RESULTS } from './lake.ts';

export interface QuestionsProps {
  readonly stage: string;
  readonly bucket: Bucket;
  readonly key: IKey;
  readonly catalog: Catalog;
}

/** The end of every window: candles and moves of today are not in the lake yet. */
const UNTIL = `date_trunc('day', current_timestamp)`;
const SINCE = `${UNTIL} - interval '90' day`;

/** Rows of one series, of the window and the day before it. */
const ofOneSeries = `exchange = 'kraken' AND category = 'spot' AND symbol = 'XXBTZUSD'
    AND month >= date_format(current_date - interval '91' day, '%Y-%m')`;

/** The mean of the means, hour by hour, and the share of the window's hours that have data. A daily candle stands for 24. */
export const averageQuery = (candles: string) =>
  `
SELECT sum(mean * hours) / sum(hours) AS average_price,
       sum(hours) AS hours_with_data,
       sum(hours) / (90 * 24e0) AS coverage
FROM ${candles}
WHERE ${ofOneSeries}
    AND start >= ${SINCE} AND start < ${UNTIL}`.trim();

/** Hours of the window that closed a threshold above or below the hour before, which may lie before the window. */
export const exceedancesQuery = (candles: string) =>
  `
WITH changes AS (
  SELECT start,
         close / lag(close) OVER (ORDER BY start) - 1 AS change,
         date_diff('hour', lag(start) OVER (ORDER BY start), start) AS step
  FROM ${candles}
  WHERE ${ofOneSeries}
    AND hours = 1
)
SELECT threshold,
       count_if(change >= threshold - ${THRESHOLD_TOLERANCE}) AS hours_up,
       count_if(change <= -threshold + ${THRESHOLD_TOLERANCE}) AS hours_down
FROM changes CROSS JOIN UNNEST(ARRAY[0.01, 0.05, 0.10]) AS t(threshold)
WHERE step = 1 AND start >= ${SINCE} AND start < ${UNTIL}
GROUP BY threshold
ORDER BY threshold`.trim();

/** How many rises and falls were confirmed in the window, and how large those became that are over. */
export const movesQuery = (moves: string) =>
  `
SELECT threshold,
       direction,
       count(*) AS moves,
       avg(size) AS average_size,
       max(size) AS largest_size
FROM ${moves}
WHERE ${ofOneSeries}
    AND confirmed_time >= ${SINCE} AND confirmed_time < ${UNTIL}
GROUP BY threshold, direction
ORDER BY threshold, direction`.trim();

/**
 * The main questions, answered from the lake's Parquet files alone by "Saved queries" in Athena's editor, where the series
 * and the window can be changed. The definitions are the usual ones: the average counts every hour with data once; an
 * exceedance is an hour whose close differs from the previous hour's close by at least the threshold.
 */
export class Questions extends Construct {
  readonly workGroupName: string;

  constructor(scope: Construct, id: string, props: QuestionsProps) {
    super(scope, id);
    const { stage, bucket, key, catalog } = props;
    this.workGroupName = `crypto-market-insights-${stage}`;
    const workGroup = new athena.CfnWorkGroup(this, 'WorkGroup', {
      name: this.workGroupName,
      description: 'Queries on the lake',
      // Otherwise a stack cannot be removed once somebody has asked: the history of queries counts as content.
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        // A year of one exchange is about 50 GB of NDJSON; a query that reads more lacks its WHERE.
        bytesScannedCutoffPerQuery: 200_000_000_000,
        resultConfiguration: {
          outputLocation: bucket.s3UrlForObject(ATHENA_RESULTS),
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn },
        },
      },
    });
    const query = (queryId: string, name: string, description: string, queryString: string) => {
      const named = new athena.CfnNamedQuery(this, queryId, {
        name,
        description,
        database: catalog.databaseName,
        workGroup: this.workGroupName,
        queryString,
      });
      named.node.addDependency(workGroup);
    };
    query(
      'AveragePrice',
      'Average price',
      'The mean of the hourly means over the last 90 days, with the share of hours that have data',
      averageQuery(catalog.table('candles')),
    );
    query(
      'Exceedances',
      'Rises and falls by the hour',
      'Hours of the last 90 days that closed 1, 5 or 10 % above or below the hour before',
      exceedancesQuery(catalog.table('candles')),
    );
    query(
      'Moves',
      'Rises and falls',
      'How many moves of each threshold the last 90 days saw, and how large they became',
      movesQuery(catalog.table('moves')),
    );
  }
}
