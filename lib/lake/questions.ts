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

/** The end of both windows: the hour that has not ended yet is left out. */
const UNTIL = `date_trunc('hour', current_timestamp)`;
const SINCE = `${UNTIL} - interval '90' day`;

/** The hourly means and closes of one series, with a day before the window, the start of both queries. */
const hours = (table: string) => `
WITH hours AS (
  SELECT date_trunc('hour', from_iso8601_timestamp(slot)) AS hour,
         avg(last_price) AS mean,
         max_by(last_price, from_iso8601_timestamp(slot)) AS close
  FROM ${table}
  WHERE exchange = 'kraken' AND category = 'spot' AND symbol = 'XXBTZUSD'
    AND dt >= to_iso8601(current_date - interval '91' day)
  GROUP BY 1
)`;

/** The mean of the hourly means, and the share of the window's hours that have data. */
export const averageQuery = (table: string) =>
  `${hours(table)}
SELECT avg(mean) AS average_price,
       count(*) AS hours_with_data,
       count(*) / (90 * 24e0) AS coverage
FROM hours
WHERE hour >= ${SINCE} AND hour < ${UNTIL}`.trim();

/** Hours of the window that closed a threshold above or below the hour before, which may lie before the window. */
export const exceedancesQuery = (table: string) =>
  `${hours(table)}, changes AS (
  SELECT hour,
         close / lag(close) OVER (ORDER BY hour) - 1 AS change,
         date_diff('hour', lag(hour) OVER (ORDER BY hour), hour) AS step
  FROM hours
)
SELECT threshold,
       count_if(change >= threshold - ${THRESHOLD_TOLERANCE}) AS hours_up,
       count_if(change <= -threshold + ${THRESHOLD_TOLERANCE}) AS hours_down
FROM changes CROSS JOIN UNNEST(ARRAY[0.01, 0.05, 0.10]) AS t(threshold)
WHERE step = 1 AND hour >= ${SINCE} AND hour < ${UNTIL}
GROUP BY threshold
ORDER BY threshold`.trim();

/**
 * The two main questions, answered from the lake alone by "Saved queries" in Athena's editor, where the series and the
 * window can be changed. The definitions are the usual ones: the average counts every hour with data once; an
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
        // A year of one exchange is about 80 GB; a query that reads more lacks its WHERE.
        bytesScannedCutoffPerQuery: 200_000_000_000,
        resultConfiguration: {
          outputLocation: bucket.s3UrlForObject(ATHENA_RESULTS),
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn },
        },
      },
    });
    const table = `${catalog.databaseName}.${catalog.tableName}`;
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
      averageQuery(table),
    );
    query(
      'Exceedances',
      'Rises and falls',
      'Hours of the last 90 days that closed 1, 5 or 10 % above or below the hour before',
      exceedancesQuery(table),
    );
  }
}
