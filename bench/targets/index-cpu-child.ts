import { lambdaContext, loadIndexHandler } from '../functions.ts';
import { makeTickers, toEvents } from '../tickers.ts';
import type { CpuFigures } from './index-cpu.ts';

/** Tickers measured, after as many for warm-up. */
const DOCUMENTS = 100_000;

const urls = JSON.parse(process.argv[2] ?? '{}') as { openSearch: string; s3: string };
const handler = await loadIndexHandler(urls);
const tickers = makeTickers(2 * DOCUMENTS);
const warm = toEvents(tickers.slice(0, DOCUMENTS));
const events = toEvents(tickers.splice(DOCUMENTS));
tickers.length = 0;
const texts = events.flatMap((event) =>
  Object.values(event.records).flatMap((records) =>
    records.map(({ value }) => Buffer.from(value, 'base64').toString('utf8')),
  ),
);

for (const event of warm) await handler(event, lambdaContext());
for (const text of texts) JSON.parse(text);

const seconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1e6;
let heapMb = 0;
let indexed = 0;
let handlerCpu = 0;
globalThis.gc?.();
const baseline = process.memoryUsage().heapUsed;
for (const event of events) {
  const started = process.cpuUsage();
  indexed += (await handler(event, lambdaContext())).indexed;
  handlerCpu += seconds(process.cpuUsage(started));
  heapMb = Math.max(heapMb, (process.memoryUsage().heapUsed - baseline) / 2 ** 20);
}
// An existing document would be answered with an error, which would be a different measurement.
if (indexed !== DOCUMENTS) throw new Error(`${indexed} documents were new to the index, not ${DOCUMENTS}.`);

globalThis.gc?.();
const startedParse = process.cpuUsage();
for (const text of texts) JSON.parse(text);
const parseCpu = seconds(process.cpuUsage(startedParse));

const figures: CpuFigures = { handler: handlerCpu, parse: parseCpu, heapMb };
process.send?.(figures, () => process.exit(0));
