import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COLUMN_TABLES } from '../../../../core/columns/tables.ts';
import type { InsightStores } from '../../../../core/insights/ports.ts';
import {
  type Answers,
  answer,
  type QuestionInput,
  questionSchema,
} from '../../../../core/insights/question.ts';
import { lakeInsights } from '../../../../stores/duckdb/insights/stores.ts';
import { Lake } from '../../../../stores/duckdb/lake.ts';
import { putColumnFiles } from '../../../samples/column-files.ts';
import {
  inMemoryStore,
  NOW,
  RANKINGS,
  recordedWeeks,
  SERIES_QUESTIONS,
  SYMBOLS,
} from '../../../samples/recorded-weeks.ts';

import { InMemoryLake } from './lake-in-memory.ts';

const NO_NOTES = { listings: async () => [], exchangeDown: async () => new Set<number>() };
const cacheFolder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-lake-'));
let lake: Lake;
let fromLake: InsightStores;
let memory: InsightStores;

beforeAll(async () => {
  const recorded = await recordedWeeks();
  const objects = new InMemoryLake();
  await putColumnFiles(objects, recorded);
  lake = await Lake.open(objects, { cacheFolder, mostCacheBytes: 1e9, memory: '512MB', threads: 1 });
  fromLake = lakeInsights(lake.tables(new AbortController().signal), NO_NOTES);
  memory = inMemoryStore(recorded).asStores();
});
afterAll(async () => {
  await lake[Symbol.asyncDispose]();
  rmSync(cacheFolder, { recursive: true, force: true });
});

const ask = (question: QuestionInput, stores: InsightStores) =>
  answer(questionSchema.parse(question), Date.parse(NOW), stores, { 'recorded:spot': 900_000 });

/** Equal except for the last digits, because sums are added up in another order. */
function expectClose(actual: unknown, expected: unknown): void {
  const rounded = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, inner) =>
      typeof inner === 'number' ? Number(inner.toPrecision(10)) : inner,
    );
  expect(rounded(actual)).toEqual(rounded(expected));
}

describe("the lake's answers", () => {
  it.each(SERIES_QUESTIONS)('are for %j as from everything in memory', async (question) => {
    const found = await ask(question, fromLake);
    expectClose(found, { ...(await ask(question, memory)) });
  });

  it.each(RANKINGS)('are for %j as from everything in memory', async (question) => {
    const found = (await ask(question, fromLake)) as Answers['volatile'];
    expectClose(
      { ...found, series: found.series.map((one) => ({ ...one, moves: [] })) },
      await ask(question, memory),
    );
  });

  it('list every series', async () => {
    expectClose(await ask({ question: 'series' }, fromLake), await ask({ question: 'series' }, memory));
  });

  it('can be computed with the SQL of the documentation', async () => {
    const page = readFileSync(new URL('../../../../docs/definitions.md', import.meta.url), 'utf8');
    const [, sql = ''] = /```sql\n(.+?)```/s.exec(page) ?? [];
    const here = sql
      .replace("'bybit'", "'recorded'")
      .replace("'linear'", "'spot'")
      .replace("'BTCUSDT'", "'BTCUSD'")
      .replaceAll('2026-', '2018-')
      // All of its hours are summarised.
      .replace('2018-04-01', '2018-03-01')
      .replaceAll('now()', `TIMESTAMPTZ '${NOW}'`);
    const { signal } = new AbortController();
    await lake.view(await lake.plan({ tables: COLUMN_TABLES, exchange: 'recorded' }, signal), signal);
    const answers = [];
    for (const query of here.split(';').filter((each) => each.trim() !== '')) {
      answers.push(await lake.database.rows<Record<string, unknown>>(query));
    }
    const [[average] = [], [mostVolatile] = [], moves, percentiles, turnovers] = answers;
    const window = { from: '2018-01-01', to: '2018-03-01' };
    const { mean, min, max, hours } = (await ask(
      { question: 'average', symbol: 'recorded:spot:BTCUSD', ...window },
      fromLake,
    )) as Answers['average'];
    expectClose(Object.values(average ?? {}).map(Number), [mean, min, max, hours]);
    const ranking = (await ask(
      { question: 'volatile', exchange: 'recorded' },
      fromLake,
    )) as Answers['volatile'];
    expect(`recorded:spot:${mostVolatile?.symbol}`).toBe(ranking.series[0]?.series);
    expect(moves?.length).toBeGreaterThan(2);
    expect(percentiles?.length).toBeGreaterThanOrEqual(SYMBOLS.length);
    expect(turnovers?.length).toBeGreaterThanOrEqual(SYMBOLS.length);
  });
});
