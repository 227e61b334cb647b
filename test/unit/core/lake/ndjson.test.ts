import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packLines, unpackLines } from '../../../../core/lake/ndjson.ts';

describe('gzip NDJSON', () => {
  it('returns the lines it was given', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { minLength: 1 }), async (values) => {
        const lines = values.map((value) => JSON.stringify(value));
        expect(await unpackLines(await packLines(lines))).toEqual(lines);
      }),
    );
  });

  it('ends every line, as zcat and wc expect', async () => {
    expect(gunzipSync(await packLines(['{"a":1}', '{"b":2}'])).toString()).toBe('{"a":1}\n{"b":2}\n');
  });

  it('throws on a body that is not gzip', async () => {
    await expect(unpackLines(Buffer.from('{"a":1}\n'))).rejects.toThrow(/incorrect header check/);
  });
});
