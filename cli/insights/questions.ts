import { InvalidArgumentError, Option } from 'commander';
import {
  DEFAULT_HORIZONS,
  DEFAULT_OVER,
  DEFAULT_PERCENTS,
  DEFAULT_RETURNS_OVER,
  DEFAULT_THRESHOLDS,
  DEFAULT_TOP,
  type Question,
} from '../../core/insights/question.ts';
import { parseHorizon } from '../../core/insights/statistics/horizons.ts';
import { PERIODS } from '../../core/insights/statistics/period-returns.ts';
import { commaList, duration, instant, parsed, wholeNumber } from '../options.ts';

/** A question as the command line asks it. */
interface QuestionDefinition {
  description: string;
  /** `<symbol>`, `[symbol]` or `<symbols...>` */
  argument?: string;
  options: Option[];
  examples: string[];
  /** For --help: what the JSON contains. */
  fields: string;
}

/** A list of numbers, separated by commas. */
function numbers(expected: string, isValid: (value: number) => boolean, scale = '') {
  return (text: string): number[] =>
    text.split(',').map((part) => {
      // The scale is part of the decimal text: 7 / 100 is not the number nearest to 7 %, 7e-2 is.
      const value = /^\d+(\.\d+)?$/.test(part.trim()) ? Number(`${part.trim()}${scale}`) : Number.NaN;
      if (!isValid(value)) throw new InvalidArgumentError(`expected ${expected}.`);
      return value;
    });
}

const TRUST_FIELDS = `  returns         log returns between adjacent hours or days
  longestGapHours longest run of hours without data
  staleHours      hours whose only price is the close before them
  sources         {ticks, hourly, daily}: the share of the hours with data that comes from ticks, hourly or daily candles
  samplingIntervalSeconds  longest time between two known prices; what reverses in between is not seen
  samplingIntervalSecondsBySource  the same for each source: {ticks, hourly, daily}, without those that are absent
  withoutData     only if coverage is below 1: {hours, notListed, exchangeDown, missing, beforeFirstPoll, afterLastPoll},
                  how many hours have no data, and why`;

const RANKING_FIELDS = `  minCoverage     the least coverage in the ranking; 0 if no series has data for 80 % of the window
  includeEnded    whether markets that ended before the window's end are ranked
  leftOut         {ended, coverage, turnover}: how many series the ranking leaves out, and why
Turnover is that of the window's last 24 hours, from the newest tick, otherwise from candles, converted to US dollars by
the prices of its hour (USD, USDT and USDC count as 1); a series without a path to dollars has none.`;

const threshold = new Option('--threshold <percents>', 'sizes of moves in %')
  .argParser(numbers('percentages above 0 such as 1,5,10', (value) => value > 0, 'e-2'))
  .default(DEFAULT_THRESHOLDS, DEFAULT_THRESHOLDS.map((each) => each * 100).join(','));
const percents = new Option('--percents <list>', 'which percentiles')
  .argParser(numbers('numbers from 0 to 100 such as 5,50,95', (value) => value >= 0 && value <= 100))
  .default(DEFAULT_PERCENTS, DEFAULT_PERCENTS.join(','));
const top = new Option('--top <n>', 'how many series').argParser(wholeNumber(1)).default(DEFAULT_TOP);

const ranking = [
  top,
  new Option('--include-ended', 'also rank markets that ended before the end of the window'),
  new Option(
    '--min-coverage <fraction>',
    'leave out series with data for less of the window (default: 0.8, or 0 if no series has that much)',
  ).argParser((text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= 0 && value <= 1))
      throw new InvalidArgumentError('expected a fraction from 0 to 1, such as 0.8.');
    return value;
  }),
  new Option(
    '--min-turnover <usd>',
    'leave out series with less turnover, in US dollars, in the last 24 h of the window',
  ).argParser((text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) {
      throw new InvalidArgumentError('expected an amount in US dollars, such as 1000000.');
    }
    return value;
  }),
];

const horizon = () =>
  new Option('--horizon <durations>', 'also count returns after these times, e.g. 1h,4h,24h,7d').argParser(
    (text: string) => commaList(text).map((each) => parsed(each, parseHorizon).text),
  );
const by = new Option('--by <period>', 'which calendar periods').choices(PERIODS).default('month');
const fromCandles = new Option(
  '--from-candles',
  'of the changes between closes 24 h apart, which outlive the ticks; needs a symbol',
);

const windowOptions = (question: keyof typeof DEFAULT_OVER) => windowOptionsOf(DEFAULT_OVER[question]);

const windowOptionsOf = (byDefault: string) => [
  new Option(
    '--over <duration>',
    `length of the window: 30m, 24h, 90d, 2w, 1y … (default: ${byDefault})`,
  ).argParser(duration),
  new Option('--from <time>', 'start of the window, UTC').argParser(instant),
  new Option('--to <time>', 'end of the window (exclusive), UTC').argParser(instant),
  new Option('--at <time>', 'as of this time instead of now, UTC').argParser(instant),
];

const ESTIMATE_FIELDS = `  parkinson, garmanKlass, yangZhang  from high and low, whole candles, and the jumps between them; annualised
  realised        √(Σ r² ÷ the hours they cover × 8766)            downside  the same of the negative returns
  ewma            of daily returns, λ = 0.94                       atrFraction  mean true range of a day ÷ last close`;

export const QUESTIONS: Readonly<Record<Question['question'], QuestionDefinition>> = {
  average: {
    description: 'The average price over a window, and its range.',
    argument: '<symbol>',
    options: windowOptions('average'),
    examples: [
      'average BTCUSD --over 90d',
      'average BTCUSD --from 2018-01-01 --to 2018-07-01 --json',
      'average BTCUSD --exchange archive --at 2022-01-01 --over 2y',
    ],
    fields: `{series, quote, from, to, mean, min, max, first, last, change, hours, expectedHours, coverage, priceQuantiles,
shareBelowLast, vwap: {price, volumeCoverage} or null, dca: {hourly, daily, weekly}, returns, longestGapHours,
staleHours, sources, samplingIntervalSeconds, samplingIntervalSecondsBySource}
  from, to        the window that was answered, ISO 8601; [from, to)
  mean            time-weighted average price: every hour with data counts once (a daily candle 24 times)
  min, max        lowest and highest price          first, last  first open and last close
  change          last / first - 1, a fraction      hours        hours with data, out of expectedHours
  coverage        part of the window with data, 0 to 1
  priceQuantiles  {"5", "25", "50", "75", "95"}: of the hourly means, weighted by hours
  shareBelowLast  part of the hours whose mean is below last
  vwap            weighted by volume, and the share of hours with a known volume; null if none has one
  dca             what one unit cost if the same amount was spent every hour, UTC day, or week from Monday
${TRUST_FIELDS}
Windows of up to 48 h for which only ticks exist are answered from the ticks (exact edges, mean of the samples,
coverage = polls seen / polls due). Others are widened to whole hours. Prices are in \`quote\`, which is left out if it
is not known.`,
  },
  moves: {
    description: 'How often and how far the price rose and fell.',
    argument: '<symbol>',
    options: [...windowOptions('moves'), threshold, horizon()],
    examples: [
      'moves BTCUSD --threshold 1,5,10 --over 90d',
      'moves BTCUSD --horizon 1h,4h,24h,7d --over 1y',
      'moves BTCUSD --threshold 2.5 --from 2018-01-01 --to 2018-07-01 --json',
    ],
    fields: `{series, quote, from, to, coverage, returns, longestGapHours, staleHours, sources, samplingIntervalSeconds,
samplingIntervalSecondsBySource, thresholds: [{threshold, rises: {count, perDay, meanSize, maxSize, last,
medianWaitHours, p90WaitHours, medianDurationHours, meanOvershoot, hoursSinceLast}, falls: {the same}, hoursUp, hoursDown,
daysUp, daysDown}], horizons: [{horizon, n, thresholds: [{threshold, up, down, upShare, upLow, upHigh, downShare, downLow,
downHigh, touchedUp, touchedDown, touchedUpShare, touchedDownShare}]}]}
  threshold       a fraction: 0.01 is 1 %
  rises, falls    directional changes confirmed in the window: the price moved by the threshold from its last extreme
  meanSize        from extreme to extreme, a fraction, of the moves completed within the data; null if there is none
  last            the last one: {threshold, direction, from_price, from_time, confirmed_price, confirmed_time}, and,
                  once completed, to_price, to_time, size
  …WaitHours      between two confirmations             medianDurationHours  from extreme to extreme
  meanOvershoot   size - threshold                      hoursSinceLast       from the last one to the window's end
  horizons        with --horizon: returns between closes at multiples of it (UTC), how many were at least the threshold,
                  their share with 95 % bounds, and how often the price touched it on the way
  hoursUp …       hours (UTC days) that closed at least the threshold above or below the previous close
${TRUST_FIELDS}`,
  },
  percentiles: {
    description: 'Percentiles of the 24 h change.',
    argument: '[symbol]',
    options: [...windowOptions('percentiles'), ...ranking, percents, fromCandles],
    examples: [
      'percentiles BTCUSD --over 7d',
      'percentiles BTCUSD --from-candles --over 2y',
      'percentiles --top 20 --percents 5,50,95',
    ],
    fields: `{from, to, basis, minCoverage, includeEnded, leftOut, series: [{series, samples, effectiveSamples, coverage,
percentiles: {"1": …}}]}
  samples         ticks with a 24 h change          coverage     samples / polls due, at most 1
  percentiles     of price_24h_pcnt, fractions: 0.0068 is 0.68 %
  basis           ticks or candles                  effectiveSamples  the window ÷ 24 h: changes overlap
${RANKING_FIELDS}
Without a symbol: the series whose percentiles are furthest apart.`,
  },
  volatile: {
    description: 'The most volatile series.',
    options: [...windowOptions('volatile'), ...ranking],
    examples: [
      'volatile --top 5 --over 7d',
      'volatile --over 1y --min-coverage 0.95 --min-turnover 1000000',
      'volatile --category linear --over 1y --json',
    ],
    fields: `{from, to, minCoverage, includeEnded, leftOut, series: [{series, volatility, returns, rangeFraction, hours, coverage,
parkinson, garmanKlass, yangZhang, realised, ewma, downside, atrFraction, moves: [{threshold, rises, falls}]}]}
  volatility      standard deviation of the log returns between adjacent hours (days, if the history is daily),
                  pooled and annualised (× √8766), a fraction; null with fewer than two returns
  returns         how many log returns it rests on
  rangeFraction   (highest - lowest) / lowest       hours        hours with data
${ESTIMATE_FIELDS}
                  of the first 50 series, whose candles are read for it; like longestGapHours, staleHours, sources,
                  samplingIntervalSeconds, samplingIntervalSecondsBySource (see "average --help")
  moves           in closed hours, for the thresholds configured for the stage
${RANKING_FIELDS}
Options are included only with --category option.`,
  },
  compare: {
    description: 'Average, moves, volatility and percentiles side by side.',
    argument: '<symbols...>',
    options: [...windowOptions('compare'), threshold, percents],
    examples: ['compare BTCUSD ETHUSD XRPUSD --over 30d'],
    fields: `{series: [{series, quote, average: {…}, moves: {…}, volatility, returns, rangeFraction,
percentiles: {"1": …} or null}]}
  the fields are those of the other questions; see their --help`,
  },
  drawdown: {
    description: 'How far the price fell from its highs, and whether it came back.',
    argument: '<symbol>',
    options: windowOptions('drawdown'),
    examples: [
      'drawdown BTCUSD --over 90d',
      'drawdown BTCUSD --exchange archive --from 2018-01-01 --to 2022-01-01',
    ],
    fields: `{series, quote, from, to, coverage, max: {fraction, peakPrice, peakTime, troughPrice, troughTime, recoveredTime} or null,
current, daysUnderWater, totalDaysUnderWater, worst: [five of the same], returns, longestGapHours, staleHours, sources,
samplingIntervalSeconds, samplingIntervalSecondsBySource}
  fraction        price / highest price so far - 1, at most 0
  recoveredTime   the first price at or above the peak; null if there is none yet
  current         of the last price                 daysUnderWater  since the highest price so far
  totalDaysUnderWater  all days below the highest price so far
${TRUST_FIELDS}`,
  },
  returns: {
    description: 'The return of each day, month, quarter or year.',
    argument: '<symbol>',
    options: [
      ...windowOptionsOf(PERIODS.map((period) => `${DEFAULT_RETURNS_OVER[period]} by ${period}`).join(', ')),
      by,
    ],
    examples: [
      'returns BTCUSD --by month --over 1y',
      'returns BTCUSD --exchange archive --at 2022-01-01 --by year',
    ],
    fields: `{series, quote, from, to, by, coverage, periods: [{start, return, coverage}], best: {start, return}, worst: {the same},
positiveShare, returns, longestGapHours, staleHours, sources, samplingIntervalSeconds, samplingIntervalSecondsBySource}
  return          close / close of the period before - 1; null if the period before has no data
  coverage        part of the window, or the period, with data: below 1 also if the period is not over
${TRUST_FIELDS}
Periods are UTC; those that start in the window are listed, each as a whole.`,
  },
  correlate: {
    description: 'How the daily returns of several series move together.',
    argument: '<symbols...>',
    options: windowOptions('correlate'),
    examples: ['correlate BTCUSD ETHUSD XRPUSD --over 90d'],
    fields: `{from, to, days, series: […], pearson: [[…]], spearman: [[…]], beta: […], trust: [{coverage, …}]}
  days            UTC days on which all have a return     pearson, spearman  matrices, in the order of series
  beta            of each to the first; null (everywhere) if one of the two never changed
  trust           of each series: coverage, returns, longestGapHours, staleHours, sources, …; see "average --help"`,
  },
  profile: {
    description: 'Everything about one currency on one page.',
    argument: '<symbol>',
    options: [...windowOptions('profile'), threshold, percents, horizon().default(DEFAULT_HORIZONS)],
    examples: ['profile BTCUSD', 'profile BTCUSD --exchange archive --at 2022-01-01 --over 2y --json'],
    fields: `{series, quote, from, to, averages: {"1h": …, "24h": …, "7d": …, "30d": …, "90d": …, "1y": …, "2y": …}, average,
moves, volatility, drawdown, returns, percentiles}
  averages        over each of these windows until the end of this one; null if there is no data
  returns         of the months                     percentiles  from candles
  the fields are those of the other questions; see their --help`,
  },
  series: {
    description: 'Which series there are, and from when to when.',
    options: [],
    examples: ['series', 'series --exchange archive --csv'],
    fields: `{series: [{series, first, last, listed, delisted, ended, hours, coverage}]}
  first, last     start of the first and the last hour with data (day, if the history is daily), ISO 8601
  listed          first poll that found its market, if the exchange was polled before; left out otherwise
  delisted        first poll that did not find it any more; left out while it exists
  ended           delisted, or its market has data of the two days after last, and it has none
  hours           hours with data                   coverage     part of the time between them with data, 0 to 1`,
  },
};
