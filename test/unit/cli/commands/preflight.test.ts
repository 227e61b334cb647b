import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { command } from '../../../../cli/commands/preflight.ts';
import { needsOf } from '../../../../cli/stage-needs.ts';
import type { Finding } from '../../../../core/operate/preflight/finding.ts';
import { preflight } from '../../../../core/operate/preflight/preflight.ts';
import { sourceNamed } from '../../../../exchanges/source-config.ts';
import { stageConfigByName } from '../../../../lib/config/stages.ts';
import { awsAccount } from '../../../../stores/aws/account.ts';
import { runHere } from '../../../run-here.ts';
import { recordedPayload } from '../../../samples/recorded-payloads.ts';
import { ExchangeServer } from '../../exchanges/exchange-server.ts';
import { AwsServer, establishedAccount, newAccount } from '../../stores/aws/aws-answers.ts';

const aws = new AwsServer();
const exchange = new ExchangeServer();
const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-preflight-'));

beforeAll(async () => {
  await Promise.all([aws.start(), exchange.start()]);
  vi.stubEnv('AWS_ENDPOINT_URL', aws.url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await Promise.all([aws.stop(), exchange.stop()]);
  rmSync(folder, { recursive: true });
});

/** The source that the stages poll, at an address that answers as recorded. */
const kraken = () => ({
  ...sourceNamed('kraken'),
  samplingIntervalMinutes: 2,
  apiUrl: exchange.url,
  apiIsPrivate: true,
});

/** As the command does, in this process. */
function checked(stage: string, own: object): Promise<Finding[]> {
  const config = stageConfigByName(stage, { sources: [kraken()], ...own });
  return preflight(awsAccount(), needsOf(config), { name: 'kraken', settings: {} });
}

describe('npm run preflight', () => {
  it('has nothing against an established account, and changes nothing there', async () => {
    aws.answers = establishedAccount();
    exchange.serve({
      '/0/public/Ticker': recordedPayload('kraken-ticker'),
      '/0/public/AssetPairs': recordedPayload('kraken-asset-pairs'),
    });
    const findings = await checked('dev', {});
    expect(findings.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(Object.fromEntries(findings.map(({ name, finding }) => [name, finding]))).toMatchObject({
      account: 'account 111122223333 in us-east-1, as arn:aws:iam::111122223333:user/someone',
      bootstrap: 'version 30',
      'Lambda executions': 'a quota of 1000, 0 of them reserved; the stage runs up to 8 at once',
      zones: 'us-east-1a (use1-az4), us-east-1b (use1-az6)',
      network:
        'VPCs 1 of 5, 1 more needed; elastic IP addresses 0 of 5, 1 more needed; NAT gateways per zone 0 of 5, 1 more needed',
      'broker type': 'kafka.m7g.large is accepted, kafka.t3.small too (docs/cost.md says what that saves)',
      OpenSearch: 'OpenSearch_3.5 on t3.medium.search',
      'source kraken': 'kraken answered this machine with 1 tickers',
    });
    const writes = aws.asked.filter((operation) => !/^(Get|List|Describe)/.test(operation));
    // For a cluster that cannot be created: of the type, of the smallest one, of one that does not exist.
    expect(new Set(writes)).toEqual(new Set(['CreateCluster']));
  });

  it('says what a new account lacks, what the stage costs, and writes the settings that it needs', async () => {
    aws.answers = newAccount();
    const [mine, proposed] = ['mine', 'proposed'].map((name) => join(folder, `${name}.json`)) as [
      string,
      string,
    ];
    const bybit = { ...sourceNamed('bybit:spot'), samplingIntervalMinutes: 2 };
    const own = { stream: { instanceType: 'kafka.t3.small' }, sources: [bybit], retention: { tickDays: 30 } };
    writeFileSync(mine, JSON.stringify(own));
    const args = ['--stage', 'prod', '--settings', mine, '--write', proposed, '--json'];
    const { code, stdout } = await runHere(command, ...args);
    const { ready, checks, settings } = JSON.parse(stdout) as Record<string, unknown> & { checks: Finding[] };
    expect({ code, ready }).toEqual({ code: 1, ready: false });
    const failed = checks.filter(({ status }) => status === 'fail');
    expect(failed.map(({ name }) => name)).toEqual([
      'Lambda executions',
      'zones',
      'broker type',
      'source bybit',
    ]);
    expect(failed[2]?.finding).toContain(
      'MSK refuses kafka.t3.small with 3.9.x.kraft: Unsupported InstanceType',
    );
    expect(checks.at(-1)?.finding).toMatch(/^about \$\d+ a month/);
    expect(JSON.parse(readFileSync(proposed, 'utf8'))).toEqual(settings);
    expect(settings).toMatchObject({
      retention: { tickDays: 30 },
      reservedConcurrency: false,
      alarms: { concurrencyQuota: 10 },
      network: { zones: ['us-east-1b', 'us-east-1c', 'us-east-1d'] },
      stream: { instanceType: 'kafka.m7g.large' },
      sources: [{ name: 'kraken' }],
    });
    const after = await checked('prod', { ...(settings as object), sources: [kraken()] });
    expect(after.filter(({ status }) => status === 'fail')).toEqual([]);
  }, 120_000);

  it('says what it may not look up', async () => {
    const { GetCallerIdentity } = establishedAccount();
    aws.answers = { GetCallerIdentity: GetCallerIdentity as object };
    const findings = await checked('dev', {});
    expect(findings.filter(({ status }) => status === 'ok').map(({ name }) => name)).toEqual([
      'account',
      'source kraken',
    ]);
    expect(findings.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(findings.find(({ name }) => name === 'log policies')?.finding).toBe(
      'AccessDenied: not allowed: DescribeResourcePolicies',
    );
  });
});
