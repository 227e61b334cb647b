import { createInterface } from 'node:readline/promises';
import { PassThrough } from 'node:stream';
import { expect, it, vi } from 'vitest';
import { runPrompt } from '../../../../cli/sql/prompt.ts';

const [CTRL_C, CTRL_D, UP] = ['\u0003', '\u0004', '\u001b[A'];

/** A terminal at which somebody types. */
function openTerminal(answer: (sql: string) => Promise<void> = async () => {}) {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = '';
  output.on('data', (chunk) => {
    shown += chunk;
  });
  const terminal = createInterface({ input, output, terminal: true, history: ['SELECT old;'] });
  const asked: string[] = [];
  const said: string[] = [];
  const interrupt = vi.fn();
  const ended = runPrompt(terminal, {
    say: (line) => said.push(line),
    interrupt,
    answer(sql) {
      asked.push(sql);
      return answer(sql);
    },
  });
  const type = (text: string) => input.write(text);
  return { type, asked, said, interrupt, ended, shown: () => shown };
}

it('takes a query of several lines, then one of earlier, and ends with Ctrl-D', async () => {
  const { type, asked, ended } = openTerminal();
  type('SELECT 1,\r  2;\r'); // pasted
  await vi.waitFor(() => expect(asked).toEqual(['SELECT 1,\n  2;']));
  type(`${UP}${UP}${UP}\r`);
  await vi.waitFor(() => expect(asked[1]).toBe('SELECT old;'));
  type(CTRL_D as string);
  await ended;
});

it('forgets with Ctrl-C what was begun, and ends a query that is answered', async () => {
  let finish = () => {};
  const { type, asked, said, interrupt, ended, shown } = openTerminal(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  type('SELECT nonsense\r');
  await vi.waitFor(() => expect(shown()).toContain('  -> '));
  type(CTRL_C as string);
  await vi.waitFor(() => expect(said).toContain(''));
  type('SELECT 3;\r');
  await vi.waitFor(() => expect(asked).toEqual(['SELECT 3;']));
  expect(interrupt).not.toHaveBeenCalled();
  type(CTRL_C as string);
  await vi.waitFor(() => expect(interrupt).toHaveBeenCalledOnce());
  finish();
  type('.help\r');
  await vi.waitFor(() => expect(said.at(-1)).toContain('semicolon'));
  type('.nothing\r');
  await vi.waitFor(() => expect(said.at(-1)).toContain('There is no .nothing.'));
  type('exit\r');
  await ended;
});
