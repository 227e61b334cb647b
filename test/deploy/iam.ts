import { join } from 'node:path';
import { IAMClient } from '@aws-sdk/client-iam';
import { beforeAll, expect, it } from 'vitest';
import {
  bucketPolicyOf,
  type Call,
  callsOfKafka,
  callsOfKey,
  isAllowed,
  keyPolicyIn,
  type Policy,
  policiesOf,
  recordedCalls,
  unusedPermissions,
} from './permissions.ts';
import { isListed } from './permissions-list.ts';
import type { Stage } from './stage.ts';

/** Compares what the roles may do with what they did. */
export function onlyWhatIsAllowed(stage: () => Stage): void {
  let policies: Map<string, Policy[]>;
  let calls: Call[];

  beforeAll(async () => {
    const { stacks } = stage();
    const { aws, callsFile } = stage().local;
    policies = await policiesOf(new IAMClient(aws), stacks);
    const key = /arn:aws:kms:[\w:-]+:key\/[\w-]+/.exec(JSON.stringify([...policies.values()]))?.[0] as string;
    const made = recordedCalls(callsFile, stacks);
    calls = [...made, ...made.flatMap((call) => callsOfKey(call, key)), ...callsOfBrokers()];
  });

  /** The functions' requests to the brokers. */
  function callsOfBrokers(): Call[] {
    const { cluster, topic, consumerGroup, local } = stage();
    const of = (what: string, name: string) => `${cluster.replace(':cluster/', `:${what}/`)}/${name}`;
    const arns = { cluster, topic: of('topic', topic), group: of('group', consumerGroup) };
    return [...local.kafkaFront.requests].flatMap(([role, requests]) => callsOfKafka(role, requests, arns));
  }

  it('allows every call that the functions made, as another evaluator sees it', async () => {
    const { s3, bucket, assembly, stacks } = stage();
    const own: Record<string, Policy> = {
      s3: await bucketPolicyOf(s3, bucket),
      kms: keyPolicyIn(join(assembly, `${stacks[0]}.template.json`)),
    };
    const refused: Call[] = [];
    for (const call of calls) {
      const [service = ''] = call.action.split(':');
      if (!(await isAllowed(call, policies.get(call.role) ?? [], own[service]))) refused.push(call);
    }
    expect(calls.length).toBeGreaterThan(50);
    expect(refused).toEqual([]);
  });

  it('lets Lambda manage the network interfaces of functions, but not the code of one', async () => {
    const inVpc = [...policies].flatMap(([role, documents]) =>
      JSON.stringify(documents).includes('ec2:CreateNetworkInterface') ? role : [],
    );
    expect(inVpc.length).toBeGreaterThan(7);
    const functions = await stage().local.identities.functionsByRole();
    for (const role of inVpc) {
      const byCode = { 'lambda:SourceFunctionArn': functions.get(role) as string };
      for (const action of ['ec2:DeleteNetworkInterface', 'ec2:UnassignPrivateIpAddresses']) {
        const resource = 'arn:aws:ec2:us-east-1:000000000000:network-interface/eni-0123456789abcdef0';
        const call = { role, action, resource };
        expect(await isAllowed({ ...call, context: {} }, policies.get(role) ?? []), role).toBe(true);
        expect(await isAllowed({ ...call, context: byCode }, policies.get(role) ?? []), role).toBe(false);
      }
    }
  });

  it('allows nothing that is neither made use of nor listed', () => {
    expect(unusedPermissions(policies, calls).filter((one) => !isListed(one))).toEqual([]);
  });
}
