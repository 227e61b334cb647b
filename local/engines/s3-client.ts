import { randomBytes } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { createS3Client } from '../../stores/s3/client.ts';

const REGION = 'us-east-1';

/** The keys of an S3 server on this machine. */
export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
}

/** Credentials that nobody can guess, such as a web page that knows the port. */
export function randomCredentials(): S3Credentials {
  return {
    accessKeyId: `LOCAL${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64url'),
  };
}

/**
 * A server's URL with its credentials, as functions and commands pass it on:
 * `http://id:secret@127.0.0.1:9000`.
 */
export function withCredentials(url: string, { accessKeyId, secretAccessKey }: S3Credentials): string {
  const keyed = new URL(url);
  keyed.username = encodeURIComponent(accessKeyId);
  keyed.password = encodeURIComponent(secretAccessKey);
  return keyed.href.replace(/\/$/, '');
}

/** A server's URL without credentials, for display and files. */
export function withoutCredentials(url: string): string {
  return url.replace(/(?<=\/\/)[^/@]*@/, '');
}

/** The reverse of {@link withCredentials}. Servers that were given without credentials take any. */
export function apartFromCredentials(url: string): { endpoint: string; credentials: S3Credentials } {
  const { username, password } = new URL(url);
  return {
    endpoint: withoutCredentials(url),
    credentials: {
      accessKeyId: decodeURIComponent(username) || 'local',
      secretAccessKey: decodeURIComponent(password) || 'local',
    },
  };
}

/** What a function needs in its environment to use a server. */
export function s3Environment(url: string): Record<string, string> {
  const { endpoint, credentials } = apartFromCredentials(url);
  return {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

/** A client of a server on this machine. */
export function localS3Client(url: string): S3Client {
  const { endpoint, credentials } = apartFromCredentials(url);
  return createS3Client({ AWS_ENDPOINT_URL_S3: endpoint }, { endpoint, region: REGION, credentials });
}

/** Settings of the AWS command line and SDKs, with the server's address and credentials. */
export function awsConfig(url: string): string {
  const { endpoint, credentials } = apartFromCredentials(url);
  return [
    `[profile ${AWS_PROFILE}]`,
    `region = ${REGION}`,
    `endpoint_url = ${endpoint}`,
    `aws_access_key_id = ${credentials.accessKeyId}`,
    `aws_secret_access_key = ${credentials.secretAccessKey}`,
    '',
  ].join('\n');
}

export const AWS_PROFILE = 'local';
