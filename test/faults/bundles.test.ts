import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PollReport } from '../../core/ingest/report.ts';
import { HOUR_MS } from '../../core/market/time.ts';
import type { PagesOutput } from '../../core/operate/backfill/page-through.ts';
import type { Slice } from '../../core/operate/operation.ts';
import { sourceNamed } from '../../exchanges/source-config.ts';
import { stageConfig } from '../../lib/config/stages.ts';
import { addPipeline } from '../../lib/stacks/pipeline.ts';
import { s3Environment } from '../../local/engines/s3-client.ts';
import { startLambda } from '../../local/lambda-host/host.ts';
import { linesOf } from '../integration/lambdas/stores.ts';
import { freshBucket, freshTopic, services } from '../integration/services.ts';
import { SYMBOLS, serveCandles } from '../unit/exchanges/candle-server.ts';
import { ExchangeServer } from '../unit/exchanges/exchange-server.ts';

interface FunctionResource {
  Type: string;
  Properties: { Description?: string; Code: { S3Key: string }; Environment: { Variables: object } };
}

/** A function as `cdk deploy` would upload it. */
interface Bundle {
  handlerFile: string;
  bytes: number;
  /** What the template says in plain text of its environment. */
  environment: Record<string, string>;
}

const folder = mkdtempSync(join(tmpdir(), 'bundles-'));
const server = new ExchangeServer();
let bundles: Map<string, Bundle>;

/** The bundles of a stage with a source through ccxt, by the functions' descriptions. */
function synthesiseBundles(): Map<string, Bundle> {
  const cdk = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));
  const app = new App({
    outdir: folder,
    context: { ...cdk.context, '@aws-cdk/core:validateAgainstDefaultRules': false },
    analyticsReporting: false,
  });
  const source = { ...sourceNamed('ccxt:gate'), samplingIntervalMinutes: 2 };
  addPipeline(app, stageConfig('dev', { sources: [source] }));
  app.synth();
  // Each source has a template of its own.
  const templates = readdirSync(folder).filter((file) => file.endsWith('.template.json'));
  const functions = templates.flatMap((file) => {
    const { Resources } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      Resources: Record<string, FunctionResource>;
    };
    return Object.values(Resources).filter(
      ({ Type, Properties }) => Type === 'AWS::Lambda::Function' && Properties.Description,
    );
  });
  return new Map(
    functions.map(({ Properties: { Description = '', Code, Environment } }) => {
      const handlerFile = join(folder, `asset.${Code.S3Key.replace(/\.zip$/, '')}`, 'index.mjs');
      const plain = Object.entries(Environment?.Variables ?? {}).filter(
        ([, value]) => typeof value === 'string',
      );
      const bytes = statSync(handlerFile, { throwIfNoEntry: false })?.size ?? 0;
      return [Description, { handlerFile, bytes, environment: Object.fromEntries(plain) }];
    }),
  );
}

function host(description: RegExp, environment: Record<string, string>) {
  const [, bundle] = [...bundles].find(([each]) => description.test(each)) ?? [];
  if (!bundle) throw new Error(`There is no function ${description}`);
  return startLambda({
    name: 'bundled',
    handlerFile: bundle.handlerFile,
    // The exchange of these tests is on this machine.
    environment: {
      ...bundle.environment,
      POWERTOOLS_LOG_LEVEL: 'SILENT',
      EXCHANGE_ADDRESSES: 'any',
      ...environment,
    },
    timeoutMs: 30_000,
    logFile: join(folder, 'bundled.log'),
  });
}

beforeAll(async () => {
  await server.start();
  bundles = synthesiseBundles();
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => server.serve({}));

describe('the bundles that are deployed', () => {
  it('fit into a function: ccxt into its own only', () => {
    const sizeOf = (description: RegExp) =>
      [...bundles].find(([each]) => description.test(each))?.[1].bytes ?? Number.NaN;
    // ccxt alone is more than 5 MB.
    expect(sizeOf(/^Runs operators/)).toBeLessThan(2_500_000);
    expect(sizeOf(/^Polls ccxt-gate/)).toBeLessThan(10_000_000);
    expect(sizeOf(/^Fetches hourly candles/)).toBeLessThan(10_000_000);
  });

  it('poll an exchange through ccxt, into the lake and onto the stream', async () => {
    server.serve({
      '/api/v4/spot/currency_pairs': [
        { id: 'BTC_USDT', base: 'BTC', quote: 'USDT', trade_status: 'tradable' },
      ],
      '/api/v4/margin/currency_pairs': [],
      '/api/v4/spot/tickers': [{ currency_pair: 'BTC_USDT', last: '60000.5', change_percentage: '-1.23' }],
    });
    const [bucket, topic] = await Promise.all([freshBucket(), freshTopic(1)]);
    const ingest = host(/^Polls ccxt-gate/, {
      TICKER_API_URL: server.url,
      LAKE_BUCKET: bucket,
      KAFKA_BROKERS: services.kafka,
      KAFKA_TOPIC: topic,
      ...s3Environment(services.s3),
    });
    try {
      const slot = new Date(Math.floor(Date.now() / 120_000) * 120_000).toISOString();
      const report = (await ingest.invoke({ slot })) as PollReport;
      expect(report).toMatchObject({ exchange: 'gate', produced: 1 });
      const [line, ...others] = await linesOf(bucket, 'tickers/');
      expect(others).toEqual([]);
      expect(JSON.parse(line ?? '')).toMatchObject({
        exchange: 'gate',
        category: 'spot',
        symbol: 'BTC_USDT',
        base: 'BTC',
        quote: 'USDT',
        last_price: 60000.5,
        price_24h_pcnt: -0.0123,
      });
    } finally {
      await ingest.close();
    }
  });

  it('fetch candles through ccxt into the lake', async () => {
    const firstMs = Date.UTC(2024, 0, 1);
    const candles = [0, 1, 2].map((hour) => ({
      startMs: firstMs + hour * HOUR_MS,
      open: 10,
      high: 12,
      low: 9,
      close: 11 + hour / 10,
    }));
    serveCandles(server, { candles });
    const bucket = await freshBucket();
    const fetcher = host(/^Fetches hourly candles/, {
      LAKE_BUCKET: bucket,
      ...s3Environment(services.s3),
    });
    try {
      const slice = (await fetcher.invoke({
        input: {
          exchange: 'gate',
          category: 'spot',
          symbols: [SYMBOLS.gate],
          from: new Date(firstMs).toISOString(),
          to: new Date(firstMs + 2 * HOUR_MS).toISOString(),
          baseUrl: server.url,
        },
      })) as Slice<PagesOutput>;
      expect(slice).not.toHaveProperty('cursor');
      const folder = 'candles/exchange=gate/category=spot/symbol=BTC_USDT/base=BTC/quote=USDT/hours=1/';
      const key = `${folder}${firstMs}-${firstMs + HOUR_MS}.rows.ndjson.gz`;
      expect(slice.output).toEqual({ objects: [key], hours: 2, notes: [] });
      const rows = (await linesOf(bucket, 'candles/')).map((line) => JSON.parse(line));
      expect(rows).toEqual([
        [firstMs, 10, 12, 9, 11, 1],
        [firstMs + HOUR_MS, 10, 12, 9, 11.1, 1],
      ]);
    } finally {
      await fetcher.close();
    }
  });
});
