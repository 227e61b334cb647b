import type { AbsentMarket, CategoryOutcome } from '../../core/ingest/ports.ts';
import {
  RateLimitedError,
  RegionBlockedError,
  type SourceError,
  SourceUnavailableError,
  WrongPayloadError,
} from '../../core/ingest/source-errors.ts';
import type { Ticker } from '../../core/market/ticker.ts';
import { tradeOfTick } from '../../core/market/turnover.ts';
import { formatCount, formatPercent, formatPrice, formatTime } from '../../core/text/format.ts';
import { textTable } from '../../core/text/text-table.ts';
import type { Pace } from '../../exchanges/exchange.ts';
import type { Traffic } from '../../exchanges/http/get.ts';
import { type SourceConfig, sourceConfigSchema } from '../../exchanges/source-config.ts';
import { createCommand, perform } from '../command.ts';
import { openSource } from '../open-source.ts';
import { wholeNumber } from '../options.ts';
import { note, print } from '../print.ts';
import { type NamedSource, namedSource, SOURCE_NAMES } from '../source-option.ts';

interface ProbeFlags {
  include?: string[];
  exclude?: string[];
  quote?: string[];
  sample: number;
  timeout: number;
  json?: boolean;
}

type ProbeReport = Awaited<ReturnType<typeof probe>>;
type CategoryReport = ReturnType<typeof categoryReport>;

/** Reasons shown for each category. */
const REASONS = 10;

const help = `Exit codes: 0 every category has tickers, 1 one has none, or the source could not be polled.

Examples:
  npm run probe -- kraken
  npm run probe -- binance:spot --quote USDT --include 'BTC*'
  npm run probe -- okx=http://127.0.0.1:8080 --json
  npm run probe -- ccxt:gate:spot,linear`;

const description =
  'Polls a source once and stores nothing. Says whether it is fine, limited or region-blocked from here, and how many markets are live, ended or rejected. Shows a sample, the reasons, the requests, and how much of the rate limit they used.';

export const command = createCommand('probe', description, { help, failureCode: 1 })
  .argument(
    '<source[:categories][=URL]>',
    `${SOURCE_NAMES}; URL: a server that speaks the exchange's API`,
    namedSource,
  )
  .option('--include <patterns...>', 'only these symbols; * matches any characters')
  .option('--exclude <patterns...>', 'not these symbols')
  .option('--quote <currencies...>', 'only markets with these quote currencies')
  .option('--sample <n>', 'tickers to show for each category', wholeNumber(0), 5)
  .option('--timeout <s>', 'give up after this many seconds', wholeNumber(1), 60)
  .option('--json', 'print the result as one JSON object')
  .action(
    perform(async (_signal, named: NamedSource, flags: ProbeFlags) => {
      const { include, exclude, quote, json } = flags;
      const config = sourceConfigSchema.parse({
        ...named.config,
        ...(include || exclude ? { symbols: { include, exclude } } : {}),
        ...(quote ? { quote } : {}),
      });
      const report = await probe(config, named.url, flags);
      print(json ? JSON.stringify(report) : describe(report));
      return report.categories.every(({ verdict }) => verdict === 'fine') ? 0 : 1;
    }, 1),
  );

async function probe(config: SourceConfig, url: string | undefined, { sample, timeout }: ProbeFlags) {
  const traffic: Traffic[] = [];
  const said = new Set<string>();
  const source = await openSource(config, {
    baseUrl: url,
    onTraffic: (each) => traffic.push(each),
    onRetry: ({ error }) => {
      const { message } = error as Error;
      if (!said.has(message)) note(`… ${message}; trying again`);
      said.add(message);
    },
  });
  const startedMs = Date.now();
  const slot = new Date(startedMs).toISOString();
  const outcomes = await source.fetch(source.categories, { slot, deadlineMs: startedMs + timeout * 1_000 });
  const byStatus = Map.groupBy(traffic, ({ status }) => String(status ?? 'none'));
  return {
    source: config,
    url,
    slot,
    tookMs: Date.now() - startedMs,
    categories: outcomes.map((outcome) => categoryReport(outcome, sample)),
    requests: {
      count: traffic.length,
      byStatus: Object.fromEntries([...byStatus].map(([status, { length }]) => [status, length])),
      /** The last rate-limit headers. */
      limits: Object.assign({}, ...traffic.map(({ limits }) => limits)) as Record<string, string>,
      pace: source.pace,
    },
  };
}

/** The first thing to know: whether this machine's address and region can poll the exchange. */
type Verdict = 'fine' | 'limited' | 'region-blocked' | 'unavailable' | 'refused' | 'unreadable' | 'empty';

function verdictOn(error: SourceError): Verdict {
  if (error instanceof RateLimitedError) return 'limited';
  if (error instanceof RegionBlockedError) return 'region-blocked';
  if (error instanceof SourceUnavailableError) return 'unavailable';
  return error instanceof WrongPayloadError ? 'unreadable' : 'refused';
}

function categoryReport(outcome: CategoryOutcome, sample: number) {
  const { category } = outcome;
  const none = { tickers: 0, ended: 0, untraded: 0, rejected: 0, sample: [], absent: [], reasons: [] };
  if ('error' in outcome) {
    const { error } = outcome;
    const retryAt = error.retryAtMs === undefined ? undefined : new Date(error.retryAtMs).toISOString();
    return {
      category,
      verdict: verdictOn(error),
      ...none,
      expected: undefined,
      error: error.message,
      retryAt,
    };
  }
  const { tickers, rejected, expected, absent = [], warning } = outcome.batch;
  const count = (...kinds: AbsentMarket['kind'][]) =>
    absent.filter(({ kind }) => kinds.includes(kind)).length;
  const verdict: Verdict = tickers.length > 0 ? 'fine' : 'empty';
  return {
    category,
    verdict,
    tickers: tickers.length,
    ended: count('ended', 'stale'),
    untraded: count('untraded'),
    rejected: rejected.length,
    expected,
    error: undefined,
    warning,
    sample: tickers.slice(0, sample),
    absent: grouped(absent, ({ reason }) => reason.replace(/ of \d{4}-.*/, ' of more than a day ago')).map(
      ({ reason, count, first }) => ({ reason, count, symbol: first?.symbol }),
    ),
    reasons: grouped(rejected, ({ reason }) => reason).map(({ reason, count, first }) => ({
      ...{ reason, count },
      value: first?.value,
    })),
  };
}

/** The most frequent reasons first. */
function grouped<T>(list: readonly T[], reasonOf: (one: T) => string) {
  return [...Map.groupBy(list, reasonOf)]
    .map(([reason, each]) => ({ reason, count: each.length, first: each[0] }))
    .sort((a, b) => b.count - a.count)
    .slice(0, REASONS);
}

function describe({ source, url, slot, tookMs, categories, requests }: ProbeReport): string {
  const verdicts = [...new Set(categories.map(({ verdict }) => verdict))].join(', ');
  const title = `${source.name} (${source.api}${url ? ` at ${url}` : ''}) from here: ${verdicts}. Polled at ${formatTime(slot)} in ${(tookMs / 1_000).toFixed(1)} s`;
  const statuses = Object.entries(requests.byStatus).map(
    ([status, count]) => `${count} × ${status === 'none' ? 'no answer' : status}`,
  );
  const limits = Object.entries(requests.limits).map(([name, value]) => `  ${name}: ${value}`);
  return [
    title,
    ...categories.map(describeCategory),
    `Requests: ${formatCount(requests.count)} (${statuses.join(', ')})`,
    limits.length > 0
      ? `Rate limits, from the exchange's last response:\n${limits.join('\n')}`
      : 'The exchange does not report its rate limits.',
    paceText(requests.pace),
    'Nothing was stored.',
  ].join('\n\n');
}

function paceText(pace: Pace | undefined): string {
  if (!pace) return 'Pace: unknown.';
  const { concurrency, perSecond } = pace;
  const atOnce =
    concurrency === 1 ? 'one request after the other' : `at most ${concurrency} requests at once`;
  if (!perSecond) return `Pace: ${atOnce}.`;
  const { requests } = perSecond;
  const rate =
    requests < 1
      ? `one in ${formatCount(Math.round(1_000 / requests))} ms`
      : `${formatCount(Math.round(requests * 10) / 10)} a second`;
  return `Pace: ${atOnce}, ${rate} on average.`;
}

function describeCategory(report: CategoryReport): string {
  const { category, verdict, expected, error, sample, reasons, absent } = report;
  if (error !== undefined) {
    if (verdict === 'limited')
      return `✖ ${category}: limited until ${formatTime(report.retryAt ?? '')}: ${error}`;
    return `✖ ${category}: ${verdict === 'region-blocked' ? 'region-blocked: ' : ''}${error}`;
  }
  const ofExpected = expected === undefined ? '' : ` of ${formatCount(expected)}`;
  const counts = [
    `${formatCount(report.tickers)}${ofExpected} tickers live`,
    `${formatCount(report.ended)} ended`,
    ...(report.untraded > 0 ? [`${formatCount(report.untraded)} not traded yet`] : []),
    `${formatCount(report.rejected)} rejected`,
  ];
  return [
    `${verdict === 'fine' ? '✔' : '✖'} ${category}: ${verdict}: ${counts.join(', ')}`,
    ...(report.warning === undefined ? [] : [`  ! ${report.warning}`]),
    ...(sample.length > 0 ? [sampleTable(sample)] : []),
    ...absent.map(
      ({ reason, count, symbol }) => `  not live ${formatCount(count)} ×: ${reason}, e.g. ${symbol}`,
    ),
    ...reasons.map(
      ({ reason, count, value }) =>
        `  rejected ${formatCount(count)} ×: ${reason}\n    e.g. ${JSON.stringify(value).slice(0, 160)}`,
    ),
  ].join('\n');
}

function sampleTable(sample: readonly Ticker[]): string {
  const price = (value: number | undefined) => (value === undefined ? '–' : formatPrice(value));
  return textTable(
    ['symbol', 'base/quote', 'last', '24 h', 'bid', 'ask', 'turnover 24 h', 'at'],
    sample.map((ticker) => [
      ticker.symbol,
      `${ticker.base ?? '?'}/${ticker.quote ?? '?'}`,
      formatPrice(ticker.last_price),
      ticker.price_24h_pcnt === undefined ? '–' : formatPercent(ticker.price_24h_pcnt),
      price(ticker.bid_price),
      price(ticker.ask_price),
      turnoverText(ticker),
      formatTime(ticker.timestamp),
    ]),
  );
}

/** In the quote currency, whatever unit the exchange counts in. */
function turnoverText(ticker: Ticker): string {
  const { turnover } = tradeOfTick(ticker);
  return turnover === undefined ? '–' : `${formatPrice(turnover)} ${ticker.quote ?? '?'}`;
}
