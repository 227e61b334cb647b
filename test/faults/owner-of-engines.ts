// A process that starts an S3 server and Kafka and is killed by a test: argv = artifacts folder, folder.
import { ensureArtifacts } from '../../local/engines/artifacts.ts';
import { findJdk } from '../../local/engines/jdk.ts';
import { startKafka } from '../../local/engines/kafka.ts';
import { anyFreePort } from '../../local/engines/ports.ts';
import { startS3 } from '../../local/engines/s3.ts';

const [artifactsFolder, folder] = process.argv.slice(2);
if (!artifactsFolder || !folder) throw new Error('usage: owner-of-engines.ts ARTIFACTS_FOLDER FOLDER');
const jdk = await findJdk();
const jars = await ensureArtifacts({ folder: artifactsFolder, jdk });
const engines = await Promise.all([
  startS3({ jdk, jars, folder, port: await anyFreePort() }),
  startKafka({ jdk, jars, folder, port: await anyFreePort() }),
]);
console.log(JSON.stringify(engines.map(({ name, pid, url }) => ({ name, pid, url }))));
