import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { Client } from '@opensearch-project/opensearch';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import * as z from 'zod';
import { BACKOFFS, RESERVES_MS } from '../../core/runtime/budgets.ts';
import { jsonText, readEnvironment } from '../../core/runtime/environment.ts';
import { OPENSEARCH_FUNCTIONS } from '../../core/runtime/opensearch-functions.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { readUser } from '../../stores/aws/secrets.ts';
import { accessControlSteps } from '../../stores/opensearch/access-control.ts';
import { createOpenSearch, type OpenSearchUser } from '../../stores/opensearch/client.ts';
import { type SetupStep, templateSteps } from '../../stores/opensearch/index-templates.ts';
import { isTransient } from '../../stores/opensearch/search.ts';
import { createS3Client } from '../../stores/s3/client.ts';
import { backupKey, setUpDashboards } from './dashboards.ts';

const environment = readEnvironment(
  z.object({
    OPENSEARCH_URL: z.url({ protocol: /^https?$/ }),
    /** ARN of the secret of the master user that setup signs in as. Unset locally: no sign-in. */
    OPENSEARCH_MASTER_SECRET: z.string().optional(),
    /** Unset locally: there is no Dashboards. */
    DASHBOARDS_URL: z.url({ protocol: /^https?$/ }).optional(),
    /** Stores backups of what is replaced in Dashboards. */
    LAKE_BUCKET: z.string().min(1).optional(),
    INDEX_SETTINGS: jsonText(
      z.object({
        shards: z.number().int().positive(),
        replicas: z.number().int().nonnegative(),
        refreshInterval: z.string().regex(/^\d+(ms|s|m)$/, 'expected a duration such as 30s'),
      }),
    ),
    /** Roles and users, if the domain has fine-grained access control. */
    ACCESS_CONTROL: jsonText(
      z.object({
        functionRoleArns: z.record(z.enum(OPENSEARCH_FUNCTIONS), z.string().startsWith('arn:')),
        /** ARN of the secret of the read-only user. */
        readerSecret: z.string().min(1),
      }),
    ).optional(),
  }),
  process.env,
);
const log = createLogger('setup');

/** OpenSearch refused a step of the setup; the CloudFormation event shows the message. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** The answer that CDK's provider framework expects of a custom resource. */
export interface SetupResponse {
  PhysicalResourceId: string;
  Data: { templates: string };
}

/**
 * Puts roles, users, index templates and dashboards into OpenSearch. Repeating it changes nothing, so people may call it
 * too, with any `RequestType`. Deletion leaves everything in place: the templates belong to the data, whose fate the
 * domain's removal policy decides.
 * @throws SetupError {DashboardsImportError} {DashboardsApiError}
 */
export async function handler(
  event: Pick<CloudFormationCustomResourceEvent, 'RequestType'>,
  context: Context,
): Promise<SetupResponse> {
  log.addContext(context);
  const PhysicalResourceId = 'crypto-market-insights-setup';
  if (event.RequestType === 'Delete') return { PhysicalResourceId, Data: { templates: '' } };
  const { INDEX_SETTINGS: indexSettings, ACCESS_CONTROL: accessControl } = environment;
  const deadlineMs = Date.now() + context.getRemainingTimeInMillis() - RESERVES_MS.finish;

  const templates = templateSteps(indexSettings);
  const access = accessControl
    ? accessControlSteps({
        functionRoleArns: accessControl.functionRoleArns,
        reader: await readUser(accessControl.readerSecret),
      })
    : [];
  const { OPENSEARCH_URL: url, OPENSEARCH_MASTER_SECRET: masterSecret } = environment;
  const user = masterSecret ? await readUser(masterSecret) : undefined;
  const client = createOpenSearch(url, user);
  try {
    // Roles first: a function needs its role before it can use the templates.
    for (const step of [...access, ...templates]) await put(client, step, deadlineMs);
  } finally {
    await client.close();
  }
  if (environment.DASHBOARDS_URL) await putDashboards(environment.DASHBOARDS_URL, user, deadlineMs);
  const names = templates.map(({ path }) => path.slice(path.lastIndexOf('/') + 1));
  log.info('Set up OpenSearch', { templates: names, accessControl: access.length > 0 });
  return { PhysicalResourceId, Data: { templates: names.join(',') } };
}

async function putDashboards(
  url: string,
  user: OpenSearchUser | undefined,
  deadlineMs: number,
): Promise<void> {
  const { LAKE_BUCKET: Bucket } = environment;
  const imported = await setUpDashboards({
    url,
    user,
    deadlineMs,
    onRetry: ({ attempt, delayMs }) => log.warn('Retrying Dashboards', { attempt, delayMs }),
    async keepBackup(ndjson) {
      if (!Bucket)
        throw new SetupError('LAKE_BUCKET is not set, so the objects in Dashboards cannot be backed up.');
      const s3 = createS3Client(process.env);
      await s3.send(new PutObjectCommand({ Bucket, Key: backupKey(new Date()), Body: ndjson }));
      s3.destroy();
    },
  });
  log.info('Set up Dashboards', { imported });
}

async function put(client: Client, { what, path, body }: SetupStep, deadlineMs: number): Promise<void> {
  try {
    await retryUntilDeadline(() => client.transport.request({ method: 'PUT', path, body }), {
      deadlineMs,
      ...BACKOFFS.openSearch,
      isRetryable: isTransient,
      onRetry: ({ attempt, delayMs, error }) =>
        log.warn(`Retrying ${what}`, { attempt, delayMs, error: error as Error }),
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new SetupError(`OpenSearch did not accept ${what}: ${message}`, { cause });
  }
}
