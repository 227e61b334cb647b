import { cp, mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LOOPBACK } from '../../../core/runtime/loopback-server.ts';
import { ensureArtifacts } from '../../../local/engines/artifacts.ts';
import { type Engine, startEngine } from '../../../local/engines/engine.ts';
import { LOG_TO_CONSOLE } from '../../../local/engines/java-properties.ts';
import type { Jdk } from '../../../local/engines/jdk.ts';
import { anyFreePort } from '../../../local/engines/ports.ts';
import type { Certificate } from '../certificate.ts';
import { secureArtifacts } from './artifacts.ts';

/** A request with this header has already signed in, as the user that it names … */
export const USER_HEADER = 'x-proxy-user';
/** … with the backend roles that this one names. */
export const ROLES_HEADER = 'x-proxy-roles';
/** The backend role of the plugin's own `all_access`. */
export const ADMIN_ROLE = 'admin';

const LAUNCHER = fileURLToPath(new URL('SecureNode.java', import.meta.url));
/** Those of the distribution that the project uses, and the plugin. */
const PLUGINS = [
  'org.opensearch.analysis.common.CommonAnalysisPlugin',
  'org.opensearch.index.mapper.MapperExtrasPlugin',
  'org.opensearch.index.reindex.ReindexPlugin',
  'org.opensearch.painless.PainlessPlugin',
  'org.opensearch.transport.Netty4Plugin',
  'org.opensearch.security.OpenSearchSecurityPlugin',
];

/**
 * OpenSearch with the security plugin that Amazon OpenSearch Service runs for fine-grained access control:
 * TLS only, every request needs a user, and a user may do what its roles allow. Users are those of the
 * internal database, or those that a proxy on this machine has signed in.
 * @param options.folder for its data; stopped with the run if it is inside of the run's folder
 */
export async function startSecureOpenSearch(options: {
  jdk: Jdk;
  artifactsFolder: string;
  folder: string;
  certificate: Certificate;
}): Promise<Engine> {
  const { jdk, artifactsFolder, folder, certificate } = options;
  const { server, plugin } = await secureArtifacts(artifactsFolder, jdk);
  const config = join(folder, 'config');
  await cp(join(plugin, 'config'), join(config, 'opensearch-security'), { recursive: true });
  await mkdir(folder, { recursive: true });
  await Promise.all([
    writeFile(join(config, 'server.p12'), certificate.pfx),
    writeFile(join(config, 'log4j2.properties'), LOG_TO_CONSOLE),
    writeFile(join(config, 'opensearch-security', 'config.yml'), JSON.stringify(SIGN_IN)),
    // On AWS the audit log is off by default.
    writeFile(
      join(config, 'opensearch-security', 'audit.yml'),
      JSON.stringify(file('audit', { config: { enabled: false } })),
    ),
    // The plugin's own example also has users, and roles for everybody.
    writeFile(
      join(config, 'opensearch-security', 'internal_users.yml'),
      JSON.stringify(file('internalusers')),
    ),
    writeFile(
      join(config, 'opensearch-security', 'roles_mapping.yml'),
      JSON.stringify(file('rolesmapping', { all_access: { backend_roles: [ADMIN_ROLE] } })),
    ),
  ]);
  return startEngine(
    {
      name: 'opensearch',
      title: 'OpenSearch with security',
      usualPort: await anyFreePort(),
      portOption: '(chosen by the test)',
      url: (port) => `https://${LOOPBACK}:${port}`,
      async prepare({ port, internalPort }) {
        const settings = nodeSettings({ port, internalPort, passphrase: certificate.passphrase });
        await writeFile(join(config, 'opensearch.yml'), JSON.stringify(settings));
        return [
          ...['-Xms384m', '-Xmx384m', '-XX:+UseSerialGC'],
          // Starts in half the time; the test is too short for more optimisation to pay off.
          '-XX:TieredStopAtLevel=1',
          ...['-Dlog4j2.disable.jmx=true', '--enable-native-access=ALL-UNNAMED'],
          // The server's jars first: the plugin has some of them in other versions.
          ...['-cp', `${join(server, '*')}:${join(plugin, '*')}`, LAUNCHER, folder],
          ...PLUGINS,
        ];
      },
      isReady: (port) => isUp(port, certificate),
    },
    { jdk, folder, jars: await ensureArtifacts({ folder: artifactsFolder, jdk }) },
  );
}

/** One of the plugin's configuration files; JSON is YAML. */
const file = (type: string, content: object = {}) => ({
  _meta: { type, config_version: 2 },
  ...content,
});

const SIGN_IN = file('config', {
  config: {
    dynamic: {
      http: { xff: { enabled: true, internalProxies: LOOPBACK.replaceAll('.', '\\.') } },
      authc: {
        proxy: {
          http_enabled: true,
          order: 0,
          http_authenticator: {
            type: 'proxy',
            challenge: false,
            config: { user_header: USER_HEADER, roles_header: ROLES_HEADER },
          },
          authentication_backend: { type: 'noop' },
        },
        basic: {
          http_enabled: true,
          order: 1,
          http_authenticator: { type: 'basic', challenge: true },
          authentication_backend: { type: 'intern' },
        },
      },
    },
  },
});

function nodeSettings(given: { port: number; internalPort: number; passphrase: string }) {
  const store = {
    keystore_type: 'PKCS12',
    keystore_filepath: 'server.p12',
    keystore_password: given.passphrase,
    truststore_type: 'PKCS12',
    truststore_filepath: 'server.p12',
    truststore_password: given.passphrase,
  };
  return {
    cluster: { name: 'secure', 'routing.allocation.disk.threshold_enabled': false },
    'network.host': LOOPBACK,
    'http.port': given.port,
    'transport.port': given.internalPort,
    'discovery.type': 'single-node',
    'plugins.security': {
      allow_default_init_securityindex: true,
      'restapi.roles_enabled': ['all_access'],
      'audit.type': 'internal_opensearch',
      ssl: { transport: store, http: { enabled: true, ...store } },
    },
  };
}

async function isUp(port: number, certificate: Certificate): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  request(
    { host: LOOPBACK, port, path: '/_plugins/_security/health', ca: certificate.pem, timeout: 2_000 },
    (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    },
  )
    .on('error', reject)
    .on('timeout', () => resolve(false))
    .end();
  return promise;
}
