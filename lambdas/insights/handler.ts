import type { Context } from 'aws-lambda';
import * as z from 'zod';
import type { ReportStore } from '../../charts/report-store.ts';
import { type CoveredMarket, coveredMarkets } from '../../core/insights/covered-markets.ts';
import { type InsightsEvent, type InsightsResponse, respond } from '../../core/insights/respond.ts';
import { InvalidInputError } from '../../core/market/invalid-input.ts';
import { samplingIntervalsVariable } from '../../core/market/sampling.ts';
import type { Slice } from '../../core/operate/operation.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
import { readEnvironment } from '../../core/runtime/environment.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { createOpenSearchOf } from '../../stores/opensearch/client.ts';
import { openSearchVariables } from '../../stores/opensearch/environment.ts';
import { OpenSearchSeries } from '../../stores/opensearch/insights/series.ts';
import { openSearchInsights } from '../../stores/opensearch/insights/stores.ts';
import { OpenSearchSearch } from '../../stores/opensearch/search.ts';
import { type ReportEvent, type ReportOutput, reportEvent, reportSlice } from './report.ts';

const environment = readEnvironment(
  z.object({ ...openSearchVariables, SAMPLING_INTERVALS: samplingIntervalsVariable }),
  process.env,
);
const log = createLogger('insights');
const client = createOpenSearchOf(environment);

export type { InsightsEvent, InsightsResponse };

/** Asks which markets have candles, and until when. */
export interface MarketsEvent {
  operation: 'markets';
}

/** Answers one question, or a slice of all questions of a report. */
export async function handler(event: ReportEvent, context: Context): Promise<Slice<ReportOutput>>;
export async function handler(event: MarketsEvent, context: Context): Promise<CoveredMarket[]>;
export async function handler(event: InsightsEvent, context: Context): Promise<InsightsResponse>;
export async function handler(
  event: InsightsEvent | MarketsEvent | ReportEvent,
  context: Context,
): Promise<InsightsResponse | CoveredMarket[] | Slice<ReportOutput>> {
  log.addContext(context);
  const nowMs = Date.now();
  const endMs = deadlineOf(context.getRemainingTimeInMillis(), nowMs);
  if ('operation' in event && event.operation === 'markets') {
    return coveredMarkets(openSearchInsights(new OpenSearchSearch(client, endMs)).market);
  }
  if ('operation' in event) {
    const asked = reportEvent.safeParse(event);
    if (!asked.success) throw new InvalidInputError(`report: ${z.prettifyError(asked.error)}`);
    const deadlineMs = Math.min(endMs, nowMs + (asked.data.sliceMs ?? Number.POSITIVE_INFINITY));
    return reportSlice(asked.data, reportStore(deadlineMs), () => Date.now() < deadlineMs);
  }
  return answerQuestion(event, nowMs, endMs);
}

async function answerQuestion(
  event: InsightsEvent,
  startedMs: number,
  deadlineMs: number,
): Promise<InsightsResponse> {
  const stores = openSearchInsights(new OpenSearchSearch(client, deadlineMs));
  const { response, question } = await respond(event, startedMs, stores, environment.SAMPLING_INTERVALS);
  if (response.kind === 'answer') log.info('Answered', { question, tookMs: Date.now() - startedMs });
  else if (response.kind === 'noAnswer')
    log.info('There is no answer', { question, reason: response.reason });
  return response;
}

function reportStore(deadlineMs: number): ReportStore {
  const search = new OpenSearchSearch(client, deadlineMs);
  return {
    search: (index, body) => search.search(index, body),
    insights: new OpenSearchSeries(search),
    samplingIntervals: environment.SAMPLING_INTERVALS,
  };
}
