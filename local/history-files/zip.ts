import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';

/** A file inside a zip archive. */
export interface ZipEntry {
  name: string;
  /** Where its header begins. */
  offset: number;
  compressedSize: number;
  /** 0: stored as it is; 8: deflate. */
  method: number;
  crc32: number;
  isEncrypted: boolean;
}

const END_SIGNATURE = 0x06054b50;
const END64_SIGNATURE = 0x06064b50;
const ENTRY_SIGNATURE = 0x02014b50;
/** The end record is 22 bytes and a comment of 64 KiB at most; before it is the pointer of large archives, 20 bytes. */
const END_BYTES = 22 + 65_535 + 20;

/** The files in an archive, from the list at its end. @throws if it is cut off or not a zip archive */
export async function zipEntries(file: FileHandle): Promise<ZipEntry[]> {
  const { size } = await file.stat();
  const tailStart = Math.max(0, size - END_BYTES);
  const tail = await read(file, tailStart, size - tailStart);
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || tail.readUInt32LE(end) !== END_SIGNATURE) throw new Error('the archive is cut off');
  let [count, bytes, start] = [
    tail.readUInt16LE(end + 10),
    tail.readUInt32LE(end + 12),
    tail.readUInt32LE(end + 16),
  ];
  if (start === 0xffffffff || count === 0xffff) {
    const end64 = await read(file, Number(tail.readBigUInt64LE(end - 20 + 8)), 56);
    if (end64.readUInt32LE(0) !== END64_SIGNATURE) throw new Error('the archive is cut off');
    [count, bytes, start] = [32, 40, 48].map((at) => Number(end64.readBigUInt64LE(at))) as [
      number,
      number,
      number,
    ];
  }
  const list = await read(file, start, bytes);
  const entries: ZipEntry[] = [];
  for (let at = 0; entries.length < count; ) {
    if (list.readUInt32LE(at) !== ENTRY_SIGNATURE) throw new Error('the list of its files is damaged');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      list.readUInt16LE(at + field),
    ) as [number, number, number];
    const name = list.toString('utf8', at + 46, at + 46 + nameBytes);
    const extra = list.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes);
    entries.push({ name, ...sizesOf(list, at, extra) });
    at += 46 + nameBytes + extraBytes + commentBytes;
  }
  return entries.filter(({ name }) => !name.endsWith('/'));
}

function sizesOf(list: Buffer, at: number, extra: Buffer): Omit<ZipEntry, 'name'> {
  const sizes = {
    isEncrypted: (list.readUInt16LE(at + 8) & 1) === 1,
    method: list.readUInt16LE(at + 10),
    crc32: list.readUInt32LE(at + 16),
    compressedSize: list.readUInt32LE(at + 20),
    size: list.readUInt32LE(at + 24),
    offset: list.readUInt32LE(at + 42),
  };
  // Those that do not fit into 32 bits follow in an extra field, in this order.
  const large = (['size', 'compressedSize', 'offset'] as const).filter(
    (field) => sizes[field] === 0xffffffff,
  );
  for (let field = 0; field + 4 <= extra.length; field += 4 + extra.readUInt16LE(field + 2)) {
    if (extra.readUInt16LE(field) !== 1) continue;
    for (const [index, name] of large.entries()) {
      sizes[name] = Number(extra.readBigUInt64LE(field + 4 + index * 8));
    }
  }
  const { size: _, ...rest } = sizes;
  return rest;
}

/** The content of an entry, as a stream that still has to be compared with {@link ZipEntry.crc32}. */
export async function openEntry(file: FileHandle, entry: ZipEntry): Promise<Readable> {
  const header = await read(file, entry.offset, 30);
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (entry.compressedSize === 0) return Readable.from([]);
  const end = start + entry.compressedSize - 1;
  const packed = file.createReadStream({ start, end, autoClose: false });
  if (entry.method === 0) return packed;
  const inflate = createInflateRaw();
  packed.on('error', (error) => inflate.destroy(error));
  return packed.pipe(inflate);
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { size } = await file.stat();
  // A damaged list could claim any size, so check before allocating memory.
  if (position + length > size) throw new Error('the archive is cut off');
  return (await file.read(Buffer.alloc(length), 0, length, position)).buffer;
}
