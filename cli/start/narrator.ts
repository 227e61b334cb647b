import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { formatCount, formatTime } from '../../core/text/format.ts';
import type { Pipeline } from '../../local/pipeline/pipeline.ts';
import { print } from '../print.ts';
import { createDisplay, type Display } from './display.ts';

/** Describes what happens, in numbered chapters. */
export interface Narrator extends Pick<Display, 'step'> {
  chapter(title: string, text: string): Promise<void>;
  /** Lets the pipeline poll, and shows after each poll how many tickers are waiting to be indexed. */
  untilPolled(pipeline: Pipeline, polls: number, signal: AbortSignal): Promise<void>;
  /** Waits until everything is indexed. */
  untilIndexed(pipeline: Pipeline, signal: AbortSignal): Promise<void>;
  /** Runs a command as the user would, and shows what it prints. @throws if it fails */
  run(command: string, ...args: string[]): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const LOOK_INTERVAL_MS = 50;

export function createNarrator(options: {
  folder: string;
  /** Time to read, before each chapter but the first. */
  pauseMs: number;
  signal: AbortSignal;
}): Narrator {
  const { folder, pauseMs, signal } = options;
  const display = createDisplay(process.stdout);
  let chapters = 0;
  return {
    async step(title, work) {
      try {
        return await display.step(title, work);
      } finally {
        // Other text follows, which a live display would overwrite.
        if (chapters > 1) display.end();
      }
    },
    async chapter(title, text) {
      display.end();
      if (chapters > 0) await sleep(pauseMs, undefined, { signal });
      chapters += 1;
      print(`\n${chapters}. ${title}\n   ${text}\n`);
    },
    async untilPolled({ replay, eventSource }, polls, signal) {
      let before = replay?.clock.position?.slotMs;
      for (let seen = 0; seen < polls; await sleep(LOOK_INTERVAL_MS, undefined, { signal })) {
        const position = replay?.clock.position;
        if (!position?.polled || position.slotMs === before) continue;
        before = position.slotMs;
        seen += 1;
        print(
          `   polled ${formatTime(new Date(before).toISOString())}: ${waiting(eventSource.lagRecords())}`,
        );
      }
    },
    async untilIndexed({ eventSource }, signal) {
      while (eventSource.lagRecords() > 0) await sleep(LOOK_INTERVAL_MS, undefined, { signal });
      print(`   ${waiting(0)}`);
    },
    async run(command, ...args) {
      print(`   $ npm run ${[command, ...(args.length > 0 ? ['--', ...args] : [])].join(' ')}\n`);
      const child = spawn(
        process.execPath,
        [...process.execArgv, MAIN, command, ...args, '--folder', folder],
        {
          stdio: ['ignore', 'inherit', 'inherit'],
        },
      );
      const [code] = await once(child, 'close', { signal });
      if (code !== 0) throw new Error(`npm run ${command} ended with exit code ${code}`);
    },
  };
}

function waiting(lagRecords: number): string {
  return lagRecords === 0 ? 'everything is indexed' : `${formatCount(lagRecords)} tickers wait for the index`;
}
