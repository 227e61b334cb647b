import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { afterAll, expect, it } from 'vitest';
import { type LoopbackServer, serveOnLoopback } from '../../../../core/runtime/loopback-server.ts';
import { createS3Client } from '../../../../stores/s3/client.ts';
import { S3Lake } from '../../../../stores/s3/lake.ts';
import { SLOT_MS } from '../../../samples/tickers.ts';

const MARKET = { exchange: 'bybit', category: 'spot' } as const;
const servers: LoopbackServer[] = [];
afterAll(() => Promise.all(servers.map((each) => each.close())));

const ADDRESS = { ...MARKET, slotMs: SLOT_MS };

/** A lake whose server answers like this. */
async function lakeBehind(answer: RequestListener): Promise<S3Lake> {
  const server = await serveOnLoopback(answer, 0);
  servers.push(server);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const settings = { endpoint: server.url, credentials, region: 'us-east-1' };
  return new S3Lake(createS3Client({ AWS_ENDPOINT_URL_S3: server.url }, settings), 'lake');
}

const silence = () => {};
const halfABody = (_: IncomingMessage, response: ServerResponse) =>
  void response.writeHead(200, { 'content-length': '100' }).write('half');
const busy = (_: IncomingMessage, response: ServerResponse) => void response.writeHead(503).end();

const CALLS: Record<string, (lake: S3Lake, deadlineMs: number) => Promise<unknown>> = {
  putTickers: (lake, deadlineMs) => lake.putTickers(ADDRESS, ['{}'], deadlineMs),
  readTickers: (lake, deadlineMs) => lake.readTickers(ADDRESS, deadlineMs),
  slotsAfter: (lake, deadlineMs) => lake.slotsAfter(MARKET, 0, deadlineMs),
  firstSlot: (lake, deadlineMs) => lake.firstSlot(MARKET, deadlineMs),
  putRejected: (lake, deadlineMs) => lake.putRejected(ADDRESS, SLOT_MS, [], deadlineMs),
  readMarker: (lake, deadlineMs) => lake.readMarker(MARKET, deadlineMs, 'bybit'),
  writeMarker: (lake, deadlineMs) => lake.writeMarker(MARKET, { throughMs: 0, beyondMs: [] }, deadlineMs),
  setMarkerAside: (lake, deadlineMs) => lake.setMarkerAside('state/x.json', MARKET, SLOT_MS, deadlineMs),
};

// All at once: they only wait.
it.concurrent.each(
  Object.keys(CALLS).flatMap((call) => [
    [call, 'does not answer', silence] as const,
    [call, 'stops in the middle of its answer', halfABody] as const,
  ]),
)('%s ends at its deadline if S3 %s', async (call, _, answer) => {
  const lake = await lakeBehind(answer);
  const deadlineMs = Date.now() + 300;
  await expect(CALLS[call]?.(lake, deadlineMs)).rejects.toMatchObject({
    name: 'LakeUnavailableError',
    message: expect.stringContaining('no answer in the time of this invocation'),
  });
  // The S3 client’s own timeout is 5 s.
  expect(Date.now() - deadlineMs).toBeLessThan(4_500);
});

it('is not waited for until the deadline if S3 says what is wrong', async () => {
  const lake = await lakeBehind(busy);
  await expect(lake.readMarker(MARKET, Date.now() + 60_000)).rejects.toThrow('S3 is busy or unwell');
});
