import * as z from 'zod';
import { BACKOFFS, CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import type { OpenSearchUser } from './client.ts';

export interface DashboardsApiOptions {
  /** Base URL, e.g. `https://…/_dashboards`. */
  url: string;
  /** Who signs in; nobody where Dashboards asks for no sign-in. */
  user?: OpenSearchUser | undefined;
  /** Epoch ms until which a call that may pass later is tried again. */
  deadlineMs: number;
  onRetry?: (retry: { attempt: number; delayMs: number; error: unknown }) => void;
}

/** One object that Dashboards did not import. */
export interface ImportFailure {
  type: string;
  id: string;
  title: string;
  reason: string;
}

export interface ImportReport {
  imported: number;
  failures: ImportFailure[];
}

/** Dashboards refused a request, or gave no answer; the message says what it said. */
export class DashboardsApiError extends Error {
  override readonly name = 'DashboardsApiError';
  /** Undefined where there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** What `_import` answers: https://docs.opensearch.org/latest/dashboards/management/saved-objects-api/ */
const importAnswer = z.object({
  success: z.boolean(),
  successCount: z.number(),
  errors: z
    .array(
      z.object({
        type: z.string(),
        id: z.string(),
        title: z.string().optional(),
        meta: z.object({ title: z.string().optional() }).optional(),
        error: z.looseObject({
          type: z.string(),
          message: z.string().optional(),
          references: z.array(z.object({ type: z.string(), id: z.string() })).optional(),
        }),
      }),
    )
    .default([]),
});

/** What `_bulk_get` answers; an object that is not there has an error. */
const bulkAnswer = z.object({
  saved_objects: z.array(z.object({ type: z.string(), id: z.string(), error: z.unknown().optional() })),
});

/** The saved objects of one Dashboards, in the tenant that everybody shares. */
export class DashboardsApi {
  readonly #options: DashboardsApiOptions;

  constructor(options: DashboardsApiOptions) {
    this.#options = { ...options, url: options.url.replace(/\/+$/, '') };
  }

  /**
   * What is there now of some objects, one a line, as {@link DashboardsApi.import} takes it back; "" for nothing.
   * @throws DashboardsApiError
   */
  async export(objects: readonly { type: string; id: string }[]): Promise<string> {
    const asked = objects.map(({ type, id }) => ({ type, id }));
    const found = understood(
      bulkAnswer,
      await this.#post('_bulk_get', JSON.stringify(asked), 'application/json'),
    );
    // To export what is not there is an error.
    const there = found.saved_objects
      .filter(({ error }) => error === undefined)
      .map(({ type, id }) => ({ type, id }));
    if (there.length === 0) return '';
    const body = JSON.stringify({ objects: there, excludeExportDetails: true });
    return `${(await this.#post('_export', body, 'application/json')).trimEnd()}\n`;
  }

  /**
   * Imports objects; those with the same ids are replaced, no other is touched.
   * @param ndjson one object a line
   * @throws DashboardsApiError where nothing could be imported at all
   */
  async import(ndjson: string): Promise<ImportReport> {
    const form = new FormData();
    // It wants a file whose name ends so.
    form.set('file', new Blob([ndjson]), 'saved-objects.ndjson');
    const answer = understood(importAnswer, await this.#post('_import?overwrite=true', form));
    return {
      imported: answer.successCount,
      failures: answer.errors.map(({ type, id, title, meta, error }) => {
        const missing = error.references?.map((reference) => `${reference.type} ${reference.id}`).join(', ');
        const detail = error.message ?? missing;
        return {
          type,
          id,
          title: title ?? meta?.title ?? id,
          reason: detail ? `${error.type}: ${detail}` : error.type,
        };
      }),
    };
  }

  #post(path: string, body: string | FormData, contentType?: string): Promise<string> {
    const { deadlineMs, onRetry } = this.#options;
    return retryUntilDeadline(() => this.#attempt(path, body, contentType), {
      deadlineMs,
      ...BACKOFFS.openSearch,
      isRetryable: (error) =>
        error instanceof DashboardsApiError &&
        (error.status === undefined || error.status === 429 || error.status >= 500),
      ...(onRetry ? { onRetry } : {}),
    });
  }

  async #attempt(path: string, body: string | FormData, contentType?: string): Promise<string> {
    const { url, user } = this.#options;
    const address = `${url}/api/saved_objects/${path}`;
    const headers = {
      'osd-xsrf': 'true',
      // Else they would go into the private tenant of whoever signs in, where nobody else sees them.
      securitytenant: 'global',
      ...(contentType ? { 'content-type': contentType } : {}),
      ...(user
        ? {
            authorization: `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}`,
          }
        : {}),
    };
    let response: Response;
    let text: string;
    try {
      response = await fetch(address, {
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.timeout(CALL_TIMEOUTS_MS.openSearch),
      });
      text = await response.text();
    } catch (cause) {
      const reason = ((cause as Error).cause as Error | undefined)?.message || (cause as Error).message;
      throw new DashboardsApiError(`Dashboards at ${url} gave no answer: ${reason}`, undefined, { cause });
    }
    if (!response.ok || response.redirected) throw refused(address, response, text);
    return text;
  }
}

function refused(address: string, { status, redirected }: Response, text: string): DashboardsApiError {
  if (status === 401 || redirected) {
    return new DashboardsApiError(`${address} wants a sign-in: the user or the password is wrong.`, 401);
  }
  return new DashboardsApiError(`${address} answered ${status}: ${text.slice(0, 300)}`, status);
}

function understood<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DashboardsApiError(`Is that Dashboards? It answered ${text.slice(0, 300)}`, 200, { cause });
  }
}
