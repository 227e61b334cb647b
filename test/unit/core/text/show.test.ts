import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shorten, show } from '../../../../core/text/show.ts';
import { nestedLists } from '../../../samples/nested-lists.ts';

const circle: unknown[] = [];
circle.push(circle);

describe('showing a value', () => {
  it.each([
    ['a text', '"a text"'],
    [{ a: [1] }, '{"a":[1]}'],
    [null, 'null'],
    [undefined, 'nothing'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [JSON.parse(nestedLists(1_000_000)), 'a value that JSON cannot show'],
    [circle, 'a value that JSON cannot show'],
    [1n, 'a value that JSON cannot show'],
    [() => 1, 'function'],
    ['x'.repeat(200), `"${'x'.repeat(79)}…`],
  ])('gives JSON where there is any', (value, text) => {
    expect(show(value)).toBe(text);
  });

  it('never throws, and stays short', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withNullPrototype: true }), (value) => {
        expect(show(value).length).toBeLessThanOrEqual(81);
      }),
    );
  });
});

describe('shortening', () => {
  it('keeps what fits, and marks what it cuts', () => {
    expect(shorten('abc', 3)).toBe('abc');
    expect(shorten('abcd', 3)).toBe('ab…');
    expect(shorten('x'.repeat(501))).toHaveLength(500);
  });
});
