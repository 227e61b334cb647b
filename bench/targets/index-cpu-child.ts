import { loadIndexHandler } from '../index-handler.ts';
import { lambdaContext } from '../lambda-context.ts';
import { makeTickers, toEvents } from '../tickers.ts';
import type { CpuFigures } from './index-cpu.ts';

/** Tickers measured, after as many again to warm up. */
const DOCUMENTS = 100_000;

const urls = JSON.parse(process.argv[2] ?? '{}') as { openSearch: string; s3: string };
const handler = await loadIndexHandler(urls);
const warm = toEvents(makeTickers(DOCUMENTS, Date.now() & 0xffff));
const events = toEvents(makeTickers(DOCUMENTS, (Date.now() & 0xffff) + 1));
const texts = events.flatMap((event) =>
  Object.values(event.records).flatMap((records) =>
    records.map(({ value }) => Buffer.from(value, 'base64').toString('utf8')),
  ),
);

for (const event of warm) await handler(event, lambdaContext());
for (const text of texts) JSON.parse(text);

let heapMb = 0;
globalThis.gc?.();
const baseline = process.memoryUsage().heapUsed;
const startedHandler = process.cpuUsage();
for (const event of events) {
  await handler(event, lambdaContext());
  heapMb = Math.max(heapMb, (process.memoryUsage().heapUsed - baseline) / 2 ** 20);
}
const handlerCpu = process.cpuUsage(startedHandler);

globalThis.gc?.();
const startedParse = process.cpuUsage();
for (const text of texts) JSON.parse(text);
const parseCpu = process.cpuUsage(startedParse);

const seconds = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1e6;
const figures: CpuFigures = { handler: seconds(handlerCpu), parse: seconds(parseCpu), heapMb };
process.send?.(figures, () => process.exit(0));
