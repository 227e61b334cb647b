import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import kafkajs, { type Admin } from 'kafkajs';

/** The properties of an `AWS::MSK::Topic`, as CloudFormation hands them over. */
interface TopicProperties {
  TopicName: string;
  PartitionCount: number | string;
  Configs: string;
}

/**
 * Makes on a real Kafka the topics that CloudFormation creates: `PUT` the properties to create one or to change its
 * configuration, `DELETE` them to remove it. One broker: there is one copy, whatever the properties say.
 */
export async function startTopics(admin: Admin): Promise<{ url: string; close(): Promise<void> }> {
  async function put({ TopicName, PartitionCount, Configs }: TopicProperties): Promise<void> {
    const configs: Record<string, string> = {
      ...JSON.parse(Buffer.from(Configs, 'base64').toString()),
      'min.insync.replicas': '1',
    };
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    const isNew = await admin.createTopics({
      topics: [
        { topic: TopicName, numPartitions: Number(PartitionCount), replicationFactor: 1, configEntries },
      ],
      waitForLeaders: true,
    });
    if (isNew) return;
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: TopicName, configEntries }],
    });
  }

  const server = createServer(async (incoming, response) => {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
      const properties = JSON.parse(Buffer.concat(chunks).toString()) as TopicProperties;
      if (incoming.method === 'DELETE') await admin.deleteTopics({ topics: [properties.TopicName] });
      else await put(properties);
      response.end();
    } catch (error) {
      response.writeHead(500).end((error as Error).message);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
