import { Command } from 'commander';
import { runCommand } from './run-command.ts';

/**
 * A command of the program, e.g. `verify` for `npm run verify`.
 * @param failureCode the exit code for bad usage: 2, so that 1 can mean "the answer is no"
 */
export function createCommand(
  name: string,
  description: string,
  { help, failureCode = 2 }: { help: string; failureCode?: number },
): Command {
  return new Command(name)
    .description(description)
    .configureHelp({ commandUsage: (command) => `${invocationOf(command)} ${command.usage()}` })
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : failureCode))
    .addHelpText('after', `\n${help}`);
}

/** What the user types: `npm run insights -- average`. */
function invocationOf(command: Command): string {
  const names: string[] = [];
  for (let each: Command | null = command; each; each = each.parent) names.unshift(each.name());
  const [name, ...questions] = names.slice(names[0] === PROGRAM_NAME ? 1 : 0);
  return [name === 'start' ? 'npm start' : `npm run ${name}`, '--', ...questions].join(' ');
}

export const PROGRAM_NAME = 'cli/main.ts';

/** An action for commander: runs the work, then ends the process with its exit code. */
export function perform<Args extends unknown[]>(
  work: (signal: AbortSignal, ...args: Args) => Promise<number>,
  failureCode?: number,
) {
  return async (...args: Args): Promise<void> => {
    process.exitCode = await runCommand((signal) => work(signal, ...args), failureCode);
    // Once everything is written.
    await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
    process.exit();
  };
}
