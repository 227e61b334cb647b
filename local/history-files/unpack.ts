import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32, createGunzip } from 'node:zlib';
import { HistoryFileError } from './history-file-error.ts';
import { openEntry, type ZipEntry, zipEntries } from './zip.ts';

/** A file that DuckDB can read: text or Parquet, not compressed. */
export interface PlainFile {
  /** For messages: the given path, with the name of the entry if it is from an archive. */
  title: string;
  /** The name that says what is inside: `BTCUSDT-1h-2025-01.csv`. */
  name: string;
  path: string;
  /** The first bytes. */
  head: Buffer;
}

/** Enough for the header and many rows. */
const HEAD_BYTES = 65_536;

/** By their first bytes. */
const OTHER_ARCHIVES: readonly [string, string][] = [
  ['377abcaf271c', '7z'],
  ['526172211a07', 'RAR'],
  ['425a68', 'bzip2'],
  ['28b52ffd', 'Zstandard'],
  ['fd377a585a00', 'xz'],
  ['d0cf11e0a1b1', 'Excel'],
];

/**
 * The plain files of a given one: itself, or what is packed in it. What is unpacked goes to files whose paths begin with
 * `target`. Checksums are compared, because a download that was cut off would otherwise look like a shorter history.
 * @throws HistoryFileError
 */
export async function unpack(path: string, target: string): Promise<PlainFile[]> {
  const head = await headOf(path).catch((cause) => {
    throw new HistoryFileError(path, `it cannot be read: ${messageOf(cause)}`, {
      advice: 'Give the path of a file, a folder, or a pattern in quotes such as "prices/*.zip"',
      cause,
    });
  });
  if (head.length === 0) {
    throw new HistoryFileError(path, 'the file is empty', { advice: 'Download it again' });
  }
  const magic = head.toString('hex', 0, 8);
  if (magic.startsWith('504b0304') || magic.startsWith('504b0506')) return unzip(path, target);
  if (magic.startsWith('1f8b')) return [await gunzip(path, target)];
  const [, kind] = OTHER_ARCHIVES.find(([signature]) => magic.startsWith(signature)) ?? [];
  if (kind) {
    throw new HistoryFileError(path, `it is a ${kind} file`, {
      advice: 'Unpack it, or save it as CSV; CSV, JSON lines and Parquet are read, also as .gz or .zip',
    });
  }
  return [{ title: path, name: basename(path), path, head }];
}

async function gunzip(path: string, target: string): Promise<PlainFile> {
  await pipeline(createReadStream(path), createGunzip(), createWriteStream(target)).catch((cause) => {
    throw damaged(path, cause);
  });
  const name = basename(path).replace(/\.gz$/i, '');
  return { title: path, name, path: target, head: await headOf(target) };
}

async function unzip(path: string, target: string): Promise<PlainFile[]> {
  const file = await open(path);
  try {
    const entries = await zipEntries(file).catch((cause) => {
      throw damaged(path, cause);
    });
    if (entries.some(({ name }) => name === '[Content_Types].xml')) {
      throw new HistoryFileError(path, 'it is an Excel workbook', { advice: 'Save the sheet as CSV' });
    }
    const plain: PlainFile[] = [];
    for (const [index, entry] of entries.filter(isContent).entries()) {
      const title = `${path} (${entry.name})`;
      const unpacked = `${target}-${index}`;
      if (entry.isEncrypted || ![0, 8].includes(entry.method)) {
        throw new HistoryFileError(title, 'it is encrypted, or packed in an unusual way', {
          advice: 'Unpack the archive and give the file inside',
        });
      }
      await writeEntry(file, entry, unpacked).catch((cause) => {
        throw damaged(title, cause);
      });
      plain.push({ title, name: basename(entry.name), path: unpacked, head: await headOf(unpacked) });
    }
    if (plain.length > 0) return plain;
    throw new HistoryFileError(path, 'there are no files in the archive', { advice: 'Download it again' });
  } finally {
    await file.close();
  }
}

async function writeEntry(file: FileHandle, entry: ZipEntry, target: string): Promise<void> {
  const content = await openEntry(file, entry);
  let sum = 0;
  const summed = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
  };
  await pipeline(content, summed, createWriteStream(target));
  if (sum !== entry.crc32) throw new Error('the checksum differs');
}

/** macOS adds files that describe the others. */
function isContent({ name }: ZipEntry): boolean {
  return !name.startsWith('__MACOSX/') && !basename(name).startsWith('.');
}

function damaged(title: string, cause: unknown): HistoryFileError {
  return new HistoryFileError(title, `it cannot be unpacked: ${messageOf(cause)}`, {
    advice: 'Download it again: it is damaged or incomplete',
    cause,
  });
}

async function headOf(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
