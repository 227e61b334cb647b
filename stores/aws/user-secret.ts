import {
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import type { PendingPassword, UserSecret } from '../../core/operate/rotate.ts';
import { readUser, SecretError } from './secrets.ts';

/** Labels of a secret's versions: https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html */
const IN_USE = 'AWSCURRENT';
const PENDING = 'AWSPENDING';

/**
 * Like the first one, which CloudFormation generated: without characters that a shell or a URL would
 * interpret.
 */
const PASSWORD = {
  PasswordLength: 32,
  RequireEachIncludedType: true,
  ExcludeCharacters: '"\'`\\$/@ ',
};

/** A user's secret in Secrets Manager, `{"username": …, "password": …}`. */
export class AwsUserSecret implements UserSecret {
  readonly #client = new SecretsManagerClient({});
  readonly #arn: string;

  constructor(arn: string) {
    this.#arn = arn;
  }

  async pending(): Promise<PendingPassword | undefined> {
    const versions = await this.#versions();
    const version = versions.get(PENDING);
    if (version === undefined || version === versions.get(IN_USE)) return undefined;
    const { SecretString = '' } = await this.#client.send(
      new GetSecretValueCommand({ SecretId: this.#arn, VersionId: version }),
    );
    return { version, ...JSON.parse(SecretString) };
  }

  async prepare(): Promise<PendingPassword> {
    const { username } = await readUser(this.#arn);
    const { RandomPassword: password } = await this.#client.send(new GetRandomPasswordCommand(PASSWORD));
    if (!password) throw new SecretError('Secrets Manager generated no password');
    const { VersionId: version } = await this.#client.send(
      new PutSecretValueCommand({
        SecretId: this.#arn,
        SecretString: JSON.stringify({ username, password }),
        VersionStages: [PENDING],
      }),
    );
    if (!version) throw new SecretError('Secrets Manager did not say which version it stored');
    return { version, username, password };
  }

  async use({ version }: PendingPassword): Promise<void> {
    const current = (await this.#versions()).get(IN_USE);
    await this.#client.send(
      new UpdateSecretVersionStageCommand({
        SecretId: this.#arn,
        VersionStage: IN_USE,
        MoveToVersionId: version,
        ...(current ? { RemoveFromVersionId: current } : {}),
      }),
    );
  }

  /** Versions by their labels. */
  async #versions(): Promise<Map<string, string>> {
    const { VersionIdsToStages = {} } = await this.#client.send(
      new DescribeSecretCommand({ SecretId: this.#arn }),
    );
    return new Map(
      Object.entries(VersionIdsToStages).flatMap(([version, labels]) =>
        labels.map((label) => [label, version] as const),
      ),
    );
  }
}
