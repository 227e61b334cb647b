import { withinTime } from '../../runtime/wait.ts';
import {
  checkBootstrap,
  checkConcurrency,
  checkIdentity,
  checkLogPolicies,
  checkNetwork,
  checkServiceRoles,
  checkStack,
} from './account.ts';
import type { Finding, FindingResult } from './finding.ts';
import { checkBrokerType, checkKafkaVersion, checkSearch, checkZones } from './offers.ts';
import type { Account, Needs } from './ports.ts';
import { checkSource, type SafeSource } from './sources.ts';

/** A check that takes longer than this hangs. */
const CHECK_MS = 30_000;

/**
 * What would fail in a deployment to this account and region, before anything is created or paid for.
 * @returns only the first finding if nobody is signed in
 */
export async function preflight(account: Account, needs: Needs, safe: SafeSource): Promise<Finding[]> {
  const identity = await check('account', () => checkIdentity(account), 'fail');
  if (identity.status === 'fail') return [identity];
  const { region } = await account.identity();
  const checks: [name: string, look: () => Promise<FindingResult>][] = [
    ['stage', () => checkStack(account, needs)],
    ['bootstrap', () => checkBootstrap(account)],
    ['Lambda executions', () => checkConcurrency(account, needs)],
    ['zones', () => checkZones(account, needs)],
    ['network', () => checkNetwork(account, needs)],
    ['Kafka version', () => checkKafkaVersion(account, needs)],
    ['broker type', () => checkBrokerType(account, needs)],
    ['OpenSearch', () => checkSearch(account, needs)],
    ['service roles', () => checkServiceRoles(account)],
    ['log policies', () => checkLogPolicies(account, needs)],
    ...needs.sources.map((source): [string, () => Promise<FindingResult>] => [
      `source ${source.name}`,
      () => checkSource(source, region, safe),
    ]),
  ];
  return [identity, ...(await Promise.all(checks.map(([name, look]) => check(name, look, 'warn'))))];
}

/** @param statusOfErrors of a check that could not be made, which mostly is no reason not to deploy */
async function check(
  name: string,
  look: () => Promise<FindingResult>,
  statusOfErrors: 'warn' | 'fail',
): Promise<Finding> {
  try {
    const late = () => new Error(`no answer within ${CHECK_MS / 1_000} s`);
    return { name, ...(await withinTime(CHECK_MS, look(), late)) };
  } catch (error) {
    const { name: kind, message } = error as Error;
    const advice =
      statusOfErrors === 'fail'
        ? 'Check AWS_PROFILE (or the credentials) and AWS_REGION.'
        : 'It stays open. AWS\'s policy "ReadOnlyAccess" has the permissions, all but kafka:CreateCluster.';
    return { name, status: statusOfErrors, finding: `${kind}: ${message}`, advice };
  }
}
