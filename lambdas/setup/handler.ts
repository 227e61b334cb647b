import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import * as z from 'zod';
import { createLogger } from '../adapters/logger.ts';
import { createOpenSearch } from '../adapters/opensearch-client.ts';
import { readEnvironment } from '../domain/environment.ts';
import { retryUntilDeadline } from '../domain/retry.ts';
import { indexTemplates } from './index-templates.ts';

const environment = readEnvironment(
  z.object({ OPENSEARCH_URL: z.url({ protocol: /^https?$/ }) }),
  process.env,
);
const log = createLogger('setup');
const client = createOpenSearch(environment.OPENSEARCH_URL);

/** The custom resource's properties; CloudFormation passes every value as text. */
const setupProperties = z.object({
  IndexSettings: z.object({
    shards: z.coerce.number().int().positive(),
    replicas: z.coerce.number().int().nonnegative(),
    refreshInterval: z.string().regex(/^\d+(ms|s|m)$/, 'expected a duration such as 30s'),
  }),
});

/** OpenSearch did not take what setup put; the message is what the CloudFormation event shows. */
export class SetupError extends Error {
  override readonly name = 'SetupError';
}

/** What a custom resource of CDK's provider framework answers. */
export interface SetupResponse {
  PhysicalResourceId: string;
  Data: { templates: string };
}

/** Kept for the answer. */
const FINISH_RESERVE_MS = 5_000;

/**
 * Puts what the pipeline needs to find in OpenSearch; putting it again changes nothing. On deletion it leaves
 * everything as it is: the templates belong to the data, which the domain's own removal policy decides about.
 * @throws SetupError
 */
export async function handler(
  event: CloudFormationCustomResourceEvent,
  context: Context,
): Promise<SetupResponse> {
  log.addContext(context);
  const PhysicalResourceId = 'crypto-market-insights-setup';
  if (event.RequestType === 'Delete') return { PhysicalResourceId, Data: { templates: '' } };
  const { IndexSettings } = setupProperties.parse(event.ResourceProperties);
  const templates = indexTemplates(IndexSettings);
  const deadlineMs = Date.now() + context.getRemainingTimeInMillis() - FINISH_RESERVE_MS;
  for (const [name, body] of Object.entries(templates)) {
    try {
      await retryUntilDeadline(() => client.indices.putIndexTemplate({ name, body }), {
        deadlineMs,
        initialDelayMs: 200,
        maxDelayMs: 5_000,
        isRetryable: mayPass,
        onRetry: ({ attempt, delayMs }) => log.warn('The template is put again', { name, attempt, delayMs }),
      });
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new SetupError(`OpenSearch did not take the index template ${name}: ${message}`, { cause });
    }
  }
  log.info('Put the index templates', { templates: Object.keys(templates) });
  return { PhysicalResourceId, Data: { templates: Object.keys(templates).join(',') } };
}

/** A domain that is just starting refuses connections or answers 429 and 5xx; anything else stays wrong. */
function mayPass(error: unknown): boolean {
  const status = (error as { statusCode?: number }).statusCode;
  return status === undefined || status === 429 || status >= 500;
}
