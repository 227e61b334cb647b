import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A command of the CDK failed. */
export class CdkError extends Error {
  override readonly name = 'CdkError';
}

/** Runs the CDK's command line as a user does, and returns what it printed. */
export type Cdk = (...args: string[]) => Promise<string>;

/** @param logFile keeps the output of the commands */
export function cdkCommand(environment: Record<string, string>, logFile: string): Cdk {
  return async (...args) => {
    const child = spawn(process.execPath, [join(root, 'node_modules/aws-cdk/bin/cdk'), ...args], {
      cwd: root,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, CI: 'true', NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = `$ cdk ${args.join(' ')}\n`;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    appendFileSync(logFile, output);
    if (status !== 0) throw new CdkError(`cdk ${args[0]} failed (${status}):\n${output.slice(-4_000)}`);
    return output;
  };
}
