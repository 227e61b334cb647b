import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import { type CoveredMarket, coveredMarkets } from '../../core/insights/covered-markets.ts';
import { type InsightsEvent, type InsightsResponse, respond } from '../../core/insights/respond.ts';
import { type SamplingIntervals, samplingIntervalsVariable } from '../../core/market/sampling.ts';
import { LakeNotes } from '../../core/operate/lake-notes.ts';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { BUCKET } from '../../local/pipeline/resources.ts';
import { samplingIntervalsIn } from '../../local/pipeline/sampling-intervals.ts';
import { coveredUntil } from '../../stores/duckdb/insights/covered-until.ts';
import { lakeInsights } from '../../stores/duckdb/insights/stores.ts';
import { Lake } from '../../stores/duckdb/lake.ts';
import { createS3Client } from '../../stores/s3/client.ts';
import { S3ColumnReads } from '../../stores/s3/column-reads.ts';
import { S3Lake } from '../../stores/s3/lake.ts';
import { outputOf } from '../targets/stage.ts';
import type { Target } from '../targets/target.ts';

/** Answers from the lake's Parquet files, in this process: OpenSearch may be down. */
export interface LakeEngine {
  respond(event: InsightsEvent): Promise<InsightsResponse>;
  /** The markets that have candles. */
  markets(): Promise<CoveredMarket[]>;
  /** Until when there is anything of the markets of these series, ISO 8601 UTC. */
  coveredUntil(series: readonly string[]): Promise<Record<string, string>>;
}

/** For DuckDB, which spills to disk beyond it. */
const MEMORY = '1GB';
const THREADS = 2;
const MOST_CACHE_BYTES = 10e9;

/** @param folder of the pipeline; files of the lake are kept there for the next question */
export async function withLakeEngine<T>(
  target: Target,
  folder: string,
  signal: AbortSignal,
  work: (engine: LakeEngine) => Promise<T>,
): Promise<T> {
  const { client, bucket, samplingIntervals } = await lakeOf(target, folder);
  const lake = await Lake.open(new S3ColumnReads(client, bucket), {
    cacheFolder: `${folder}/lake-cache`,
    mostCacheBytes: MOST_CACHE_BYTES,
    ...{ memory: MEMORY, threads: THREADS },
  });
  const tables = lake.tables(signal);
  const stores = lakeInsights(tables, new LakeNotes(new S3Lake(client, bucket), samplingIntervals));
  try {
    return await work({
      respond: async (event) => {
        const { response } = await respond(event, Date.now(), stores, samplingIntervals);
        // As a function's answer comes.
        return JSON.parse(JSON.stringify(response));
      },
      markets: () => coveredMarkets(stores.market),
      coveredUntil: (series) => coveredUntil(tables, series),
    });
  } finally {
    await lake[Symbol.asyncDispose]();
    client.destroy();
  }
}

interface LakeAt {
  client: S3Client;
  bucket: string;
  samplingIntervals: SamplingIntervals;
}

/** On this machine the pipeline's own, otherwise the stage's, with the user's credentials. */
async function lakeOf({ stores, stage }: Target, folder: string): Promise<LakeAt> {
  if (stage === undefined) {
    return {
      client: localS3Client(stores?.s3 ?? ''),
      bucket: BUCKET,
      samplingIntervals: samplingIntervalsIn(folder),
    };
  }
  return {
    client: createS3Client(process.env),
    bucket: await outputOf(stage, 'stateful', 'LakeBucketName'),
    samplingIntervals: await samplingIntervalsOf(stage),
  };
}

/** As the function that answers from OpenSearch has them. */
async function samplingIntervalsOf(stage: string): Promise<SamplingIntervals> {
  const FunctionName = await outputOf(stage, 'stateless', 'InsightsFunctionName');
  const { Environment } = await new LambdaClient({}).send(
    new GetFunctionConfigurationCommand({ FunctionName }),
  );
  return samplingIntervalsVariable.parse(Environment?.Variables?.SAMPLING_INTERVALS);
}
