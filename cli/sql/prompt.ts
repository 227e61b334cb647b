import type { Interface } from 'node:readline/promises';

const HELP = `A query ends with a semicolon and may have several lines. Ctrl-C leaves it, Ctrl-D or .exit ends the prompt.
  DESCRIBE tickers;     the columns of a view: tickers, candles, moves, coverage
  .help, .exit`;

/**
 * Reads queries until the user has enough.
 * @param answer prints the answer, or why there is none; never throws
 * @param interrupt ends the query that is being answered
 */
export async function runPrompt(
  terminal: Interface,
  {
    say,
    answer,
    interrupt,
  }: { say: (line: string) => void; answer: (sql: string) => Promise<void>; interrupt: () => void },
): Promise<void> {
  const closed = new AbortController();
  let asking = new AbortController();
  let isAnswering = false;
  terminal.on('close', () => closed.abort());
  terminal.on('SIGINT', () => (isAnswering ? interrupt() : asking.abort()));
  say('.help says what there is.');
  let begun: string[] = [];
  while (!closed.signal.aborted) {
    asking = new AbortController();
    const signal = AbortSignal.any([closed.signal, asking.signal]);
    const line = await terminal
      .question(begun.length === 0 ? 'sql> ' : '  -> ', { signal })
      .catch(() => undefined);
    if (line === undefined) {
      begun = [];
      say('');
      continue;
    }
    const command = begun.length === 0 ? line.trim().replace(/;$/, '') : '';
    if (['.exit', '.quit', 'exit', 'quit'].includes(command)) return;
    if (command.startsWith('.')) {
      say(command === '.help' ? HELP : `There is no ${command}. ${HELP}`);
      continue;
    }
    begun.push(line);
    const sql = begun.join('\n');
    if (sql.trim() === '') begun = [];
    if (!sql.trimEnd().endsWith(';') || begun.length === 0) continue;
    begun = [];
    isAnswering = true;
    await answer(sql);
    isAnswering = false;
  }
}
