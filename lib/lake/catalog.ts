import { Stack } from 'aws-cdk-lib';
import * as glue from 'aws-cdk-lib/aws-glue';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { COLUMNS_PREFIX } from '../../core/columns/objects.ts';
import { type ColumnKind, type ColumnTable, columnsOf, PERIOD_FOLDERS } from '../../core/columns/tables.ts';
import { CATEGORIES } from '../../core/market/series.ts';

export interface CatalogProps {
  readonly stage: string;
  readonly exchanges: readonly string[];
  readonly bucket: Bucket;
}

/** How Athena reads the columns of a Parquet file. Times are UTC. */
const COLUMN_TYPES: Readonly<Record<ColumnKind, string>> = {
  version: 'int',
  count: 'int',
  name: 'string',
  text: 'string',
  price: 'double',
  number: 'double',
  fraction: 'double',
  time: 'timestamp',
  path: 'array<struct<offset_ms:int,price:double>>',
};

/** A format of files, as Glue describes it. */
interface Format {
  readonly types: Readonly<Record<ColumnKind, string>>;
  readonly storage: Pick<
    glue.CfnTable.StorageDescriptorProperty,
    'inputFormat' | 'outputFormat' | 'serdeInfo'
  >;
  readonly parameters: Readonly<Record<string, string>>;
}

const PARQUET: Format = {
  types: COLUMN_TYPES,
  storage: {
    inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
    outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
    serdeInfo: { serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
  },
  parameters: { classification: 'parquet' },
};

const NDJSON: Format = {
  // ISO 8601; SQL parses it with from_iso8601_timestamp(…).
  types: { ...COLUMN_TYPES, time: 'string' },
  storage: {
    inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
    outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
    serdeInfo: { serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe' },
  },
  parameters: { classification: 'json', compressionType: 'gzip' },
};

/** How Athena finds the values of a folder, by its name. The first day and month are the first possible ones. */
const FOLDERS = {
  dt: {
    type: 'date',
    format: 'yyyy-MM-dd',
    range: '2018-01-01,NOW+1DAYS',
    interval: '1',
    'interval.unit': 'DAYS',
  },
  month: { type: 'date', format: 'yyyy-MM', range: '2010-01,NOW', interval: '1', 'interval.unit': 'MONTHS' },
  hour: { type: 'integer', range: '0,23', digits: '2' },
} as const;

interface TableProps {
  readonly name: string;
  readonly description: string;
  readonly columns: ColumnTable;
  readonly format: Format;
  readonly prefix: string;
  /** Below `exchange` and `category`. */
  readonly folders: readonly (keyof typeof FOLDERS)[];
}

/**
 * The lake as Glue tables, e.g. for Athena. Partitions are derived from the pattern of the keys (partition projection), so
 * a new file shows up at once without a crawler.
 */
export class Catalog extends Construct {
  readonly databaseName: string;
  readonly #props: CatalogProps;
  readonly #database: glue.CfnDatabase;

  constructor(scope: Construct, id: string, props: CatalogProps) {
    super(scope, id);
    this.#props = props;
    this.databaseName = `crypto_market_insights_${props.stage}`;
    this.#database = new glue.CfnDatabase(this, 'Database', {
      catalogId: Stack.of(this).account,
      databaseInput: { name: this.databaseName, description: 'Crypto tickers, candles and moves' },
    });
    const compacted = (tableId: string, columns: ColumnTable, description: string) =>
      this.#table(tableId, {
        name: columns,
        description,
        columns,
        format: PARQUET,
        prefix: `${COLUMNS_PREFIX}${columns}/`,
        folders: [PERIOD_FOLDERS[columns]],
      });
    compacted('Tickers', 'tickers', 'Closed days of tickers: one row per series and poll');
    compacted('Candles', 'candles', 'Candles of closed days: one row per series and hour');
    compacted('Moves', 'moves', 'Rises and falls of closed days, at the configured thresholds');
    this.#table('TickersRaw', {
      name: 'tickers_raw',
      description: 'Tickers as they were polled, also those of today',
      columns: 'tickers',
      format: NDJSON,
      prefix: 'tickers/',
      folders: ['dt', 'hour'],
    });
  }

  /** As queries name it. */
  table(name: ColumnTable): string {
    return `${this.databaseName}.${name}`;
  }

  #table(id: string, { name, description, columns, format, prefix, folders }: TableProps): void {
    const { exchanges, bucket } = this.#props;
    const location = bucket.s3UrlForObject(prefix);
    const partitions = {
      exchange: { type: 'enum', values: exchanges.join(',') },
      category: { type: 'enum', values: CATEGORIES.join(',') },
      ...Object.fromEntries(folders.map((folder) => [folder, FOLDERS[folder]])),
    };
    const names = Object.keys(partitions);
    const table = new glue.CfnTable(this, id, {
      catalogId: Stack.of(this).account,
      databaseName: this.databaseName,
      tableInput: {
        name,
        description,
        tableType: 'EXTERNAL_TABLE',
        partitionKeys: names.map((partition) => ({ name: partition, type: 'string' })),
        storageDescriptor: {
          location,
          columns: Object.entries(columnsOf(columns)).map(([column, kind]) => ({
            name: column,
            type: format.types[kind],
          })),
          ...format.storage,
        },
        parameters: {
          EXTERNAL: 'TRUE',
          ...format.parameters,
          'projection.enabled': 'true',
          ...Object.fromEntries(
            Object.entries(partitions).flatMap(([partition, settings]) =>
              Object.entries(settings).map(([key, value]) => [`projection.${partition}.${key}`, value]),
            ),
          ),
          'storage.location.template': `${location}${names.map((each) => `${each}=\${${each}}/`).join('')}`,
        },
      },
    });
    table.node.addDependency(this.#database);
  }
}
