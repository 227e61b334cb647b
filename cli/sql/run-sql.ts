import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import type { ColumnReads } from '../../core/columns/selection.ts';
import { readTextIfThere, writeFileAtomically } from '../../local/atomic-file.ts';
import { LakeSession, type SessionLimits } from '../../stores/duckdb/lake-session.ts';
import { note } from '../print.ts';
import { type AnswerFlags, answer, asideOf } from './answer.ts';
import { runPrompt } from './prompt.ts';

export interface SqlFlags extends AnswerFlags {
  folder: string;
  stage?: string;
  s3?: string;
  /** ISO 8601 UTC. */
  from?: string;
  to?: string;
  exchange?: string;
  category?: string;
  symbol?: string[];
  cacheGb: number;
}

/** No query was given, and there is no terminal for a prompt. */
export class NoQueryError extends Error {
  override readonly name = 'NoQueryError';
}

/** Answers the query or, without one, those that the user types. */
export async function runSql(
  objects: ColumnReads,
  query: string | undefined,
  flags: SqlFlags,
  signal: AbortSignal,
): Promise<number> {
  const isPrompt = query === undefined && process.stdin.isTTY;
  const sql = query ?? (isPrompt ? '' : await text(process.stdin));
  if (sql.trim() === '' && (!isPrompt || flags.parquet !== undefined)) {
    throw new NoQueryError(
      'There is no query. Give one such as "SELECT count(*) FROM tickers", or type it at the prompt.',
    );
  }
  const aside = asideOf(flags);
  const options = {
    cacheFolder: join(flags.folder, 'lake-cache'),
    mostCacheBytes: flags.cacheGb * 1e9,
    memory: '1GB',
    threads: Math.min(4, availableParallelism()),
  };
  const session = await LakeSession.open(objects, limitsOf(flags), options, aside ? [aside] : []);
  signal.addEventListener('abort', () => session.interrupt());
  try {
    const confirm = process.stdin.isTTY ? askOnce : undefined;
    if (isPrompt) await promptFor(session, flags, signal);
    else await answer(session, sql, flags, { signal, aside, confirm });
  } finally {
    await session[Symbol.asyncDispose]();
  }
  return 0;
}

function limitsOf({ from, to, exchange, category, symbol: symbols }: SqlFlags): SessionLimits {
  const [fromMs, toMs] = [from, to].map((time) => (time === undefined ? undefined : Date.parse(time)));
  return { exchange, category, symbols, fromMs, toMs };
}

async function askOnce(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await askOn(terminal, question);
  } finally {
    terminal.close();
  }
}

async function askOn(terminal: Interface, question: string): Promise<boolean> {
  return /^\s*y/i.test(await terminal.question(question));
}

const HISTORY_LINES = 1_000;

async function promptFor(session: LakeSession, flags: SqlFlags, signal: AbortSignal): Promise<void> {
  const file = join(flags.folder, 'sql-history');
  const history = (readTextIfThere(file) ?? '').split('\n').filter((line) => line !== '');
  const { stdin: input, stdout: output } = process;
  const terminal = createInterface({
    input,
    output,
    history,
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
  });
  // The newest first.
  terminal.on('history', (lines: string[]) => writeFileAtomically(file, `${lines.join('\n')}\n`));
  try {
    await runPrompt(terminal, {
      say: note,
      interrupt: () => session.interrupt(),
      async answer(sql) {
        const confirm = (question: string) => askOn(terminal, question);
        await answer(session, sql, flags, { signal, confirm }).catch((error: Error) =>
          note(`✖ ${error.message}`),
        );
      },
    });
  } finally {
    terminal.close();
  }
}
