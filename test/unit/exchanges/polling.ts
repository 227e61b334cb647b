import { afterEach, beforeEach } from 'vitest';
import type { CategoryOutcome, TickerSource } from '../../../core/ingest/ports.ts';
import type { Ticker } from '../../../core/market/ticker.ts';
import type { Traffic } from '../../../exchanges/http/get.ts';
import { createSource } from '../../../exchanges/http/ticker-source.ts';
import { type SourceConfig, sourceNamed } from '../../../exchanges/source-config.ts';
import { SLOT } from '../../samples/tickers.ts';
import { ExchangeServer, type ServedAnswer } from './exchange-server.ts';

export let server: ExchangeServer;
/** What the source reported of its requests. */
export let traffic: Traffic[];

/** Starts a new server for each test of the file. */
export function serveEachTest(): void {
  beforeEach(async () => {
    server = new ExchangeServer();
    traffic = [];
    await server.start();
  });
  afterEach(() => server.stop());
}

export const answer = (path: string, ...answers: ServedAnswer[]) => server.answers.set(path, answers);

/** A source that polls the server. */
export const source = (name: string, given: Partial<SourceConfig> = {}) =>
  createSource(
    { ...sourceNamed(name), ...given },
    { baseUrl: server.url, onTraffic: (each) => traffic.push(each) },
  );

export const fetchAll = (from: TickerSource, deadlineMs = Date.now() + 5_000, categories = from.categories) =>
  from.fetch(categories, { slot: SLOT, deadlineMs });

export async function fetchOne(from: TickerSource, deadlineMs?: number): Promise<CategoryOutcome> {
  const [outcome] = await fetchAll(from, deadlineMs, from.categories.slice(0, 1));
  if (!outcome) throw new Error('no outcome');
  return outcome;
}

export function tickersOf(outcome: CategoryOutcome | undefined): Ticker[] {
  if (outcome && 'error' in outcome) throw outcome.error;
  return outcome?.batch.tickers ?? [];
}

export const errorOf = (outcome: CategoryOutcome | undefined) =>
  outcome && 'error' in outcome ? outcome.error : undefined;
