import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Jdk } from '../../local/engines/jdk.ts';

const run = promisify(execFile);

/** A self-signed certificate for 127.0.0.1. */
export interface Certificate {
  /** For `tls.createServer`. */
  pfx: Buffer;
  passphrase: string;
  /** For programs that have to trust it. */
  pem: string;
  /** The file that holds it. */
  file: string;
}

/** Makes one with the JDK's keytool, which the engines need anyway. */
export async function makeCertificate(jdk: Jdk, folder: string): Promise<Certificate> {
  const keytool = join(jdk.home, 'bin', 'keytool');
  const store = join(folder, 'server.p12');
  const file = join(folder, 'server.pem');
  const passphrase = 'changeit';
  const access = ['-keystore', store, '-storepass', passphrase, '-alias', 'server'];
  await run(keytool, [
    '-genkeypair',
    ...access,
    ...['-storetype', 'PKCS12', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '2'],
    ...['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1', '-ext', 'bc=ca:true'],
  ]);
  await run(keytool, ['-exportcert', '-rfc', ...access, '-file', file]);
  // The store also serves as a trust store, in which its own key entry does not count.
  await run(keytool, ['-importcert', '-noprompt', '-file', file, ...access.with(-1, 'trusted')]);
  return { pfx: await readFile(store), passphrase, pem: await readFile(file, 'utf8'), file };
}
