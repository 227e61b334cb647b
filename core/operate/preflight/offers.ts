import { fail, ok, type Result, warn } from '../doctor/check.ts';
import { type FindingResult, withSettings } from './finding.ts';
import type { Account, Needs, Zone } from './ports.ts';

/**
 * The zones that MSK refuses:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-msk-cluster-brokernodegroupinfo.html
 */
const NOT_FOR_MSK = ['use1-az3'];

/** A zone, and why the stage cannot use it. */
interface JudgedZone extends Zone {
  problem?: string;
}

/** The zones that the template would take, against those that MSK and OpenSearch are in. */
export async function checkZones(account: Account, needs: Needs): Promise<FindingResult> {
  const { network, brokers, search } = needs;
  if (!network) return ok('those of an existing VPC');
  const [zones, types] = await Promise.all([
    account.zones(),
    // If AWS does not answer, the check of the domain reports it.
    account.searchNodeTypes(search.version).catch(() => new Map<string, string[]>()),
  ]);
  const judged = zones.map((zone): JudgedZone => {
    const problem = problemOf(zone, brokers !== undefined, search.nodeTypes, types);
    return { ...zone, ...(problem ? { problem } : {}) };
  });
  const taken = (network.names ?? (await account.defaultZones())).slice(0, network.zones);
  const problems = taken.flatMap((name) => {
    const zone = judged.find((each) => each.name === name);
    if (!zone) return [`${name} does not exist here`];
    return zone.problem ? [`${textOf(zone)}: ${zone.problem}`] : [];
  });
  if (taken.length < network.zones)
    problems.push(`there are ${taken.length} zones instead of ${network.zones}`);
  const text = taken.map((name) => textOf(judged.find((each) => each.name === name) ?? { name, id: '?' }));
  if (problems.length === 0) return ok(text.join(', '));
  const good = judged.filter(({ problem }) => !problem).map(({ name }) => name);
  if (good.length < network.zones) {
    const fewer = good.length > 1 ? `set "network.availabilityZones" to ${good.length}, or ` : '';
    const advice = `${good.join(' and ') || 'No zone'} will do: ${fewer}choose another region.`;
    return fail(problems.join('; '), advice);
  }
  const names = good.slice(0, network.zones);
  const result = fail(problems.join('; '), `Set "network.zones" to ${JSON.stringify(names)}.`);
  return withSettings(result, { network: { zones: names } });
}

const textOf = ({ name, id }: Zone) => `${name} (${id})`;

function problemOf(
  { id, name }: Zone,
  forBrokers: boolean,
  nodeTypes: readonly string[],
  offered: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  if (forBrokers && NOT_FOR_MSK.includes(id)) return 'MSK refuses it';
  const missing = nodeTypes.filter((type) => {
    const zones = offered.get(type);
    return zones && zones.length > 0 && !zones.includes(name);
  });
  return missing.length > 0 ? `OpenSearch has no ${missing.join(', ')} there` : undefined;
}

export async function checkKafkaVersion(account: Account, { brokers }: Needs): Promise<Result> {
  if (!brokers) return ok('that of an existing cluster');
  const versions = await account.kafkaVersions();
  if (versions.includes(brokers.kafkaVersion)) return ok(brokers.kafkaVersion);
  const kraft = versions.filter((version) => version.endsWith('.kraft'));
  return fail(
    `MSK does not offer ${brokers.kafkaVersion} here`,
    `Set "stream.kafkaVersion" to one of ${kraft.join(', ') || 'its versions without ZooKeeper'}.`,
  );
}

/** The smallest broker, and one that MSK accepts with every version without ZooKeeper. */
const SMALLEST = 'kafka.t3.small';
const SAFE = 'kafka.m7g.large';

export async function checkBrokerType(account: Account, { brokers }: Needs): Promise<FindingResult> {
  if (!brokers) return ok('those of an existing cluster');
  const { instanceType, kafkaVersion } = brokers;
  const verdict = await account.brokerVerdict(instanceType, kafkaVersion);
  if ('refused' in verdict) {
    const finding = `MSK refuses ${instanceType} with ${kafkaVersion}: ${verdict.refused}`;
    if (instanceType === SAFE) return fail(finding, 'Set "stream.instanceType" to a type that it names.');
    const result = fail(finding, `Set "stream.instanceType" to "${SAFE}".`);
    return withSettings(result, { stream: { instanceType: SAFE } });
  }
  if ('unknown' in verdict) {
    const advice = 'If the deployment fails with "Unsupported InstanceType", choose another one.';
    return warn(`could not find out whether MSK accepts ${instanceType}: ${verdict.unknown}`, advice);
  }
  const smallest = instanceType === SMALLEST ? verdict : await account.brokerVerdict(SMALLEST, kafkaVersion);
  if (instanceType === SMALLEST || !('accepted' in smallest)) return ok(`${instanceType} is accepted`);
  return ok(`${instanceType} is accepted, ${SMALLEST} too (docs/cost.md says what that saves)`);
}

export async function checkSearch(account: Account, { search }: Needs): Promise<Result> {
  const { version, nodeTypes } = search;
  const versions = await account.searchVersions();
  if (!versions.includes(version)) {
    const newest = versions.filter((each) => each.startsWith('OpenSearch_')).slice(0, 3);
    return fail(
      `${version} is not offered here; available: ${newest.join(', ') || 'no version of OpenSearch'}`,
      'Choose a region that has it.',
    );
  }
  const offered = await account.searchNodeTypes(version);
  const missing = nodeTypes.filter((type) => !offered.has(type));
  if (missing.length === 0) return ok(`${version} on ${nodeTypes.join(', ')}`);
  return fail(
    `${missing.join(', ')} is not offered here with ${version}`,
    'Choose another one ("aws opensearch list-instance-type-details" lists them) as "search.dataNodeType" or "search.managers.nodeType".',
  );
}
