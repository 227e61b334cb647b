import * as athena from 'aws-cdk-lib/aws-athena';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { StageConfig } from '../config/stage-config.ts';
import type { Catalog } from './catalog.ts';
import { ATHENA_RESULTS } from './lake.ts';

export interface QuestionsProps {
  readonly config: StageConfig;
  readonly bucket: Bucket;
  readonly key: IKey;
  readonly catalog: Catalog;
}

/** The hourly means and closes of one series; the two questions start from it. */
const hours = (table: string) => `
WITH hours AS (
  SELECT date_trunc('hour', from_iso8601_timestamp(slot)) AS hour,
         avg(last_price) AS mean,
         max_by(last_price, from_iso8601_timestamp(slot)) AS close
  FROM ${table}
  WHERE exchange = 'bybit' AND category = 'linear' AND symbol = 'BTCUSDT'
    AND dt >= to_iso8601(current_date - interval '90' day)
  GROUP BY 1
)`;

/**
 * The two questions, answered from the lake alone: in Athena's editor under "Saved queries". Change the series and
 * the window there. Definitions as everywhere: the average counts every hour with data once; an exceedance is an
 * hour whose close is at least so much above (below) that of the hour just before.
 */
export class Questions extends Construct {
  readonly workGroupName: string;

  constructor(scope: Construct, id: string, { config, bucket, key, catalog }: QuestionsProps) {
    super(scope, id);
    this.workGroupName = `crypto-market-insights-${config.stage}`;
    const workGroup = new athena.CfnWorkGroup(this, 'WorkGroup', {
      name: this.workGroupName,
      description: 'Questions to the lake',
      recursiveDeleteOption: config.dataOnRemoval === 'destroy',
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        // A year of one exchange is some 80 GB; a query that reads more forgot its WHERE.
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
        queryString: queryString.trim(),
      });
      named.node.addDependency(workGroup);
    };
    query(
      'AveragePrice',
      'Average price',
      'The mean of the hourly means over the last 90 days, with the share of hours that have data',
      `${hours(table)}
SELECT avg(mean) AS average_price,
       count(*) AS hours_with_data,
       count(*) / (90 * 24.0) AS coverage
FROM hours`,
    );
    query(
      'Exceedances',
      'Rises and falls',
      'Hours of the last 90 days whose close is 1, 5 and 10 % above or below that of the hour before',
      `${hours(table)}, changes AS (
  SELECT close / lag(close) OVER (ORDER BY hour) - 1 AS change,
         date_diff('hour', lag(hour) OVER (ORDER BY hour), hour) AS step
  FROM hours
)
SELECT threshold,
       count_if(change >= threshold) AS hours_up,
       count_if(change <= -threshold) AS hours_down
FROM changes CROSS JOIN UNNEST(ARRAY[0.01, 0.05, 0.10]) AS t(threshold)
WHERE step = 1
GROUP BY threshold
ORDER BY threshold`,
    );
  }
}
