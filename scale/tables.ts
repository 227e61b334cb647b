import { formatCount } from '../core/text/format.ts';
import type { CostLine } from './cost.ts';
import type { Demand } from './demand.ts';
import type { Headroom } from './headroom.ts';

/** Rows of text, the first of them the head. */
export type Rows = readonly (readonly string[])[];

/** Three digits are as much as the figures behind are worth. */
export function rounded(value: number): string {
  if (value === 0) return '0';
  return Number(value.toPrecision(3)).toLocaleString('en-US', { maximumFractionDigits: 20 });
}

export function dollars(usd: number): string {
  return usd > 0 && usd < 0.5 ? '< $1' : `$${formatCount(Math.round(usd))}`;
}

const percent = (share: number) => `${rounded(share * 100)} %`;
const SIGNS = { ok: '✔', near: '!', over: '✖' } as const;

/** What a month asks of each part. */
export function demandRows({ sources, series, tickers, polls, ...parts }: Demand): Rows {
  const { stream, index, search, lake, lambda, network, watching } = parts;
  return [
    ['what', 'a month'],
    ['exchanges', formatCount(sources)],
    ['series', formatCount(series)],
    ['polls', formatCount(polls)],
    ['tickers', `${rounded(tickers / 1e6)} million`],
    ['Kafka: written, on average', `${rounded(stream.bytesASecond / 1e3)} kB/s`],
    ['Kafka: kept on each broker', `${rounded(stream.gibPerBroker)} GiB`],
    ['Lambda: calls', `${rounded(lambda.calls / 1e3)} thousand`],
    ['Lambda: time × memory', `${rounded(lambda.gbSeconds / 1e3)} thousand GB-s`],
    ['Lambda: a poll', `${rounded(lambda.ingestSecondsPerCall)} s`],
    ['Lambda: an index call', `${rounded(index.secondsPerCall)} s`],
    ['index: to catch up with an hour of outage', `${rounded(index.catchUpSeconds)} s`],
    ['Lambda: summarising an hour', `${rounded(lambda.summariseSecondsPerCall)} s`],
    ['OpenSearch: tickers, with copies', `${rounded(search.tickersGib)} GiB`],
    ['OpenSearch: candles and moves of a year, with copies', `${rounded(search.candlesGib)} GiB`],
    ['OpenSearch: shards', formatCount(search.shards)],
    ['S3: writes and lists', `${rounded(lake.putsAndLists / 1e3)} thousand`],
    ['S3: reads', `${rounded(lake.gets / 1e3)} thousand`],
    ['S3: new', `${rounded(lake.gbAMonth)} GB`],
    ['through the NAT', `${rounded(network.natGb)} GB`],
    ['between zones', `${rounded(network.betweenZonesGb)} GB`],
    ['metrics of our own', formatCount(watching.customMetrics)],
    ['logs', `${rounded(watching.logGb)} GB`],
  ];
}

export function headroomRows(headroom: readonly Headroom[]): Rows {
  return [
    ['', 'limit', 'use', 'of', 'used', 'what moves it'],
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

/** Each line with its sum in the end. */
export function costRows(lines: readonly CostLine[]): Rows {
  return [
    ['part', 'what', 'quantity', 'price', 'a month'],
    ...lines.map(({ group, what, quantity, unitUsd, usd }) => [
      group,
      what,
      rounded(quantity),
      `$${rounded(unitUsd)}`,
      dollars(usd),
    ]),
    ['sum', '', '', '', dollars(lines.reduce((sum, { usd }) => sum + usd, 0))],
  ];
}
