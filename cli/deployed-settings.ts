import { CloudFormationClient, GetTemplateCommand } from '@aws-sdk/client-cloudformation';

/*
 * Prints what a deployed stack has recorded of the settings that cannot change, as JSON; `{}` if it is not deployed or has
 * recorded nothing. For bin/pipeline.ts, which may not use AWS's clients itself.
 */
const StackName = process.argv[2] as string;
const client = new CloudFormationClient({ maxAttempts: 2 });
try {
  const { TemplateBody = '{}' } = await client.send(new GetTemplateCommand({ StackName }));
  const { Metadata } = JSON.parse(TemplateBody) as { Metadata?: { FixedSettings?: object } };
  process.stdout.write(JSON.stringify(Metadata?.FixedSettings ?? {}));
} catch (error) {
  if (!/does not exist/.test((error as Error).message)) throw error;
  process.stdout.write('{}');
}
