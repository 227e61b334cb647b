import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { HistoryFileError } from '../../../local/history-files/history-file-error.ts';
import { fixture, NOW_MS, read, temporaryFiles } from '../local/history-files/files.ts';
import { bytesLike, fuzz, slower } from './fuzz.ts';

const write = temporaryFiles();
const names = readdirSync(fixture('.'));

describe('a file of history', () => {
  const files = fc
    .constantFrom(...names)
    .chain((name) => fc.tuple(fc.constant(name), bytesLike(readFileSync(fixture(name)))));

  fuzz(
    'has candles of the past with prices in order, or is refused by name',
    files,
    async ([name, content]) => {
      const file = write(name, content);
      const found = await read(file).catch((error) => {
        expect(error, error.stack).toBeInstanceOf(HistoryFileError);
        expect(error.message).toContain(name);
      });
      for (const { startMs, low, high, open, close } of found?.candles ?? []) {
        expect(startMs).toBeLessThan(NOW_MS);
        expect(0 < low && low <= open && open <= high && low <= close && close <= high).toBe(true);
      }
    },
    slower(20),
  );
});
