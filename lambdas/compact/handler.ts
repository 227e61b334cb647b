import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { candleMonths } from '../../core/columns/candle-months.ts';
import {
  type CompactOutput,
  type CompactServices,
  compact,
  compactAsScheduled,
} from '../../core/columns/compact.ts';
import { moveMonths } from '../../core/columns/move-months.ts';
import { tickerDays } from '../../core/columns/ticker-days.ts';
import {
  type VerifyColumnsOutput,
  type VerifyColumnsServices,
  verifyColumns,
} from '../../core/columns/verify-columns.ts';
import { OperationInputError, type Slice } from '../../core/operate/operation.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
import { readEnvironment } from '../../core/runtime/environment.ts';
import { summarySettings, summaryVariables } from '../../core/summarise/settings.ts';
import { candleFormats } from '../../exchanges/candle-formats.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { createMetrics, metricsVariables } from '../../stores/aws/metrics.ts';
import { compareFile } from '../../stores/duckdb/file-comparison.ts';
import { writeCandleMonth, writeMoveMonth } from '../../stores/duckdb/month-files.ts';
import { writeTickerFile } from '../../stores/duckdb/ticker-file.ts';
import { createS3Client, FILE_REQUESTS } from '../../stores/s3/client.ts';
import { S3Columns } from '../../stores/s3/columns.ts';
import { timeOf } from '../event-time.ts';

const environment = readEnvironment(
  z.object({
    ...metricsVariables,
    LAKE_BUCKET: z.string().min(1),
    ...summaryVariables,
  }),
  process.env,
);
const log = createLogger('compact');
const store = new S3Columns(createS3Client(process.env, FILE_REQUESTS), environment.LAKE_BUCKET);
const { thresholds, samplingIntervals } = summarySettings(environment);
const tickers = tickerDays(store, (...given) => writeTickerFile(store, ...given));
const candles = candleMonths({
  store,
  exchangeCandles: candleFormats,
  samplingIntervals,
  write: (...given) => writeCandleMonth(store, ...given),
});
const moves = moveMonths({ store, thresholds, write: (...given) => writeMoveMonth(store, ...given) });
const services: CompactServices & VerifyColumnsServices = {
  store,
  // Moves twice: the ends of moves become known in later months.
  makers: [tickers, candles, moves, { ...moves, isAgain: true }],
  compare: (...given) => compareFile(store, ...given),
  log,
  emit: createMetrics(environment.STAGE),
  now: Date.now,
};

/**
 * No file is begun later than this before the end: a day of a million tickers takes a minute or two,
 * a month of its candles two or three.
 */
const LAST_FILE_MS = 240_000;

const commandEvent = z.object({
  operation: z.enum([compact.name, verifyColumns.name]),
  input: z.unknown(),
  sliceMs: z.number().positive(),
  cursor: z.unknown().optional(),
});

/**
 * Makes the Parquet files that are due. The schedule's event is `{}`, or `{now}` with the pipeline's time. A command sends
 * an event for each of its slices, with the cursor of the last answer.
 * @throws OperationInputError
 */
export async function handler(
  event: unknown,
  context: Context,
): Promise<CompactOutput | Slice<CompactOutput | VerifyColumnsOutput>> {
  log.addContext(context);
  const startedMs = Date.now();
  const remainingMs = context.getRemainingTimeInMillis();
  const deadlineMs = deadlineOf(remainingMs, startedMs, LAST_FILE_MS);
  if (!isCommand(event)) {
    const times = { deadlineMs, endMs: deadlineOf(remainingMs, startedMs) };
    const output = await compactAsScheduled(timeOf(event), services, times);
    log.info('Compacted', { output });
    return output;
  }
  const { operation, input, sliceMs, cursor } = commandEvent.parse(event);
  const budget = { deadlineMs: Math.min(deadlineMs, startedMs + sliceMs) };
  return operation === compact.name
    ? compact.slice(checked(compact, input), cursor, services, budget)
    : verifyColumns.slice(checked(verifyColumns, input), cursor, services, budget);
}

function isCommand(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'operation' in event;
}

function checked<Input>({ name, input }: { name: string; input: z.ZodType<Input> }, given: unknown): Input {
  const { success, data, error } = input.safeParse(given);
  if (success) return data;
  throw new OperationInputError(`${name}: ${z.prettifyError(error)}`);
}
