import { formatCount } from '../core/text/format.ts';
import type { CostLine } from './cost.ts';
import type { Demand } from './demand.ts';
import type { Headroom } from './headroom.ts';

/** Rows of text; the first is the header. */
export type Rows = readonly (readonly string[])[];

/** To three digits; the input figures are no more precise. */
export function rounded(value: number): string {
  if (value === 0) return '0';
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 20 });
}

export function dollars(usd: number): string {
  return usd > 0 && usd < 0.5 ? '< $1' : `$${formatCount(Math.round(usd))}`;
}

const percent = (share: number) => `${rounded(share * 100)} %`;
const SIGNS = { ok: '✔', near: '!', over: '✖' } as const;

export function demandRows({ sources, series, tickers, polls, ...parts }: Demand): Rows {
  const { stream, index, search, lake, lambda, network, watching } = parts;
  return [
    ['what', 'per month'],
    ['exchanges', formatCount(sources)],
    ['series', formatCount(series)],
    ['polls', formatCount(polls)],
    ['tickers', `${rounded(tickers / 1e6)} million`],
    ['Kafka: average write rate', `${rounded(stream.bytesASecond / 1e3)} kB/s`],
    ['Kafka: stored per broker', `${rounded(stream.gibPerBroker)} GiB`],
    ['Lambda: calls', `${rounded(lambda.calls / 1e3)} thousand`],
    ['Lambda: time × memory', `${rounded(lambda.gbSeconds / 1e3)} thousand GB-s`],
    ['Lambda: duration of a poll', `${rounded(lambda.ingestSecondsPerCall)} s`],
    ['Lambda: duration of an index call', `${rounded(index.secondsPerCall)} s`],
    ['index: catching up after an hour-long outage', `${rounded(index.catchUpSeconds)} s`],
    ['Lambda: summarising an hour', `${rounded(lambda.summariseSecondsPerCall)} s`],
    ['OpenSearch: tickers, with replicas', `${rounded(search.tickersGib)} GiB`],
    ['OpenSearch: candles and moves of a year, with replicas', `${rounded(search.candlesGib)} GiB`],
    ['OpenSearch: shards', formatCount(search.shards)],
    ['S3: writes and lists', `${rounded(lake.putsAndLists / 1e3)} thousand`],
    ['S3: reads', `${rounded(lake.gets / 1e3)} thousand`],
    ['S3: new data', `${rounded(lake.gbAMonth)} GB`],
    ['Lambda: compaction of a day', `${rounded(lambda.compactSecondsPerDay)} s`],
    ['NAT traffic', `${rounded(network.natGb)} GB`],
    ['traffic between zones', `${rounded(network.betweenZonesGb)} GB`],
    ['custom metrics', formatCount(Math.round(watching.customMetrics))],
    ['logs', `${rounded(watching.logGb)} GB`],
  ];
}

export function headroomRows(headroom: readonly Headroom[]): Rows {
  return [
    ['', 'limit', 'use', 'of', 'used', 'raised by'],
    ...headroom.map(({ what, use, limit, unit, share, state, moves }) => [
      SIGNS[state],
      what,
      rounded(use),
      `${rounded(limit)} ${unit}`.trim(),
      percent(share),
      moves,
    ]),
  ];
}

/** Every line, then the total. */
export function costRows(lines: readonly CostLine[]): Rows {
  return [
    ['part', 'what', 'quantity', 'price', 'per month'],
    ...lines.map(({ group, what, quantity, unitUsd, usd }) => [
      group,
      what,
      rounded(quantity),
      `$${rounded(unitUsd)}`,
      dollars(usd),
    ]),
    ['total', '', '', '', dollars(lines.reduce((sum, { usd }) => sum + usd, 0))],
  ];
}
