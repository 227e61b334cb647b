import type { IAMClient } from '@aws-sdk/client-iam';
import kafkajs, { type Admin } from 'kafkajs';
import { eventually } from '../eventually.ts';
import type { RoleCredentials } from '../opensearch-front.ts';
import { policiesOfRole } from '../permissions.ts';
import type { Signatures } from '../signatures/signatures.ts';
import { type ClusterAccess, clusterAccess } from './acls.ts';
import type { SignIn } from './front.ts';

const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = kafkajs;
const everything = {
  resourceType: AclResourceTypes.ANY,
  resourcePatternType: ResourcePatternTypes.ANY,
  operation: AclOperationTypes.ANY,
  permissionType: AclPermissionTypes.ANY,
};

/** What a token requests, and how long it may be valid. */
const ASKED = 'https://kafka.us-east-1.amazonaws.com/?Action=kafka-cluster:Connect';
const MOST_SECONDS = 900;

/**
 * Decides who may sign in to MSK: a role with a valid token and the permission to connect. Before it signs
 * in, its policies are turned into the broker's ACLs for it. @param options.admin of a superuser @param
 * options.credentialsOf an access key's credentials; undefined for an unknown key
 */
export function iamAccess(options: {
  admin: Admin;
  iam: IAMClient;
  signatures: Signatures;
  credentialsOf: (accessKeyId: string) => Promise<RoleCredentials | undefined>;
  clusterArn: () => Promise<string>;
}): (token: URL) => Promise<SignIn> {
  const { admin, iam, signatures, credentialsOf, clusterArn } = options;
  /** By principal, as text. */
  const known = new Map<string, string>();
  let turn: Promise<unknown> = Promise.resolve();

  async function put(role: string, acls: ClusterAccess['acls']): Promise<void> {
    const text = JSON.stringify(acls);
    if (known.get(role) === text) return;
    const principal = `User:${role}`;
    await admin.deleteAcls({ filters: [{ ...everything, principal }] });
    await admin.createAcls({ acl: acls.map((acl) => ({ ...acl, principal, host: '*' })) });
    // The controller has them before the broker, which decides.
    await eventually(
      () => admin.describeAcls({ ...everything, principal }),
      ({ resources }) => resources.flatMap((each) => each.acls).length === acls.length,
    );
    known.set(role, text);
  }

  return async (token) => {
    const accessKeyId = token.searchParams.get('X-Amz-Credential')?.split('/')[0] ?? '';
    const credentials = await credentialsOf(accessKeyId);
    if (!credentials) return { who: accessKeyId, refused: 'no such access key' };
    const role = credentials.roleArn.split('/').at(-1) as string;
    const asked = `${token.origin}/?Action=${token.searchParams.get('Action')}`;
    if (asked !== ASKED) return { who: role, refused: `it asks for ${asked}` };
    const refused = await signatures.whyInvalidUrl(token, 'kafka-cluster', credentials, MOST_SECONDS);
    if (refused) return { who: role, refused };
    const { mayConnect, acls } = clusterAccess(await policiesOfRole(iam, role), await clusterArn());
    if (!mayConnect) return { who: role, refused: 'kafka-cluster:Connect is not allowed' };
    const putting = turn.then(() => put(role, acls));
    turn = putting.catch(() => undefined);
    await putting;
    return { who: role };
  };
}
