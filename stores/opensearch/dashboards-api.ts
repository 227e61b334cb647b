import * as z from 'zod';
import { BACKOFFS, CALL_TIMEOUTS_MS } from '../../core/runtime/budgets.ts';
import { retryUntilDeadline } from '../../core/runtime/retry.ts';
import type { OpenSearchUser } from './client.ts';

export interface DashboardsApiOptions {
  /** Base URL, e.g. `https://…/_dashboards`. */
  url: string;
  /** Undefined if Dashboards asks for no sign-in. */
  user?: OpenSearchUser | undefined;
  /** Until when a failed call is retried, epoch ms. */
  deadlineMs: number;
  onRetry?: (retry: { attempt: number; delayMs: number; error: unknown }) => void;
}

/** An object that Dashboards did not import. */
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

/** Dashboards refused a request or gave no answer. */
export class DashboardsApiError extends Error {
  override readonly name = 'DashboardsApiError';
  /** Undefined if there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, status?: number, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

const objectId = z.object({ type: z.string(), id: z.string() });

/** The answer of `_import`: https://docs.opensearch.org/latest/dashboards/management/saved-objects-api/ */
const importAnswer = z.object({
  success: z.boolean(),
  successCount: z.number(),
  errors: z
    .array(
      objectId.extend({
        title: z.string().optional(),
        meta: z.object({ title: z.string().optional() }).optional(),
        error: z.looseObject({
          type: z.string(),
          message: z.string().optional(),
          references: z.array(objectId).optional(),
        }),
      }),
    )
    .default([]),
});

/** The answer of `_bulk_get`; a missing object has an error. */
const bulkAnswer = z.object({ saved_objects: z.array(objectId.extend({ error: z.unknown().optional() })) });

/** The saved objects of a Dashboards, in the tenant that everybody shares. */
export class DashboardsApi {
  readonly #options: DashboardsApiOptions;

  constructor(options: DashboardsApiOptions) {
    this.#options = { ...options, url: options.url.replace(/\/+$/, '') };
  }

  /**
   * Those of the objects that exist, one per line, as {@link DashboardsApi.import} accepts them; "" if none does.
   * @throws DashboardsApiError
   */
  async export(objects: readonly { type: string; id: string }[]): Promise<string> {
    const wanted = JSON.stringify(objects.map(({ type, id }) => ({ type, id })));
    const found = parseAnswer(bulkAnswer, await this.#post('_bulk_get', wanted));
    // Exporting a missing object is an error.
    const existing = found.saved_objects
      .filter(({ error }) => error === undefined)
      .map(({ type, id }) => ({ type, id }));
    if (existing.length === 0) return '';
    const body = JSON.stringify({ objects: existing, excludeExportDetails: true });
    return `${(await this.#post('_export', body)).trimEnd()}\n`;
  }

  /**
   * Imports objects, replacing those with the same ids.
   * @param ndjson one object per line
   * @throws DashboardsApiError if nothing could be imported
   */
  async import(ndjson: string): Promise<ImportReport> {
    const form = new FormData();
    // Dashboards checks the extension of the file.
    form.set('file', new Blob([ndjson]), 'saved-objects.ndjson');
    const answer = parseAnswer(importAnswer, await this.#post('_import?overwrite=true', form));
    const failures = answer.errors.map(({ type, id, title, meta, error }) => {
      const missing = error.references?.map((reference) => `${reference.type} ${reference.id}`).join(', ');
      const detail = error.message ?? missing;
      const reason = detail ? `${error.type}: ${detail}` : error.type;
      return { type, id, title: title ?? meta?.title ?? id, reason };
    });
    return { imported: answer.successCount, failures };
  }

  #post(path: string, body: string | FormData): Promise<string> {
    const { deadlineMs, onRetry } = this.#options;
    return retryUntilDeadline(() => this.#attempt(path, body), {
      deadlineMs,
      ...BACKOFFS.openSearch,
      isRetryable: (error) =>
        error instanceof DashboardsApiError &&
        (error.status === undefined || error.status === 429 || error.status >= 500),
      ...(onRetry ? { onRetry } : {}),
    });
  }

  async #attempt(path: string, body: string | FormData): Promise<string> {
    const { url, user } = this.#options;
    const address = `${url}/api/saved_objects/${path}`;
    const headers = {
      'osd-xsrf': 'true',
      // Otherwise the objects go to the private tenant of the user, where nobody else sees them.
      securitytenant: 'global',
      ...(typeof body === 'string' ? { 'content-type': 'application/json' } : {}),
      ...(user
        ? { authorization: `Basic ${Buffer.from(`${user.username}:${user.password}`).toString('base64')}` }
        : {}),
    };
    const signal = AbortSignal.timeout(CALL_TIMEOUTS_MS.openSearch);
    let response: Response;
    let text: string;
    try {
      response = await fetch(address, { method: 'POST', headers, body, signal });
      text = await response.text();
    } catch (cause) {
      const reason = ((cause as Error).cause as Error | undefined)?.message || (cause as Error).message;
      throw new DashboardsApiError(`Dashboards at ${url} gave no answer: ${reason}`, undefined, { cause });
    }
    const { status, ok, redirected } = response;
    if (status === 401 || redirected) {
      throw new DashboardsApiError(`${address} wants a sign-in: the user or the password is wrong.`, 401);
    }
    if (!ok) throw new DashboardsApiError(`${address} answered ${status}: ${text.slice(0, 300)}`, status);
    return text;
  }
}

function parseAnswer<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DashboardsApiError(`Is this Dashboards? It answered ${text.slice(0, 300)}`, 200, { cause });
  }
}
