import type { KafkaConfig } from 'kafkajs';
import { lambdaCredentials } from '../aws/lambda-credentials.ts';

/** MSK did not list the cluster's brokers, or the cluster has no IAM listener. */
export class BootstrapBrokersError extends Error {
  override readonly name = 'BootstrapBrokersError';
}

/**
 * How kafkajs connects to an Amazon MSK cluster: brokers from `GetBootstrapBrokers` (the cluster resource does not list
 * them), IAM authentication over TLS. The brokers are fetched once in a function's life. The packages are loaded with the
 * first connection, so that a function without work does not wait for them.
 */
export function mskCluster(clusterArn: string): Pick<KafkaConfig, 'brokers' | 'ssl' | 'sasl'> {
  // arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>: it may not be the function's region.
  const region = clusterArn.split(':')[3] as string;
  let brokers: Promise<string[]> | undefined;
  return {
    brokers: () => {
      brokers ??= bootstrapBrokers(clusterArn, region).catch((error) => {
        brokers = undefined;
        throw error;
      });
      return brokers;
    },
    ssl: true,
    sasl: {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => {
        const { generateAuthTokenFromCredentialsProvider } = await import('aws-msk-iam-sasl-signer-js');
        const { token } = await generateAuthTokenFromCredentialsProvider({
          region,
          awsCredentialsProvider: lambdaCredentials,
        });
        return { value: token };
      },
    },
  };
}

async function bootstrapBrokers(clusterArn: string, region: string): Promise<string[]> {
  const { KafkaClient, GetBootstrapBrokersCommand } = await import('@aws-sdk/client-kafka');
  const client = new KafkaClient({
    region,
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });
  try {
    const answer = await client.send(new GetBootstrapBrokersCommand({ ClusterArn: clusterArn }));
    const brokers = answer.BootstrapBrokerStringSaslIam;
    if (!brokers) {
      throw new BootstrapBrokersError(
        `MSK cluster ${clusterArn} has no IAM listener: enable IAM access control for it.`,
      );
    }
    return brokers.split(',');
  } catch (cause) {
    if (cause instanceof BootstrapBrokersError) throw cause;
    throw new BootstrapBrokersError(
      `MSK did not list the brokers of ${clusterArn}: ${(cause as Error).message}`,
      { cause },
    );
  } finally {
    client.destroy();
  }
}
