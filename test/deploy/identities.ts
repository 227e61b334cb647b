import { GetFunctionConfigurationCommand, LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { generateAuthTokenFromCredentialsProvider } from 'aws-msk-iam-sasl-signer-js';
import type { KafkaConfig } from 'kafkajs';
import { credentialsOfFunction } from './ministack/ministack.ts';
import type { RoleCredentials } from './opensearch-front.ts';
import type { Signatures, UnsignedRequest } from './signatures/signatures.ts';

type AwsConfig = ConstructorParameters<typeof LambdaClient>[0] & object;

/** How deployed functions and users sign in, according to the emulator. */
export class Identities {
  readonly #lambda: LambdaClient;
  readonly #secrets: SecretsManagerClient;
  readonly #signatures: Signatures;
  readonly #byAccessKey = new Map<string, RoleCredentials>();

  constructor(aws: AwsConfig, signatures: Signatures) {
    this.#lambda = new LambdaClient(aws);
    this.#secrets = new SecretsManagerClient(
      aws as ConstructorParameters<typeof SecretsManagerClient>[0] & object,
    );
    this.#signatures = signatures;
  }

  /** What a function signs with; undefined if no function has this access key. */
  async credentialsOf(accessKeyId: string): Promise<RoleCredentials | undefined> {
    if (!this.#byAccessKey.has(accessKeyId)) {
      for await (const { Functions = [] } of paginateListFunctions({ client: this.#lambda }, {})) {
        for (const each of Functions.map(credentialsOfFunction))
          this.#byAccessKey.set(each.accessKeyId, each);
      }
    }
    return this.#byAccessKey.get(accessKeyId);
  }

  /** ARNs of functions by the names of their roles. */
  async functionsByRole(): Promise<Map<string, string>> {
    const functions = new Map<string, string>();
    for await (const { Functions = [] } of paginateListFunctions({ client: this.#lambda }, {})) {
      for (const { FunctionArn, Role } of Functions) {
        if (FunctionArn && Role) functions.set(Role.split('/').at(-1) as string, FunctionArn);
      }
    }
    return functions;
  }

  /** What a function signs with. */
  async credentialsOfFunction(FunctionName: string): Promise<RoleCredentials> {
    return credentialsOfFunction(
      await this.#lambda.send(new GetFunctionConfigurationCommand({ FunctionName })),
    );
  }

  /** Headers of a request to OpenSearch that a function has signed. */
  async signedBy(FunctionName: string, request: Omit<UnsignedRequest, 'headers'>) {
    const credentials = await this.credentialsOfFunction(FunctionName);
    const { host: _, ...headers } = await this.#signatures.sign(
      { ...request, headers: {} },
      'es',
      credentials,
    );
    return headers;
  }

  /** How a function signs in to the brokers, or an attacker who has its key id but not the secret. */
  async signInTo(FunctionName: string, secret = {}): Promise<Required<Pick<KafkaConfig, 'sasl'>>> {
    const credentials = { ...(await this.credentialsOfFunction(FunctionName)), ...secret };
    return {
      sasl: {
        mechanism: 'oauthbearer',
        async oauthBearerProvider() {
          const { token } = await generateAuthTokenFromCredentialsProvider({
            region: 'us-east-1',
            awsCredentialsProvider: async () => credentials,
          });
          return { value: token };
        },
      },
    };
  }

  /** Headers of a user with a password. */
  async basic(username: string, secretArn: string | undefined): Promise<Record<string, string>> {
    const password = await this.passwordIn(secretArn);
    return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
  }

  async passwordIn(SecretId: string | undefined): Promise<string> {
    const { SecretString = '' } = await this.#secrets.send(new GetSecretValueCommand({ SecretId }));
    return JSON.parse(SecretString).password;
  }
}
