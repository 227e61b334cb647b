import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { pythonTool } from '../../python/python-tool.ts';

/** Where people deploy; what CloudFormation offers, and how, differs by region. */
export const REGIONS = ['us-east-1', 'eu-central-1', 'ap-southeast-1'];

/** What cfn-lint has to say of templates, for each of the {@link REGIONS}; as JSON with `--format json`. */
export async function cfnLint(templates: readonly string[], ...options: string[]): Promise<string> {
  const bin = await pythonTool('cfn-lint');
  const args = [...options, '--regions', ...REGIONS, '--', ...templates];
  return new Promise((resolve, reject) => {
    execFile(`${bin}/cfn-lint`, args, { maxBuffer: 100 * 2 ** 20 }, (error, stdout, stderr) => {
      // It ends with an error, too, when it has found something.
      if (error && !stdout) reject(new Error(stderr || error.message, { cause: error }));
      else resolve(stdout);
    });
  });
}

/** A schema of CloudFormation's registry, or a part of one. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  enum?: unknown[];
  pattern?: string;
  definitions?: Record<string, Schema>;
  createOnlyProperties?: string[];
}

/** The schema that cfn-lint has of a type in a region; undefined if the region does not have it. */
export type SchemaOf = (type: string) => Schema | undefined;

export async function registrySchemas(region: string): Promise<SchemaOf> {
  const bin = await pythonTool('cfn-lint');
  const [folder] = globSync(`${bin}/../lib/python3*/site-packages/cfnlint/data/schemas`);
  const read = (path: string) => JSON.parse(readFileSync(`${folder}/${path}.json`, 'utf8'));
  const files = read(`providers/${region}`) as Record<string, string>;
  return (type) => (files[type] ? read(`resources/${files[type]}`) : undefined);
}
