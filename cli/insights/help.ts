import type { Question } from '../../core/insights/question.ts';

/** The help texts of the questions: the fields of their JSON. */
export const FIELDS: Readonly<Record<Question['question'], string>> = {
  average: `JSON: {series, quote, from, to, mean, min, max, first, last, change, hours, expectedHours, coverage}
  from, to        the window that was answered, ISO 8601; [from, to)
  mean            time-weighted average price: every hour with data counts once (a daily candle 24 times)
  min, max        lowest and highest price          first, last  first open and last close
  change          last / first - 1, a fraction      hours        hours with data, out of expectedHours
  coverage        part of the window with data, 0 to 1
Windows of up to 48 h for which only ticks exist are answered from the ticks (exact edges, mean of the samples,
coverage = polls seen / polls due). Others are widened to whole hours. Prices are in \`quote\`, which is
left out if it is not known.`,

  moves: `JSON: {series, quote, from, to, samplingIntervalSeconds, thresholds: [{threshold, rises: {count, perDay, meanSize,
maxSize, last}, falls: {the same}, hoursUp, hoursDown, daysUp, daysDown}]}
  threshold       a fraction: 0.01 is 1 %
  rises, falls    directional changes confirmed in the window: the price moved by the threshold from its last extreme
  meanSize        from extreme to extreme, a fraction, of the moves completed within the data; null if there is none
  last            the last one: {threshold, direction, from_price, from_time, confirmed_price, confirmed_time}, and,
                  once completed, to_price, to_time, size
  hoursUp …       hours (UTC days) that closed at least the threshold above or below the previous close
  samplingIntervalSeconds  time between two known prices; moves that reverse in between are not seen`,

  percentiles: `JSON: {from, to, series: [{series, samples, percentiles: {"1": …}}]}
  samples         ticks with a 24 h change          percentiles  of price_24h_pcnt, fractions: 0.0068 is 0.68 %
Without SYMBOL: the series whose percentiles are furthest apart.`,

  volatile: `JSON: {from, to, series: [{series, volatility, rangeFraction, hours, coverage, moves: [{threshold, rises, falls}]}]}
  volatility      standard deviation of the log returns between adjacent hours, annualised (× √8766), a fraction;
                  null with fewer than two returns
  rangeFraction   (highest - lowest) / lowest       hours        hours with data
  moves           in closed hours, for the thresholds configured for the stage
Options are included only with --category option.`,

  compare: `JSON: {series: [{series, quote, average: {…}, moves: {…}, volatility, rangeFraction, percentiles: {"1": …} or null}]}
  the fields are those of the other questions; see their --help`,

  series: `JSON: {series: [{series, first, last, hours, coverage}]}
  first, last     start of the first and the last hour with data (day, if the history is daily), ISO 8601
  hours           hours with data                   coverage     part of the time between them with data, 0 to 1`,
};

export const EXIT_CODES = `Times are UTC. \`now\` (on one machine, the clock of the market replay) is printed with each answer; with --json and --csv, on
stderr. Exit codes: 0 answered, 1 there is no answer (the error suggests what to ask instead), 2 bad usage, or the question
could not be asked.`;
