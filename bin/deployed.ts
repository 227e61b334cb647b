import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { stackName } from '../lib/config/derived.ts';
import { type FixedValues, fixedValuesOf, refusedChanges } from '../lib/config/fixed-settings.ts';
import { type StageConfig, StageConfigError } from '../lib/config/stage-config.ts';

const READER = fileURLToPath(new URL('../cli/deployed-settings.ts', import.meta.url));
const PATIENCE_MS = 20_000;

/**
 * Refuses settings that the deployed stage cannot change to. Without credentials (CDK's command line sets the account if it
 * has any) nobody knows what is deployed, and nothing is refused.
 * @param accepted see `refusedChanges`
 * @throws StageConfigError
 */
export function requireUnchanged(config: StageConfig, accepted: readonly string[]): void {
  const { CDK_DEFAULT_ACCOUNT, CDK_DEFAULT_REGION } = process.env;
  if (!CDK_DEFAULT_ACCOUNT || !CDK_DEFAULT_REGION) return;
  const refused = refusedChanges(
    deployedValues(config.stage, CDK_DEFAULT_REGION),
    fixedValuesOf(config),
    accepted,
  );
  if (refused.length === 0) return;
  const lines = refused.map((change) => `- ${change}`);
  throw new StageConfigError(`Stage ${config.stage} is deployed, and\n${lines.join('\n')}`);
}

function deployedValues(stage: string, region: string): FixedValues {
  try {
    const args = [READER, stackName(stage, 'stateful')];
    const env = { ...process.env, AWS_REGION: region };
    const text = execFileSync(process.execPath, args, {
      env,
      encoding: 'utf8',
      timeout: PATIENCE_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return JSON.parse(text) as FixedValues;
  } catch (error) {
    const [reason = ''] =
      /^\w*(Error|Exception)\b.*$/m.exec(String((error as { stderr?: string }).stderr)) ?? [];
    console.error(`What is deployed of ${stage} is unknown, so its settings are not compared. ${reason}`);
    return {};
  }
}
