import * as z from 'zod';
import type { OpenSearchUser } from '../opensearch/client.ts';

/** A secret could not be read, or holds something else than a user. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

const userSecret = z.object({ username: z.string().min(1), password: z.string().min(1) });

/**
 * Reads a user from AWS Secrets Manager, anew at each call: the password may have been rotated.
 * @param secretArn of a secret that holds `{"username": …, "password": …}`
 * @throws SecretError; its message never holds the secret
 */
export async function readUser(secretArn: string): Promise<OpenSearchUser> {
  const { SecretsManagerClient, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({
    maxAttempts: 4,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
  });
  let text: string;
  try {
    text = (await client.send(new GetSecretValueCommand({ SecretId: secretArn }))).SecretString ?? '';
  } catch (cause) {
    throw new SecretError(`Secret ${secretArn} could not be read: ${(cause as Error).message}`, { cause });
  } finally {
    client.destroy();
  }
  try {
    return userSecret.parse(JSON.parse(text));
  } catch {
    // Without the cause: it would quote what the secret holds.
    throw new SecretError(`Secret ${secretArn} does not hold {"username": …, "password": …}.`);
  }
}
