import { CreateClusterCommand, type KafkaClient } from '@aws-sdk/client-kafka';
import type { BrokerVerdict } from '../../core/operate/preflight/ports.ts';

/** Made up: whoever asks for a cluster in them cannot get one. */
const NOWHERE = {
  ClientSubnets: ['subnet-00000000000000000', 'subnet-00000000000000001'],
  SecurityGroups: ['sg-00000000000000000'],
};
/** No broker is called this. */
const NO_TYPE = 'kafka.none.small';

/**
 * What MSK says about a broker type. No call lists the types that a version takes, so it is asked for a cluster that it
 * cannot create, because the subnets do not exist. If it complains about the type, it refuses it. Its complaint about
 * something else only means that the type is right if it does complain about a type that does not exist.
 */
export async function brokerVerdict(
  kafka: KafkaClient,
  instanceType: string,
  kafkaVersion: string,
): Promise<BrokerVerdict> {
  const complaint = await complaintAbout(kafka, instanceType, kafkaVersion);
  if ('unknown' in complaint) return complaint;
  if (complaint.aboutType) return { refused: complaint.text };
  const control = await complaintAbout(kafka, NO_TYPE, kafkaVersion);
  if ('unknown' in control) return control;
  return control.aboutType
    ? { accepted: true }
    : { unknown: `MSK looks at the type later; it said: ${complaint.text}` };
}

async function complaintAbout(
  kafka: KafkaClient,
  InstanceType: string,
  KafkaVersion: string,
): Promise<{ text: string; aboutType: boolean } | { unknown: string }> {
  try {
    await kafka.send(
      new CreateClusterCommand({
        ClusterName: 'preflight-cannot-succeed',
        KafkaVersion,
        NumberOfBrokerNodes: NOWHERE.ClientSubnets.length,
        BrokerNodeGroupInfo: { InstanceType, ...NOWHERE },
      }),
    );
    return { unknown: 'the endpoint accepted subnets that do not exist, so it is not AWS' };
  } catch (error) {
    const { name, message, InvalidParameter } = error as Error & { InvalidParameter?: string };
    if (name !== 'BadRequestException') return { unknown: `${name}: ${message}` };
    const aboutType =
      /instance ?type|broker type/i.test(`${InvalidParameter} ${message}`) || message.includes(InstanceType);
    return { text: message, aboutType };
  }
}
