/** What the AWS signers need. */
export interface LambdaCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * The function's own credentials. Lambda puts them into each instance's environment and ends the instance before they
 * expire, so the SDK's chain of providers would only add its size.
 * @throws Error outside a Lambda, where they are not set
 */
export async function lambdaCredentials(): Promise<LambdaCredentials> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) {
    throw new Error(
      'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set; Lambda sets them for a function.',
    );
  }
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
  };
}

/**
 * Replaces the SDK's chain of providers (`@aws-sdk/credential-provider-node`) in a bundle; see
 * lib/functions/pipeline-function.ts.
 */
export const defaultProvider = () => lambdaCredentials;
