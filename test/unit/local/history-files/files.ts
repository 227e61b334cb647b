import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateRawSync } from 'node:zlib';
import { afterAll } from 'vitest';
import type { RecordedRow } from '../../../../core/operate/backfill/row-parts.ts';
import { withHistory } from '../../../../local/history-files/history.ts';
import type { HistoryOptions } from '../../../../local/history-files/options.ts';

export const NOW_MS = Date.parse('2026-01-01T00:00:00Z');

/** Reads files whole. */
export function read(files: string | string[], options: Partial<HistoryOptions> = {}) {
  return withHistory({ files: [files].flat(), nowMs: NOW_MS, ...options }, async (history) => {
    const candles: RecordedRow[] = await Array.fromAsync(history.candles());
    return { ...history, candles };
  });
}

export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/history-files/${name}`, import.meta.url));
}

/** A folder that the test file removes at its end; returns what writes a file into it. */
export function temporaryFiles(): (name: string, content: string | Uint8Array) => string {
  const folder = mkdtempSync(join(tmpdir(), 'history-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
}

/** A zip archive with one file. */
export function zipOf(name: string, text: string): Buffer {
  const content = Buffer.from(text);
  const packed = deflateRawSync(content);
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(20, 0);
  shared.writeUInt16LE(8, 4);
  shared.writeUInt32LE(crc32(content), 10);
  shared.writeUInt32LE(packed.length, 14);
  shared.writeUInt32LE(content.length, 18);
  shared.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, Buffer.from(name)]);
  const list = Buffer.concat([
    Buffer.from('PK\x01\x02\x14\x00'),
    shared,
    Buffer.alloc(14),
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(local.length + packed.length, 16);
  return Buffer.concat([local, packed, list, end]);
}
