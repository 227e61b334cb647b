import { CreateClusterCommand, type KafkaClient } from '@aws-sdk/client-kafka';
import type { BrokerVerdict } from '../../core/operate/preflight/ports.ts';

/** Made up, so that no cluster can be created in them. */
const NOWHERE = {
  ClientSubnets: ['subnet-00000000000000000', 'subnet-00000000000000001'],
  SecurityGroups: ['sg-00000000000000000'],
};
/** No broker is called this. */
const NO_TYPE = 'kafka.none.small';

/**
 * What MSK says about a broker type. No API lists the types that a version accepts, so we request a cluster
 * that MSK cannot create, because its subnets do not exist. If MSK complains about the type, it refuses it.
 * If it complains about something else, the type is accepted, provided that MSK does complain about a type
 * that does not exist.
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
