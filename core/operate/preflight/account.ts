import { fail, ok, type Result, warn } from '../doctor/check.ts';
import { type FindingResult, withSettings } from './finding.ts';
import type { Account, Needs } from './ports.ts';

export async function checkIdentity(account: Account): Promise<Result> {
  const { account: id, arn, region } = await account.identity();
  const finding = `account ${id} in ${region}, as ${arn}`;
  const partition = arn.split(':')[1];
  return partition === 'aws'
    ? ok(finding)
    : fail(finding, `Choose a commercial region: the app does not support the partition ${partition}.`);
}

/** The lowest version that the templates' rule `CheckBootstrapVersion` accepts. */
const BOOTSTRAP_VERSION = 6;

export async function checkBootstrap(account: Account): Promise<Result> {
  const version = await account.bootstrapVersion();
  if (version === undefined) return warn('not yet', 'Run "npx cdk bootstrap" before the deployment.');
  return version >= BOOTSTRAP_VERSION
    ? ok(`version ${version}`)
    : fail(`version ${version}, but ${BOOTSTRAP_VERSION} is needed`, 'Run "npx cdk bootstrap" again.');
}

export async function checkStack(account: Account, { stage, statefulStack }: Needs): Promise<Result> {
  const status = await account.stackStatus(statefulStack);
  if (status === undefined) return ok(`${stage} is not deployed yet`);
  const finding = `${stage} is deployed (${status})`;
  if (/ROLLBACK_COMPLETE$|FAILED$/.test(status) && !status.startsWith('UPDATE_ROLLBACK_COMPLETE')) {
    return fail(finding, 'Delete the rest of it first: "npx cdk destroy --all".');
  }
  return ok(`${finding}: the checks below are about what is added to it`);
}

/** Most that Lambda allows to reserve leaves this many. */
const UNRESERVED_MINIMUM = 100;

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
export async function checkConcurrency(account: Account, { executions }: Needs): Promise<FindingResult> {
  const { quota, reserved } = await account.concurrency();
  const { assumedQuota } = executions;
  const finding = `a quota of ${quota}, ${reserved} of them reserved; the stage runs up to ${executions.atOnce} at once`;
  const right = quota === assumedQuota ? {} : { alarms: { concurrencyQuota: quota } };
  const raise = 'request a higher quota for Lambda\'s "concurrent executions"';
  if (executions.reserved > 0 && quota - reserved - executions.reserved < UNRESERVED_MINIMUM) {
    const result = fail(
      `${finding} and reserves ${executions.reserved}, but Lambda keeps ${UNRESERVED_MINIMUM} unreserved: the second stack would fail`,
      `Set "reservedConcurrency" to false, or ${raise}.`,
    );
    return withSettings(result, { reservedConcurrency: false, ...right });
  }
  if (quota - reserved < executions.atOnce) {
    const advice = `Functions will be throttled and polls will be late: ${raise}.`;
    return withSettings(warn(finding, advice), right);
  }
  if (quota === assumedQuota) return ok(finding);
  const advice = `Set "alarms.concurrencyQuota" to ${quota}: the alarm assumes ${assumedQuota}.`;
  return withSettings(warn(finding, advice), right);
}

/** Services create these roles themselves if the person deploying is allowed to. */
const SERVICE_ROLES = ['AWSServiceRoleForAmazonOpenSearchService', 'AWSServiceRoleForKafka'];

export async function checkServiceRoles(account: Account): Promise<Result> {
  const found = await Promise.all(SERVICE_ROLES.map((name) => account.hasRole(name)));
  const missing = SERVICE_ROLES.filter((_, position) => !found[position]);
  if (missing.length === 0) return ok(SERVICE_ROLES.join(', '));
  return ok(`the deployment creates ${missing.join(', ')}: its role needs iam:CreateServiceLinkedRole`);
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
const MOST_LOG_POLICIES = 10;
/**
 * MSK's broker logs are delivered under it; AWS creates it once in a region.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
 */
const DELIVERY_POLICY = 'AWSLogDeliveryWrite20150319';

export async function checkLogPolicies(account: Account, { logPolicy, brokers }: Needs): Promise<Result> {
  const policies = await account.logPolicies();
  const missing = [logPolicy, ...(brokers ? [DELIVERY_POLICY] : [])].filter(
    (name) => !policies.includes(name),
  );
  const finding = `${policies.length} of ${MOST_LOG_POLICIES}, ${missing.length} more needed`;
  if (policies.length + missing.length <= MOST_LOG_POLICIES) return ok(finding);
  return fail(
    finding,
    'Delete one that nobody needs ("aws logs describe-resource-policies"), or have it merged with another.',
  );
}

/** The VPC, and what its NAT gateways need. */
export async function checkNetwork(account: Account, { network, statefulStack }: Needs): Promise<Result> {
  if (!network) return ok('an existing VPC');
  if (await account.stackStatus(statefulStack)) return ok('its VPC is there');
  const [vpcs, addresses, natGateways] = await Promise.all([
    account.vpcs(),
    account.addresses(),
    account.natGateways(),
  ]);
  const perZone = Math.ceil(network.natGateways / network.zones);
  const wanted = [
    { ...vpcs, what: 'VPCs', needed: 1 },
    { ...addresses, what: 'elastic IP addresses', needed: network.natGateways },
    { ...natGateways, what: 'NAT gateways per zone', needed: perZone },
  ];
  const lines = wanted.map(
    ({ what, used, quota, needed }) => `${what} ${used} of ${quota}, ${needed} more needed`,
  );
  const over = wanted.filter(({ used, quota, needed }) => used + needed > quota).map(({ what }) => what);
  if (over.length === 0) return ok(lines.join('; '));
  return fail(lines.join('; '), `Release some, or request a higher quota: ${over.join(', ')}.`);
}
