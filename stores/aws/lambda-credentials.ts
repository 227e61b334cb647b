/** What the AWS signers want to know of a caller. */
export interface LambdaCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/**
 * The function's own credentials. Lambda puts them into the environment of each instance and ends the instance
 * before they expire, so the SDK's chain of providers (and its size) has nothing to add.
 * @throws Error outside of a Lambda, where they are not set
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
 * What a bundle takes in place of the SDK's own chain of providers (`@aws-sdk/credential-provider-node`), which
 * looks in places that a function does not have: lib/functions/pipeline-function.ts swaps them.
 */
export const defaultProvider = () => lambdaCredentials;
