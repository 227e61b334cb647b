import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { localS3Client } from '../../local/engines/s3-client.ts';
import { DAY_ROWS, putDay } from '../lake-day.ts';
import { resultOf, type Target } from '../target.ts';

const CHILD = fileURLToPath(new URL('lake-compaction-child.ts', import.meta.url));
const BUCKET = 'bench-compaction';
/** Each takes a minute on a busy machine. */
const MOST_ROUNDS = 3;

/** What a child process reports. */
export interface CompactionFigures {
  rows: number;
  /** Of the Parquet file. */
  bytes: number;
  seconds: number;
  cpuSeconds: number;
  peakMb: number;
}

/** A day of 1.2 million tickers becomes a Parquet file, against DuckDB's own copy of the same objects. */
export const lakeCompaction: Target = async ({ urls, folder, rounds, say }) => {
  const objects = join(folder, 'compaction');
  await mkdir(objects);
  const s3 = localS3Client(urls.s3);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const packed = await putDay(s3, BUCKET, (body, poll) =>
    writeFile(join(objects, `${String(poll).padStart(4, '0')}.ndjson.gz`), body),
  );
  const measure = async (work: 'compact' | 'copy'): Promise<CompactionFigures> => {
    const child = fork(CHILD, [work, urls.s3, BUCKET, objects]);
    const [figures] = (await once(child, 'message')) as [CompactionFigures];
    await once(child, 'exit');
    if (figures.rows !== DAY_ROWS) throw new Error(`${work}: ${figures.rows} rows`);
    const { seconds, cpuSeconds, peakMb } = figures;
    say(
      `lake, ${work}: ${seconds.toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s, ${peakMb.toFixed(0)} MB at most`,
    );
    return figures;
  };
  const pairs: { ours: CompactionFigures; copy: CompactionFigures }[] = [];
  for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round += 1) {
    pairs.push({ copy: await measure('copy'), ours: await measure('compact') });
  }
  await rm(objects, { recursive: true });
  const last = pairs.at(-1) as (typeof pairs)[number];
  const speed = ({ rows, seconds }: CompactionFigures) => Math.round(rows / seconds);
  const each = (bytes: number) => (bytes / DAY_ROWS).toFixed(1);
  return [
    resultOf(
      'compaction / plain copy',
      pairs.map(({ ours, copy }) => copy.seconds / ours.seconds),
      { atLeast: 0.25 },
      {
        unit: '×',
        note: `last round: ${speed(last.ours)} rows/s, copy ${speed(last.copy)}; CPU ${last.ours.cpuSeconds.toFixed(1)} s, copy ${last.copy.cpuSeconds.toFixed(1)} s`,
      },
    ),
    resultOf(
      'memory for compacting a day',
      pairs.map(({ ours }) => ours.peakMb),
      { atMost: 512 },
      { unit: 'MB', note: `of the process, for ${DAY_ROWS} tickers; copy ${last.copy.peakMb.toFixed(0)} MB` },
    ),
    resultOf(
      'bytes a ticker, Parquet / NDJSON gzip',
      pairs.map(({ ours }) => ours.bytes / packed),
      { atMost: 0.5 },
      {
        unit: '×',
        note: `${each(last.ours.bytes)} bytes, NDJSON ${each(packed)}, unsorted copy ${each(last.copy.bytes)}`,
      },
    ),
  ];
};
