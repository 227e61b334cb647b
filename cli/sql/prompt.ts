import type { Interface } from 'node:readline/promises';

const HELP = `A query ends with a semicolon and may have several lines. Ctrl-C leaves it, Ctrl-D or .exit ends the prompt.
  DESCRIBE tickers;     the columns of a view: tickers, candles, moves, coverage
  .help, .exit`;

const EXITS = ['.exit', '.quit', 'exit', 'quit'];

export interface PromptActions {
  say: (line: string) => void;
  /** Prints the answer, or why there is none; never throws. */
  answer: (sql: string) => Promise<void>;
  /** Ends the query that is being answered. */
  interrupt: () => void;
}

/** Reads queries until the user quits. Lines that are pasted, or typed ahead, wait for their turn. */
export async function runPrompt(
  terminal: Interface,
  { say, answer, interrupt }: PromptActions,
): Promise<void> {
  const lines: string[] = [];
  let isOver = false;
  let isAnswering = false;
  let begun: string[] = [];
  let wake = () => {};
  terminal.on('line', (line) => {
    lines.push(line);
    wake();
  });
  terminal.on('close', () => {
    isOver = true;
    wake();
  });
  const showPrompt = () => {
    terminal.setPrompt(begun.length === 0 ? 'sql> ' : '  -> ');
    terminal.prompt();
  };
  terminal.on('SIGINT', () => {
    if (isAnswering) return interrupt();
    begun = [];
    terminal.write(null, { ctrl: true, name: 'e' });
    terminal.write(null, { ctrl: true, name: 'u' }); // what is typed, up to the cursor
    say('');
    showPrompt();
  });
  say('.help says what there is.');
  for (;;) {
    if (lines.length === 0 && !isOver) {
      showPrompt();
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    const line = lines.shift();
    if (line === undefined) {
      if (isOver) return;
      continue;
    }
    const command = begun.length === 0 ? line.trim().replace(/;$/, '') : '';
    if (EXITS.includes(command)) return;
    if (command.startsWith('.')) {
      say(command === '.help' ? HELP : `There is no ${command}. ${HELP}`);
      continue;
    }
    if (begun.length > 0 || command !== '') begun.push(line);
    if (!line.trimEnd().endsWith(';') || begun.length === 0) continue;
    const sql = begun.join('\n');
    begun = [];
    isAnswering = true;
    await answer(sql);
    isAnswering = false;
  }
}
