import type { CandleSeries } from '../market/candle.ts';
import { formatSeries, tryParseSeries } from '../market/series.ts';
import { NoAnswerError, placeOf } from './errors.ts';
import { nearestNames } from './nearest-names.ts';
import type { CurrencySeries, Scope, SeriesCatalogue } from './ports.ts';

/** The exchange of the bundled daily history; only included if named. */
export const ARCHIVE = 'archive';

/**
 * The series for a symbol (`BTCUSDT`), a complete series (`bybit:linear:BTCUSDT`), or a currency (`BTC`), which stands
 * for its series with the most turnover. Case does not matter.
 * @throws NoAnswerError with the choices if several series match, or the nearest names if none does
 */
export async function resolveSeries(
  name: string,
  given: Scope,
  catalogue: SeriesCatalogue,
): Promise<CandleSeries> {
  const { symbol, scope } = splitName(name, given);
  const found = preferSameCase(await catalogue.withSymbol(symbol, scope), symbol);
  if (found.length > 1) throw ambiguous(symbol, found);
  if (found[0]) return found[0];
  const ofCurrency = await catalogue.ofCurrency(symbol, scope);
  const most = mostTurnover(ofCurrency);
  if (most) return most;
  if (ofCurrency.length > 1) throw ambiguous(symbol, ofCurrency);
  if (ofCurrency[0]) return ofCurrency[0];
  throw await unknown(symbol, scope, catalogue);
}

function splitName(name: string, scope: Scope): { symbol: string; scope: Scope } {
  const { symbol, ...market } = tryParseSeries(name) ?? { symbol: name, ...scope };
  return { symbol, scope: market };
}

/** Some exchanges have symbols that differ only by case; then the exact spelling counts. */
function preferSameCase(found: CandleSeries[], symbol: string): CandleSeries[] {
  const exact = found.filter((series) => series.symbol === symbol);
  return exact.length > 0 ? exact : found;
}

function mostTurnover(series: readonly CurrencySeries[]): CurrencySeries | undefined {
  return series
    .filter(({ turnover }) => turnover !== undefined)
    .sort((a, b) => (b.turnover ?? 0) - (a.turnover ?? 0))[0];
}

function ambiguous(name: string, series: readonly CandleSeries[]): NoAnswerError {
  const choices = series.map(formatSeries).sort();
  return new NoAnswerError(
    'ambiguousSymbol',
    `${name} could be any of ${choices.join(', ')}: choose one with --exchange and --category, or give its complete name.`,
    choices,
  );
}

async function unknown(symbol: string, scope: Scope, catalogue: SeriesCatalogue): Promise<NoAnswerError> {
  const elsewhere = (
    await Promise.all([{}, { exchange: ARCHIVE }].map((other) => catalogue.withSymbol(symbol, other)))
  ).flat();
  if (elsewhere.length > 0) {
    const choices = elsewhere.map(formatSeries).sort();
    return new NoAnswerError(
      'unknownSymbol',
      `There is no ${symbol} ${placeOf(scope)}, but there is ${choices.join(', ')}.`,
      choices,
    );
  }
  const names = await catalogue.names(scope);
  const nearest = nearestNames(symbol, names);
  const hint =
    names.length === 0
      ? `There is no data ${placeOf(scope)} yet.`
      : nearest.length > 0
        ? `Nearest: ${nearest.join(', ')}.`
        : '"series" lists everything that is stored.';
  return new NoAnswerError('unknownSymbol', `There is no symbol or currency ${symbol}. ${hint}`, nearest);
}
