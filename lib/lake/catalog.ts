import { Stack } from 'aws-cdk-lib';
import * as glue from 'aws-cdk-lib/aws-glue';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { CATEGORIES } from '../../core/market/series.ts';
import { TICKER_FIELDS, type TickerFieldKind } from '../../core/market/ticker-fields.ts';
import { exchangesOf } from '../config/exchanges.ts';
import type { StageConfig } from '../config/stage-config.ts';

export interface CatalogProps {
  readonly config: StageConfig;
  readonly bucket: Bucket;
}

const COLUMN_TYPES: Record<TickerFieldKind, string> = {
  price: 'double',
  number: 'double',
  // ISO 8601, which SQL reads with from_iso8601_timestamp(…).
  time: 'string',
  text: 'string',
};

/** The day that partitions are looked for from; nothing is older than the pipeline. */
const FIRST_DAY = '2018-01-01';

/**
 * The lake's tickers as a table, for Athena and whatever else reads Glue. Partitions are computed from the keys'
 * pattern (partition projection): nothing has to be crawled or added, new hours are there at once.
 */
export class Catalog extends Construct {
  /** As SQL names it. */
  readonly databaseName: string;
  readonly tableName = 'tickers';

  constructor(scope: Construct, id: string, { config, bucket }: CatalogProps) {
    super(scope, id);
    const catalogId = Stack.of(this).account;
    this.databaseName = `crypto_market_insights_${config.stage}`;
    const database = new glue.CfnDatabase(this, 'Database', {
      catalogId,
      databaseInput: { name: this.databaseName, description: 'Crypto tickers as they were polled' },
    });
    const exchanges = exchangesOf(config);
    const location = bucket.s3UrlForObject('tickers/');
    const columns = {
      v: 'int',
      symbol: 'string',
      base: 'string',
      quote: 'string',
      slot: 'string',
      timestamp: 'string',
      received_at: 'string',
      ...Object.fromEntries(
        Object.entries(TICKER_FIELDS).map(([field, kind]) => [field, COLUMN_TYPES[kind]] as const),
      ),
    };
    const table = new glue.CfnTable(this, 'Tickers', {
      catalogId,
      databaseName: this.databaseName,
      tableInput: {
        name: this.tableName,
        description: 'One row for each series and poll',
        tableType: 'EXTERNAL_TABLE',
        partitionKeys: ['exchange', 'category', 'dt', 'hour'].map((name) => ({ name, type: 'string' })),
        storageDescriptor: {
          location,
          columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
          inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
          outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
          serdeInfo: { serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
        },
        parameters: {
          EXTERNAL: 'TRUE',
          classification: 'json',
          compressionType: 'gzip',
          'projection.enabled': 'true',
          'projection.exchange.type': 'enum',
          'projection.exchange.values': exchanges.join(','),
          'projection.category.type': 'enum',
          'projection.category.values': CATEGORIES.join(','),
          'projection.dt.type': 'date',
          'projection.dt.format': 'yyyy-MM-dd',
          'projection.dt.range': `${FIRST_DAY},NOW+1DAYS`,
          'projection.dt.interval': '1',
          'projection.dt.interval.unit': 'DAYS',
          'projection.hour.type': 'integer',
          'projection.hour.range': '0,23',
          'projection.hour.digits': '2',
          'storage.location.template': `${location}exchange=\${exchange}/category=\${category}/dt=\${dt}/hour=\${hour}/`,
        },
      },
    });
    table.node.addDependency(database);
  }
}
