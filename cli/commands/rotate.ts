import { Option } from 'commander';
import { rotatePassword } from '../../core/operate/rotate.ts';
import { masterPasswordSetter } from '../../stores/aws/domain-master.ts';
import { AwsUserSecret } from '../../stores/aws/user-secret.ts';
import { createCommand, perform } from '../command.ts';
import { note, print } from '../print.ts';
import { outputOf, stageTarget } from '../targets/stage.ts';

interface RotateFlags {
  stage: string;
  user: 'master' | 'reader';
}

const SECRETS = { master: 'MasterUserSecretArn', reader: 'ReaderUserSecretArn' } as const;

const help = `The new password is stored in Secrets Manager before it is set, and becomes the current one afterwards. It is never printed
or put on a command line. If the command is interrupted, run it again: it continues with the same password.

Exit codes: 0 the password is changed, and OpenSearch accepts it; 2 failed.

Examples:
  npm run rotate -- --stage dev                  the admin user
  npm run rotate -- --stage prod --user reader   the read-only user of Dashboards`;

const description =
  'Changes the password of a user of OpenSearch in a deployed stage. Functions sign in with IAM, so they keep working.';

export const command = createCommand('rotate', description, { help })
  .requiredOption('--stage <name>', 'a deployed stage; needs AWS credentials')
  .addOption(new Option('--user <name>', 'whose password').choices(Object.keys(SECRETS)).default('master'))
  .action(
    perform(async (signal, { stage, user }: RotateFlags) => {
      const arn = await outputOf(stage, 'stateful', SECRETS[user]);
      const setPassword =
        user === 'master'
          ? masterPasswordSetter(await outputOf(stage, 'stateful', 'SearchDomainName'), signal)
          : // Setup sets it, from the secret.
            async () => {};
      await rotatePassword(new AwsUserSecret(arn), setPassword, (step) => note(`… ${step}`));
      note('… Setup signs in as the admin user, and sets the reader’s password');
      await stageTarget(stage).invoke('setup', { RequestType: 'Update' });
      print(`✔ The user ${user} of stage ${stage} has a new password, in the secret ${arn}`);
      return 0;
    }),
  );
