import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { LOOPBACK } from '../../core/runtime/loopback-server.ts';
import { writeFileAtomically } from '../atomic-file.ts';
import { type Engine, type StartOptions, startEngine } from './engine.ts';
import { javaProperties } from './java-properties.ts';
import { localS3Client, randomCredentials, withCredentials } from './s3-client.ts';

/** A small program: the quick compiler and the simple collector start it fastest. */
const JAVA_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:+ExitOnOutOfMemoryError'];

/** Without this S3Proxy logs thousands of lines at DEBUG. */
const LOGBACK = `<configuration>
  <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>[%d{ISO8601}][%-5level][%logger{25}] %msg%n</pattern></encoder>
  </appender>
  <root level="info"><appender-ref ref="console"/></root>
</configuration>
`;

/**
 * S3Proxy over the folder `data/s3`: path style, conditional puts. Every object is a file
 * (`data/s3/<bucket>/<key>`) created by one rename, so a kill leaves no partial object. It answers only
 * requests signed with this start's credentials, which its `url` contains, because any web page could send it
 * unsigned ones.
 *
 * @throws {PortTakenError} {EngineStartError}
 */
export async function startS3(options: StartOptions): Promise<Engine> {
  const folder = resolve(options.folder);
  const config = join(folder, 'config', 's3');
  const credentials = randomCredentials();
  const urlOf = (port: number) => withCredentials(`http://${LOOPBACK}:${port}`, credentials);
  return startEngine(
    {
      name: 's3',
      title: 'the S3 server',
      hasClassArchive: true,
      usualPort: 9000,
      portOption: '--s3-port',
      url: urlOf,
      async prepare({ port }) {
        mkdirSync(join(folder, 'data', 's3'), { recursive: true });
        writeFileAtomically(join(config, 'logback.xml'), LOGBACK);
        writeFileAtomically(
          join(config, 's3proxy.properties'),
          javaProperties({
            's3proxy.endpoint': `http://${LOOPBACK}:${port}`,
            's3proxy.authorization': 'aws-v2-or-v4',
            's3proxy.identity': credentials.accessKeyId,
            's3proxy.credential': credentials.secretAccessKey,
            'jclouds.provider': 'filesystem-nio2',
            'jclouds.filesystem.basedir': join(folder, 'data', 's3'),
            // S3Proxy requires these, but a folder does not use them.
            'jclouds.identity': 'local',
            'jclouds.credential': 'local',
          }),
        );
        return [
          ...JAVA_FLAGS,
          `-Dlogback.configurationFile=${join(config, 'logback.xml')}`,
          '-cp',
          join(options.jars.s3, '*'),
          'org.gaul.s3proxy.Main',
          '--properties',
          join(config, 's3proxy.properties'),
        ];
      },
      async isReady(port, signal) {
        const client = localS3Client(urlOf(port));
        try {
          const { Buckets } = await client.send(new ListBucketsCommand(), { abortSignal: signal });
          return Buckets !== undefined;
        } finally {
          client.destroy();
        }
      },
    },
    options,
  );
}
