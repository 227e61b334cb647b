import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Shell code in a document that calls the AWS command line. */
export interface DocumentedCommand {
  document: string;
  code: string;
}

/** Fenced blocks, then code within sentences. */
const BLOCK = /^ *```[^\n]*\n(.*?)^ *```$/gms;
const SPAN = /`([^`]+)`/g;
const CALLS_AWS = /(^|[\s($|])aws [a-z]/;
const FUNCTION = /^(\w+)\(\) \{.*\}$/gm;

/** The code of a Markdown text that calls `aws`. Functions that the text defines are there, and called once. */
export function commandsIn(document: string, markdown: string): DocumentedCommand[] {
  const blocks = [...markdown.matchAll(BLOCK)].map(([, code = '']) => code);
  const prose = markdown.replaceAll(BLOCK, '').replaceAll('\\|', '|');
  const spans = [...prose.matchAll(SPAN)].map(([, code = '']) => code.replaceAll('\n', ' '));
  const functions = [...markdown.matchAll(FUNCTION)];
  const definitions = functions.map(([definition]) => definition);
  return [...blocks.filter((code) => CALLS_AWS.test(code)), ...spans.filter((code) => CALLS_AWS.test(code))]
    .map((code) => [...definitions, code].join('\n'))
    .concat(functions.map(([, name]) => [...definitions, `${name} X Y`].join('\n')))
    .map((code) => ({ document, code }));
}

/** What stands for something that only a deployment knows. */
export interface Values {
  /** A name, an ARN, an address, a password. */
  any: string;
  bucket: string;
  uuid: string;
}

/**
 * The arguments of each call of `aws` when a shell runs the code, with values for placeholders such as `<Name>` and for
 * what `aws` prints. The shell finds no other tool.
 */
export function argumentsOf(code: string, values: Values): string[][] {
  const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-aws-'));
  try {
    const [calls, tools] = [join(folder, 'calls'), join(folder, 'tools')];
    for (const each of [calls, tools]) mkdirSync(each);
    const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
    const aws = [
      '#!/bin/bash',
      `printf '%s\\0' "$@" > "$(/usr/bin/mktemp ${calls}/XXXXXXXX)"`,
      `case "$*" in *BucketName*) echo ${values.bucket} ;; *) echo ${quoted(values.any)} ;; esac`,
    ];
    writeFileSync(join(tools, 'aws'), aws.join('\n'));
    chmodSync(join(tools, 'aws'), 0o755);
    const filled = code
      .replaceAll(/<[\w ]+>/g, () => quoted(values.any))
      .replaceAll(/\bUUID$/gm, values.uuid);
    execFileSync('/bin/bash', ['-c', `${filled}\ntrue`], {
      cwd: folder,
      env: { PATH: tools },
      stdio: 'ignore',
    });
    return readdirSync(calls).map((name) => readFileSync(join(calls, name), 'utf8').split('\0').slice(0, -1));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
