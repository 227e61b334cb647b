import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { resultOf, type Target, type TargetResult } from '../target.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Goals by the function's folder in `lambdas/`. */
const GOALS: Record<string, { importMs: number; kilobytes?: number }> = {
  index: { importMs: 150, kilobytes: 700 },
  ingest: { importMs: 250 },
};
/** Goals of the other functions. */
const GOAL = { importMs: 500 };

interface Bundle {
  /** Its folder in `lambdas/`. */
  name: string;
  file: string;
  environment: Record<string, string>;
}

/** How long `cdk synth` takes, and import time and size of the bundles it makes, each in a fresh Node process. */
export const coldStart: Target = async ({ folder, rounds }) => {
  const out = join(folder, 'cdk.out');
  const begunMs = Date.now();
  await run('npx', ['cdk', 'synth', '--quiet', '--output', out], { cwd: ROOT });
  const synthSeconds = (Date.now() - begunMs) / 1_000;
  const bundles = bundlesIn(out);
  for (const name of Object.keys(GOALS)) {
    if (!bundles.has(name)) throw new Error(`The assembly holds no bundle of lambdas/${name}/handler.ts.`);
  }
  const results: TargetResult[] = [resultOf('cdk synth', [synthSeconds], { atMost: 15 }, { unit: 's' })];
  for (const [name, bundle] of bundles) {
    const goal: { importMs: number; kilobytes?: number } = GOALS[name] ?? GOAL;
    const runs: number[] = [];
    for (let round = 0; round < rounds; round++) runs.push(await importMs(bundle));
    const kilobytes = statSync(bundle.file).size / 1_000;
    results.push(
      resultOf(
        `import of the ${name} bundle`,
        runs,
        { atMost: goal.importMs },
        { unit: 'ms', note: `${Math.round(kilobytes)} KB` },
      ),
    );
    if (goal.kilobytes !== undefined) {
      results.push(
        resultOf(`size of the ${name} bundle`, [kilobytes], { atMost: goal.kilobytes }, { unit: 'KB' }),
      );
    }
  }
  return results;
};

/** The bundles of an assembly: templates tell which asset a function runs, source maps which function it is. */
function bundlesIn(out: string): Map<string, Bundle> {
  const bundles = new Map<string, Bundle>();
  for (const template of readdirSync(out).filter((each) => each.endsWith('.template.json'))) {
    const { Resources } = JSON.parse(readFileSync(join(out, template), 'utf8')) as {
      Resources: Record<
        string,
        {
          Type: string;
          Metadata?: Record<string, string>;
          Properties?: { Environment?: { Variables?: Record<string, unknown> } };
        }
      >;
    };
    for (const { Type, Metadata, Properties } of Object.values(Resources)) {
      const asset = Metadata?.['aws:asset:path'];
      if (Type !== 'AWS::Lambda::Function' || !asset) continue;
      const file = join(out, asset, 'index.mjs');
      const name = readSources(`${file}.map`)
        ?.map((source) => /lambdas\/([^/]+)\/handler\.ts$/.exec(source)?.[1])
        .findLast((each) => each !== undefined);
      if (name === undefined) continue;
      const environment = Object.entries(Properties?.Environment?.Variables ?? {}).map(
        ([variable, value]) =>
          [variable, typeof value === 'string' ? value : standIn(variable, value)] as const,
      );
      bundles.set(name, { name, file, environment: Object.fromEntries(environment) });
    }
  }
  return bundles;
}

/** A placeholder for a value that is only known after deployment. */
function standIn(variable: string, value: unknown): string {
  if (variable.endsWith('_URL')) return 'https://bench.invalid';
  const [separator, parts] = (value as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join'] ?? [];
  if (parts) return parts.map((part) => (typeof part === 'string' ? part : 'arn:bench')).join(separator);
  return variable === 'KAFKA_CLUSTER_ARN' ? 'arn:aws:kafka:us-east-1:000000000000:cluster/bench/0' : 'bench';
}

function readSources(file: string): string[] | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { sources: string[] }).sources;
  } catch {
    return undefined; // one of CDK's own assets
  }
}

async function importMs({ file, environment }: Bundle): Promise<number> {
  const url = JSON.stringify(pathToFileURL(file).href);
  const script = `const t = performance.now(); await import(${url}); process.stdout.write('\\n' + (performance.now() - t)); process.exit(0)`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...environment, PATH: process.env.PATH, AWS_REGION: 'us-east-1' },
  });
  return Number(stdout.split('\n').at(-1));
}
