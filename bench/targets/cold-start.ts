import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { type BenchContext, resultOf, type Target, type TargetResult } from '../target.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What is to be reached, by the function's folder under `lambdas/`. */
const GOALS: Record<string, { importMs: number; kilobytes?: number }> = {
  index: { importMs: 150, kilobytes: 700 },
  ingest: { importMs: 250 },
};

/** Import time and size of the bundles that `cdk synth` makes for Lambda, each in a fresh Node. */
export const coldStart: Target = async ({ folder, rounds, urls }) => {
  const out = join(folder, 'cdk.out');
  await run('npx', ['cdk', 'synth', '--quiet', '--output', out], { cwd: ROOT });
  const results: TargetResult[] = [];
  for (const [name, goal] of Object.entries(GOALS)) {
    const bundle = bundleOf(out, name);
    const runs: number[] = [];
    for (let round = 0; round < rounds; round++) runs.push(await importMs(bundle, urls));
    results.push(resultOf(`import of the ${name} bundle`, runs, { atMost: goal.importMs }, { unit: 'ms' }));
    if (goal.kilobytes !== undefined) {
      const kilobytes = statSync(bundle).size / 1_000;
      results.push(
        resultOf(`size of the ${name} bundle`, [kilobytes], { atMost: goal.kilobytes }, { unit: 'KB' }),
      );
    }
  }
  return results;
};

/** The bundle of a function: the assembly's templates say which asset it runs, its environment which function it is. */
function bundleOf(out: string, name: string): string {
  for (const file of readdirSync(out).filter((each) => each.endsWith('.template.json'))) {
    const { Resources } = JSON.parse(readFileSync(join(out, file), 'utf8')) as {
      Resources: Record<string, { Type: string; Metadata?: Record<string, string> }>;
    };
    for (const { Type, Metadata } of Object.values(Resources)) {
      const asset = Metadata?.['aws:asset:path'];
      if (Type !== 'AWS::Lambda::Function' || !asset) continue;
      const bundle = join(out, asset, 'index.mjs');
      const map = readSourceMap(`${bundle}.map`);
      if (map?.some((source) => source.endsWith(`lambdas/${name}/handler.ts`))) return bundle;
    }
  }
  throw new Error(`The assembly holds no bundle of lambdas/${name}/handler.ts.`);
}

function readSourceMap(file: string): string[] | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { sources: string[] }).sources;
  } catch {
    return undefined; // an asset of CDK's own
  }
}

async function importMs(bundle: string, urls: BenchContext['urls']): Promise<number> {
  const script = `const t = performance.now(); await import(${JSON.stringify(pathToFileURL(bundle).href)}); process.stdout.write(String(performance.now() - t)); process.exit(0)`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], {
    env: {
      PATH: process.env.PATH,
      AWS_REGION: 'us-east-1',
      OPENSEARCH_URL: urls.openSearch,
      LAKE_BUCKET: 'bench',
      PARTIAL_BATCH_RESPONSE: 'false',
      KAFKA_BROKERS: urls.kafka,
      KAFKA_TOPIC: 'bench',
      TICKER_SOURCE: '{"name":"bench","exchange":"bench","api":"bybit-v5","categories":["linear"]}',
    },
  });
  return Number(stdout);
}
