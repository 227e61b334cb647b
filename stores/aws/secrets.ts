import * as z from 'zod';
import type { OpenSearchUser } from '../opensearch/client.ts';

/** A secret could not be read, or is not a user. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

const userSecret = z.object({ username: z.string().min(1), password: z.string().min(1) });

/**
 * Reads a user from AWS Secrets Manager. Every call reads it again, because the password may have been rotated.
 * @param secretArn of a secret `{"username": …, "password": …}`
 * @throws SecretError; its message never contains the secret
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
    // Without the cause, which would quote the secret.
    throw new SecretError(`Secret ${secretArn} is not {"username": …, "password": …}.`);
  }
}
