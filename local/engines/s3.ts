import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Engine, javaProperties, type StartOptions, startEngine, writeConfig } from './engine.ts';
import { LOOPBACK } from './ports.ts';

/** A small program on two cores: the quick compiler and the plain collector start it fastest. */
const JAVA_FLAGS = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:+ExitOnOutOfMemoryError'];

/** Without it S3Proxy logs at DEBUG: thousands of lines for nothing. */
const LOGBACK = `<configuration>
  <appender name="console" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>[%d{ISO8601}][%-5level][%logger{25}] %msg%n</pattern></encoder>
  </appender>
  <root level="info"><appender-ref ref="console"/></root>
</configuration>
`;

/**
 * S3Proxy over the folder `data/s3`: anonymous, path style, conditional puts. Every object is a file
 * (`data/s3/<bucket>/<key>`), put by one rename: a kill leaves none torn.
 *
 * @throws {PortTakenError} {EngineStartError}
 */
export async function startS3(options: StartOptions): Promise<Engine> {
  const folder = resolve(options.folder);
  const config = join(folder, 'config', 's3');
  return startEngine(
    {
      name: 's3',
      title: 'the S3 server',
      usualPort: 9000,
      portOption: '--s3-port',
      url: (port) => `http://${LOOPBACK}:${port}`,
      async prepare({ port }) {
        await mkdir(join(folder, 'data', 's3'), { recursive: true });
        await writeConfig(join(config, 'logback.xml'), LOGBACK);
        await writeConfig(
          join(config, 's3proxy.properties'),
          javaProperties({
            's3proxy.endpoint': `http://${LOOPBACK}:${port}`,
            's3proxy.authorization': 'none',
            'jclouds.provider': 'filesystem-nio2',
            'jclouds.filesystem.basedir': join(folder, 'data', 's3'),
            // Required by S3Proxy, meaningless for a folder.
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
        const response = await fetch(`http://${LOOPBACK}:${port}/`, { signal });
        // The list of buckets: another server on this port would answer something else.
        return response.ok && (await response.text()).includes('ListAllMyBucketsResult');
      },
    },
    options,
  );
}
