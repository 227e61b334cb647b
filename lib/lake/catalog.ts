import { Stack } from 'aws-cdk-lib';
import * as glue from 'aws-cdk-lib/aws-glue';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { CATEGORIES } from '../../core/market/series.ts';
import { TICKER_FIELDS, type TickerFieldKind } from '../../core/market/ticker-fields.ts';

export interface CatalogProps {
  readonly stage: string;
  readonly exchanges: readonly string[];
  readonly bucket: Bucket;
}

const COLUMN_TYPES: Record<TickerFieldKind, string> = {
  price: 'double',
  number: 'double',
  fraction: 'double',
  // ISO 8601; SQL parses it with from_iso8601_timestamp(…).
  time: 'string',
  text: 'string',
};

/** The first possible partition; no data is older. */
const FIRST_DAY = '2018-01-01';

/**
 * The lake's tickers as a Glue table, e.g. for Athena. Partitions are derived from the key pattern (partition
 * projection), so new hours show up at once without a crawler.
 */
export class Catalog extends Construct {
  readonly databaseName: string;
  readonly tableName = 'tickers';

  constructor(scope: Construct, id: string, { stage, exchanges, bucket }: CatalogProps) {
    super(scope, id);
    const catalogId = Stack.of(this).account;
    this.databaseName = `crypto_market_insights_${stage}`;
    const database = new glue.CfnDatabase(this, 'Database', {
      catalogId,
      databaseInput: { name: this.databaseName, description: 'Crypto tickers, as polled' },
    });
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
        description: 'One row per series and poll',
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
