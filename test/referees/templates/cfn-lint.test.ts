import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STAGE_NAMES, type StageName } from '../../../lib/config/stages.ts';
import { NATIVE_PACKAGES, nativePackage } from '../../../lib/functions/native-package.ts';
import { cfnLint } from './cfn-lint.ts';

/**
 * Of what CloudFormation takes, a fifth is kept free for settings that add to it.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
 */
const MOST = { resources: 0.8 * 500, bytes: 0.8 * 1_000_000 };

const root = fileURLToPath(new URL('../../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-synth-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = promisify(execFile);

/** An environment without AWS credentials or a network. */
const NO_CREDENTIALS = {
  PATH: process.env.PATH,
  HOME: folder,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
  AWS_EC2_METADATA_DISABLED: 'true',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  HTTP_PROXY: 'http://127.0.0.1:9',
};

/** Another folder with the app, at another depth. */
function copyOfTheApp(): string {
  const copy = join(folder, 'some/where/else');
  const left = ['.git', '.local', 'cdk.out', 'node_modules', 'test'].map((name) => join(root, name));
  cpSync(root, copy, { recursive: true, filter: (path) => !left.includes(path) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  mkdirSync(join(copy, '.local'));
  symlinkSync(NATIVE_PACKAGES, join(copy, '.local/native-packages'));
  return copy;
}

/** Where each stage is synthesised; the bundles must not show it. */
const APPS: Record<StageName, string> = { dev: root, prod: copyOfTheApp() };

/** Runs `cdk synth` as a user would and returns the template files. */
async function synth(stage: StageName): Promise<string[]> {
  const output = join(folder, stage);
  await run(
    process.execPath,
    [
      join(root, 'node_modules/aws-cdk/bin/cdk'),
      'synth',
      '--strict',
      '--quiet',
      '--no-notices',
      '-c',
      `stage=${stage}`,
      '-c',
      'acceptUnattended=true',
      '-o',
      output,
    ],
    { cwd: APPS[stage], env: NO_CREDENTIALS },
  );
  return readdirSync(output)
    .filter((name) => name.endsWith('.template.json'))
    .map((name) => join(output, name));
}

const templates = {} as Record<StageName, string[]>;

const DUCKDB = '@duckdb/node-bindings-linux-arm64';

beforeAll(async () => {
  // The one thing that needs a network, once.
  nativePackage(DUCKDB);
  for (const stage of STAGE_NAMES) templates[stage] = await synth(stage);
}, 600_000);

describe.each(STAGE_NAMES)('cdk synth of %s', (stage) => {
  it('needs neither credentials nor a network', () => {
    expect(templates[stage].map((file) => file.slice(file.lastIndexOf('/') + 1)).sort()).toEqual([
      ...['stateful', 'stateless'].map((part) => `crypto-market-insights-${stage}-${part}.template.json`),
      // Its only source.
      expect.stringMatching(/Sourcekraken\w*\.nested\.template\.json$/),
    ]);
  });

  it('keeps its templates far below the limits of CloudFormation', () => {
    for (const file of templates[stage]) {
      const { Resources } = JSON.parse(readFileSync(file, 'utf8'));
      expect(Object.keys(Resources).length, file).toBeLessThan(MOST.resources);
      expect(statSync(file).size, file).toBeLessThan(MOST.bytes);
    }
  });

  it('writes templates without cfn-lint findings except W3005, for any of three regions', async () => {
    // W3005: CDK writes dependencies that a reference already implies.
    const stdout = await cfnLint(templates[stage], '--ignore-checks', 'W3005', '--format', 'parseable');
    expect(stdout).toBe('');
  });
});

interface Component {
  name: string;
  properties?: { name: string }[];
}

describe('the bundles', () => {
  it('are the same byte for byte, whichever folder they are made in', () => {
    const bundlesOf = (stage: StageName) =>
      globSync('asset.*/index.mjs*', { cwd: join(folder, stage) })
        .map((file) => hash('sha256', readFileSync(join(folder, stage, file))))
        .sort();
    expect(bundlesOf('dev').length).toBeGreaterThan(10);
    expect(bundlesOf('prod')).toEqual(bundlesOf('dev'));
  });

  it('of compact alone has DuckDB, compiled for Lambda, and fits into one', () => {
    const [bundle, ...others] = globSync(`asset.*/node_modules/${DUCKDB}`, { cwd: join(folder, 'dev') });
    expect(others).toEqual([]);
    const files = globSync('**/*', { cwd: join(folder, 'dev', bundle as string) });
    expect(files.sort()).toEqual(['LICENSE', 'README.md', 'duckdb.node', 'libduckdb.so', 'package.json']);
    const [asset = ''] = (bundle as string).split('/');
    const all = globSync('**/*', { cwd: join(folder, 'dev', asset) });
    const sizes = all
      .map((name) => statSync(join(folder, 'dev', asset, name)))
      .filter((each) => each.isFile());
    const bytes = sizes.reduce((sum, { size }) => sum + size, 0);
    // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    expect(bytes).toBeLessThan(250 * 2 ** 20);
    // Its name is the hash of all of it.
    expect(globSync(asset, { cwd: join(folder, 'prod') })).toEqual([asset]);
    const library = readFileSync(join(folder, 'dev', bundle as string, 'libduckdb.so'));
    // e_machine of ELF: AArch64.
    expect(library.readUInt16LE(18)).toBe(183);
  });

  it('hold no package but production ones of the bill of materials', async () => {
    const { stdout } = await run('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
      cwd: root,
      maxBuffer: 50_000_000,
    });
    const isForDevelopment = ({ properties = [] }: Component) =>
      properties.some(({ name }) => name === 'cdx:npm:package:development');
    const shipped = (JSON.parse(stdout) as { components: Component[] }).components
      .filter((each) => !isForDevelopment(each))
      .map(({ name }) => name);
    const bundled = globSync('asset.*/index.mjs.map', { cwd: join(folder, 'dev') }).flatMap((file) => {
      const { sources } = JSON.parse(readFileSync(join(folder, 'dev', file), 'utf8')) as {
        sources: string[];
      };
      return sources.flatMap((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? []);
    });
    expect(bundled).toContain('ccxt');
    expect([...new Set(bundled)].filter((name) => !shipped.includes(name))).toEqual([]);
  });
});

describe('an invalid value', () => {
  it('fails cdk synth with a message that names it', async () => {
    await expect(
      run(
        process.execPath,
        [
          join(root, 'node_modules/aws-cdk/bin/cdk'),
          'synth',
          '--quiet',
          '-c',
          'kafkaClusterArn=mine',
          '-o',
          join(folder, 'wrong'),
        ],
        { cwd: root, env: NO_CREDENTIALS },
      ),
    ).rejects.toMatchObject({
      stderr: expect.stringContaining(
        'stream.existing.clusterArn: must be the ARN of an MSK cluster (got "mine")',
      ),
    });
  });
});

describe('prod with nobody to page and no budget', () => {
  it('fails with a sentence that says what is missing, before anything is built', async () => {
    const env = { ...NO_CREDENTIALS, CDK_CONTEXT_JSON: JSON.stringify({ stage: 'prod' }) };
    await expect(
      run(process.execPath, [join(root, 'bin/pipeline.ts')], { cwd: root, env }),
    ).rejects.toMatchObject({
      code: 1,
      stderr:
        'Nobody is paged when data stops arriving (alarms.pages, or a chat room with the topic pages), and nobody is told that it costs more than planned (budget): name them in the settings of prod (docs/aws.md), or accept it with -c acceptUnattended=alarms.pages,budget.\n',
    });
  });
});
