import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Answers, answer, type QuestionInput, questionSchema } from '../../core/insights/question.ts';
import { PERIODS } from '../../core/insights/statistics/period-returns.ts';
import { candleFromHistory, withLogReturn } from '../../core/market/candle.ts';
import { formatSeries } from '../../core/market/series.ts';
import { readHistory } from '../../local/history-files/read-history.ts';
import { pythonTool } from '../python/python-tool.ts';
import { InMemoryStore } from '../unit/core/insights/in-memory-store.ts';
import { DAILY_HISTORY, HOURLY_HISTORY } from '../unit/local/market-replay/bundled-history.ts';

const MOST_RELATIVE_ERROR = 1e-9;

const [hourly, daily] = [
  { file: HOURLY_HISTORY, hours: 1 as const, exchange: 'recorded', horizons: [1, 4, 24, 168] },
  { file: DAILY_HISTORY, hours: 24 as const, exchange: 'archive', horizons: [24, 168] },
];
const settings = { thresholds: [0.01, 0.025, 0.05, 0.1], percents: [1, 5, 50, 95, 99] };

/** Whole histories, gaps (ADA, ETH), windows that begin and end within a day, a week and a month. */
const CASES = [
  { ...hourly, ...settings, symbol: 'BTCUSD', from: '2018-01-01T00:00Z', to: '2018-07-28T09:00Z' },
  { ...hourly, ...settings, symbol: 'ADAUSD', from: '2018-03-06T05:00Z', to: '2018-06-20T13:00Z' },
  { ...hourly, ...settings, symbol: 'XRPUSD', from: '2018-02-11T17:00Z', to: '2018-02-20T02:00Z' },
  { ...daily, ...settings, symbol: 'BTCUSD', from: '2018-06-15T00:00Z', to: '2022-01-01T00:00Z' },
  { ...daily, ...settings, symbol: 'ETHUSD', from: '2018-11-21T00:00Z', to: '2020-02-12T00:00Z' },
];
const TOGETHER = [
  { ...hourly, symbols: ['BTCUSD', 'ETHUSD', 'ADAUSD'], from: '2018-02-03T07:00Z', to: '2018-07-02T15:00Z' },
  { ...daily, symbols: ['ETHUSD', 'XRPUSD', 'BTCUSD'], from: '2018-01-01T00:00Z', to: '2022-01-01T00:00Z' },
];

let store: InMemoryStore;
let verdicts: Record<string, unknown>[];

beforeAll(async () => {
  const histories = [hourly, daily].map(async ({ file, hours, exchange }) =>
    (await readHistory(file)).map((row) =>
      candleFromHistory({ exchange, category: 'spot', symbol: row.symbol }, row, hours),
    ),
  );
  const bySeries = Map.groupBy((await Promise.all(histories)).flat(), formatSeries);
  store = new InMemoryStore(
    [...bySeries.values()].flatMap((of) => of.map((candle, index) => withLogReturn(candle, of[index - 1]))),
  );
  verdicts = await referees([...CASES, ...TOGETHER]);
}, 600_000);

async function referees(cases: object[]): Promise<Record<string, unknown>[]> {
  const bin = await pythonTool('empyrical-reloaded');
  const script = fileURLToPath(new URL('referees.py', import.meta.url));
  const python = spawn(`${bin}/python`, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
  python.stdin.end(JSON.stringify(cases));
  const [output, errors] = await Promise.all([text(python.stdout), text(python.stderr)]);
  if (output === '') throw new Error(`referees.py failed: ${errors}`);
  return JSON.parse(output);
}

const ask = async <Q extends keyof Answers>(input: QuestionInput & { question: Q }): Promise<Answers[Q]> =>
  (await answer(questionSchema.parse(input), 0, store.asStores(), {})) as Answers[Q];

/** Every value that the referees give is ours: texts and whole numbers exactly, other numbers to 1e-9. */
function expectVerdict(ours: unknown, verdict: unknown, place = ''): void {
  if (typeof verdict === 'number' && typeof ours === 'number') {
    if (Number.isInteger(verdict) && Number.isInteger(ours)) expect(ours, place).toBe(verdict);
    else {
      const error = Math.abs(ours - verdict) / Math.max(Math.abs(verdict), 1e-3);
      expect(error, `${place}: ${ours}, the referees say ${verdict}`).toBeLessThan(MOST_RELATIVE_ERROR);
    }
  } else if (typeof verdict === 'object' && verdict !== null) {
    expect(Array.isArray(verdict) && (ours as unknown[])?.length, place).toBe(
      Array.isArray(verdict) && verdict.length,
    );
    for (const [name, value] of Object.entries(verdict)) {
      expectVerdict((ours as Record<string, unknown> | undefined)?.[name], value, `${place}.${name}`);
    }
  } else expect(ours, place).toEqual(verdict);
}

describe.each(CASES.map((each, index) => ({ ...each, index })))(
  'pandas, numpy, scipy and empyrical agree about $exchange $symbol from $from',
  ({ index, exchange, symbol, from, to, thresholds, horizons, percents }) => {
    const about = { exchange, symbol, from, to };
    const verdictOn = (name: string) => verdicts[index]?.[name];

    it('on what it cost', async () => {
      expectVerdict(await ask({ question: 'average', ...about }), verdictOn('average'));
    });

    it('on how it moved', async () => {
      const durations = horizons.map((hours) => `${hours}h`);
      const ours = await ask({ question: 'moves', ...about, thresholds, horizons: durations });
      expectVerdict(ours, verdictOn('moves'));
    });

    it('on how volatile it was', async () => {
      const { series } = await ask({ question: 'volatile', exchange, from, to, minCoverage: 0 });
      const ours = series.find((each) => each.series === `${exchange}:spot:${symbol}`);
      expectVerdict(ours, verdictOn('volatility'));
    });

    it('on how far it fell', async () => {
      expectVerdict(await ask({ question: 'drawdown', ...about }), verdictOn('drawdown'));
    });

    it.each(PERIODS)('on its return of each %s', async (by) => {
      const verdict = (verdictOn('returns') as Record<string, unknown>)[by];
      expectVerdict(await ask({ question: 'returns', ...about, by }), verdict);
    });

    it('on the percentiles of its 24 h changes', async () => {
      const { series } = await ask({ question: 'percentiles', ...about, percents, fromCandles: true });
      expectVerdict(series[0], verdictOn('percentiles'));
    });
  },
);

it.each(TOGETHER.map((each, index) => ({ ...each, index })))(
  'pandas and scipy agree about how $symbols move together',
  async ({ index, exchange, symbols, from, to }) => {
    const ours = await ask({ question: 'correlate', exchange, symbols, from, to });
    expectVerdict(ours, verdicts[CASES.length + index]?.correlate);
  },
);
