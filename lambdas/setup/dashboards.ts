import { type OpeningRange, savedObjects, savedObjectsNdjson } from '../../charts/saved-objects.ts';
import {
  DashboardsApi,
  type DashboardsApiOptions,
  type ImportFailure,
} from '../../stores/opensearch/dashboards-api.ts';

/** Some objects were not imported; the message lists them with the reasons. */
export class DashboardsImportError extends Error {
  override readonly name = 'DashboardsImportError';
  readonly failures: readonly ImportFailure[];

  constructor(imported: number, failures: readonly ImportFailure[]) {
    const lines = failures.map(({ type, id, title, reason }) => `- ${type} "${title}" (${id}): ${reason}`);
    super(`Dashboards imported ${imported} objects and refused ${failures.length}:\n${lines.join('\n')}`);
    this.failures = failures;
  }
}

export interface DashboardsSetup extends DashboardsApiOptions {
  /** Called with the existing objects before they are replaced, if there are any. */
  keepBackup: (ndjson: string) => Promise<void>;
  /** The time range that dashboards open with. @default the last week */
  range?: OpeningRange | undefined;
}

/**
 * Imports the project's saved objects into Dashboards, after a backup of those with the same ids. Other objects are not
 * touched. Repeating it changes nothing.
 * @returns how many objects were imported
 * @throws DashboardsImportError {DashboardsApiError}
 */
export async function setUpDashboards({ keepBackup, range, ...options }: DashboardsSetup): Promise<number> {
  const api = new DashboardsApi(options);
  const before = await api.export(savedObjects());
  if (before !== '') await keepBackup(before);
  const { imported, failures } = await api.import(savedObjectsNdjson(range));
  if (failures.length > 0) throw new DashboardsImportError(imported, failures);
  return imported;
}

/** The key of a backup in the lake bucket. */
export function backupKey(now: Date): string {
  return `backups/dashboards/${now.toISOString().replaceAll(':', '-')}.ndjson`;
}
