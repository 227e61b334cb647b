import { expect, it } from 'vitest';
import type { OutboxMarker } from '../../../../../core/ingest/ports.ts';
import { markerKey, unreadableMarkerKey } from '../../../../../core/lake/ticker-objects.ts';
import { checkIngested } from '../../../../../core/operate/doctor/data.ts';
import type { OperationServices } from '../../../../../core/operate/operation.ts';
import { SLOT, SLOT_MS } from '../../../../samples/tickers.ts';

const MARKET = { exchange: 'bybit', category: 'spot' } as const;

const ingested = (marker: OutboxMarker) => {
  const lake = {
    async *keys() {
      yield* [markerKey(MARKET), 'state/an-earlier-version.json', unreadableMarkerKey(MARKET, SLOT_MS)];
    },
    readMarker: async () => marker,
  };
  return checkIngested({ lake } as unknown as OperationServices);
};

it('shows the latest slot that the stream acknowledged', async () => {
  expect(await ingested({ throughMs: SLOT_MS - 1, beyondMs: [SLOT_MS], tickers: 3 })).toEqual({
    status: 'ok',
    finding: `bybit spot ${SLOT} (3 tickers)`,
  });
});

it('says that nothing is acknowledged if a marker has only begun', async () => {
  expect(await ingested({ throughMs: SLOT_MS, beyondMs: [] })).toMatchObject({
    status: 'warn',
    finding: 'no poll has been acknowledged yet',
  });
});

it('says from when on batches wait behind newer ones', async () => {
  const beyondMs = Array.from({ length: 11 }, (_, index) => SLOT_MS - (10 - index) * 1_000);
  const throughMs = Date.parse('2026-03-01T03:00:00.000Z');
  expect(await ingested({ throughMs, beyondMs, tickers: 3 })).toMatchObject({
    status: 'warn',
    finding: `bybit spot ${SLOT} (3 tickers). Batches wait for the stream: bybit spot after 2026-03-01T03:00:00.000Z`,
  });
});
