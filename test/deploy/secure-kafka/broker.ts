import { readFileSync } from 'node:fs';
import { LOOPBACK } from '../../../core/runtime/loopback-server.ts';
import { ensureArtifacts } from '../../../local/engines/artifacts.ts';
import type { Engine } from '../../../local/engines/engine.ts';
import type { Jdk } from '../../../local/engines/jdk.ts';
import { newClusterId, startKafka } from '../../../local/engines/kafka.ts';
import { anyFreePort } from '../../../local/engines/ports.ts';

export interface SecureKafka extends Engine {
  /**
   * Where everybody but the superuser signs in, with {@link tokenOf}: `host:port`. The engine's own address
   * is for the superuser.
   */
  signInAddress: string;
}

/**
 * A broker that allows only what ACLs allow. Connections to its own address may do everything.
 * @param options.folder for its data; stopped with the run if it is inside of the run's folder
 */
export async function startSecureKafka(options: {
  jdk: Jdk;
  artifactsFolder: string;
  folder: string;
}): Promise<SecureKafka> {
  const { jdk, artifactsFolder, folder } = options;
  const [port, controllerPort, signInPort] = [await anyFreePort(), await anyFreePort(), await anyFreePort()];
  const signInAddress = `${LOOPBACK}:${signInPort}`;
  const own = `PLAINTEXT://${LOOPBACK}:${port},ROLES://${signInAddress}`;
  const engine = await startKafka(
    { jdk, jars: await ensureArtifacts({ folder: artifactsFolder, jdk }), folder, port },
    {
      id: 1,
      clusterId: newClusterId(),
      controllerPorts: [controllerPort],
      heapMb: 512,
      settings: {
        listeners: `${own},CONTROLLER://${LOOPBACK}:${controllerPort}`,
        'advertised.listeners': own,
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,ROLES:SASL_PLAINTEXT',
        'listener.name.roles.sasl.enabled.mechanisms': 'OAUTHBEARER',
        // Without a callback handler it believes unsigned tokens.
        'listener.name.roles.oauthbearer.sasl.jaas.config':
          'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;',
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'allow.everyone.if.no.acl.found': false,
        'super.users': 'User:ANONYMOUS',
      },
    },
  );
  return { ...engine, signInAddress };
}

/** What the broker refused, in its own words. */
export function refusalsOf({ logFile }: Engine): string[] {
  return readFileSync(logFile, 'utf8')
    .split('\n')
    .flatMap((line) => /Principal = .* is Denied .*/.exec(line) ?? []);
}

/** A token for a principal, by RFC 7519 without a signature. */
export function tokenOf(principal: string): string {
  const seconds = Math.floor(Date.now() / 1_000);
  const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url');
  const claims = { sub: principal, iat: seconds - 60, exp: seconds + 3_600 };
  return `${part({ alg: 'none' })}.${part(claims)}.`;
}
