import type { Command } from 'commander';
import { vi } from 'vitest';

class Exit extends Error {}

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command of the program in this process: to start one takes a hundred times as long. */
export async function runHere(command: Command, ...args: string[]): Promise<Ended> {
  const written = { stdout: '', stderr: '' };
  const { exitCode } = process;
  process.exitCode = undefined;
  let code: number | undefined;
  const spies = [
    ...(['stdout', 'stderr'] as const).map((name) =>
      vi.spyOn(process[name], 'write').mockImplementation((text: unknown, ...rest: unknown[]) => {
        written[name] += String(text);
        const done = rest.at(-1);
        if (typeof done === 'function') done();
        return true;
      }),
    ),
    vi.spyOn(process, 'exit').mockImplementation((given) => {
      code ??= Number(given ?? process.exitCode ?? 0);
      throw new Exit();
    }),
    // They would outlive the command: for signals, and for the reader of the output that has left.
    vi.spyOn(process, 'on').mockReturnThis(),
    vi.spyOn(process.stdout, 'on').mockReturnThis(),
  ];
  try {
    await command.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
  } finally {
    code ??= Number(process.exitCode ?? 0);
    process.exitCode = exitCode;
    for (const spy of spies) spy.mockRestore();
  }
  return { code, ...written };
}
