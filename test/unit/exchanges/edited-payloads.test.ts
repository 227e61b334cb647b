import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findTickerApi } from '../../../exchanges/registry.ts';
import { tickersFrom } from './offline.ts';
import { type Json, PAYLOAD_CASES } from './payload-cases.ts';

/** Every object of the payloads, the outermost last. */
function objectsIn(value: unknown): Json[] {
  if (typeof value !== 'object' || value === null) return [];
  return [...Object.values(value).flatMap(objectsIn), value as Json];
}

interface Edits {
  /** Where fields are added: positions among all objects. */
  added: { at: number; name: string; value: unknown }[];
  nullForEmpty: boolean;
  /** Fields, by their position among all names, whose text becomes a number or the reverse. */
  retyped: number[];
  renamedState: string | undefined;
}

const edits: fc.Arbitrary<Edits> = fc.record({
  added: fc.array(
    fc.record({
      at: fc.nat(),
      name: fc.constantFrom('newField', 'lastPrice2', 'info', 'st', 'volume30d', 'tags'),
      value: fc.jsonValue({ maxDepth: 2 }),
    }),
    { maxLength: 6 },
  ),
  nullForEmpty: fc.boolean(),
  retyped: fc.array(fc.nat(), { maxLength: 8 }),
  renamedState: fc.option(fc.constantFrom('ACTIVE', 'open', '', 'Trading2', 'halted'), { nil: undefined }),
});

function edit(payloads: Json, state: string, { added, nullForEmpty, retyped, renamedState }: Edits): void {
  const objects = Object.values(payloads).flatMap(objectsIn);
  const maps = objects.filter((each) => !Array.isArray(each));
  const names = [...new Set(objects.flatMap(Object.keys))];
  const toRetype = new Set(retyped.map((at) => names[at % names.length]));
  for (const holder of objects) {
    for (const [name, value] of Object.entries(holder)) {
      if (nullForEmpty && value === '') holder[name] = null;
      if (!toRetype.has(name)) continue;
      if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) holder[name] = Number(value);
      else if (typeof value === 'number') holder[name] = String(value);
    }
  }
  const listed = maps.find((each) => state in each && !('lastPrice' in each));
  if (listed && renamedState !== undefined) listed[state] = renamedState;
  // A map of markets by symbol would gain a market.
  const tickersAndLists = maps.filter((each) => !Object.values(each).some((one) => isMap(one)));
  for (const { at, name, value } of added) {
    const holder = tickersAndLists[at % tickersAndLists.length];
    if (holder && !(name in holder)) holder[name] = value;
  }
}

const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);

describe.each(PAYLOAD_CASES)('A payload of $api, $category, that the exchange edited', (contract) => {
  const { api: name, category, symbols, payloads, state } = contract;
  const api = findTickerApi(name)?.api;
  const read = (given: Json) => api && tickersFrom(api, category, given);

  it('loses no market but one whose state it renamed, and no price changes', async () => {
    const before = await read(payloads(symbols));
    const priceOf = new Map(before?.tickers.map((each) => [each.symbol, each.last_price]));
    expect([...priceOf.keys()]).toEqual(symbols);
    await fc.assert(
      fc.asyncProperty(edits, async (given) => {
        const edited = structuredClone(payloads(symbols));
        edit(edited, state, given);
        const batch = await read(edited);
        const found = new Map(batch?.tickers.map((each) => [each.symbol, each.last_price]));
        for (const [symbol, price] of found) expect(price).toBe(priceOf.get(symbol));
        const lost = symbols.filter((symbol) => !found.has(symbol));
        if (given.renamedState) expect(lost.length).toBeLessThanOrEqual(1);
        else expect(lost).toEqual([]);
        expect(batch?.rejected).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
