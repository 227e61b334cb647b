import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeDomainConfigCommand,
  OpenSearchClient,
  UpdateDomainConfigCommand,
} from '@aws-sdk/client-opensearch';
import type { SetPassword } from '../../core/operate/rotate.ts';

/** The domain did not take the password in time. */
export class DomainBusyError extends Error {
  override readonly name = 'DomainBusyError';
}

const POLL_MS = 10_000;
const LIMIT_MS = 30 * 60_000;

/** Sets the password of the admin user of a domain of OpenSearch Service. @throws DomainBusyError */
export function masterPasswordSetter(DomainName: string, signal: AbortSignal): SetPassword {
  const client = new OpenSearchClient({});

  async function untilUnchanging(): Promise<void> {
    for (const endMs = Date.now() + LIMIT_MS; Date.now() < endMs; ) {
      const { DomainConfig } = await client.send(new DescribeDomainConfigCommand({ DomainName }));
      const change = DomainConfig?.ChangeProgressDetails?.ConfigChangeStatus ?? 'Completed';
      const isActive = DomainConfig?.AdvancedSecurityOptions?.Status?.State === 'Active';
      if (isActive && change === 'Completed') return;
      await sleep(POLL_MS, undefined, { signal });
    }
    throw new DomainBusyError(
      `Domain ${DomainName} was still changing after ${LIMIT_MS / 60_000} min. Run the command again: it continues with the same password.`,
    );
  }

  return async ({ username: MasterUserName, password: MasterUserPassword }) => {
    // A domain takes one change at a time.
    await untilUnchanging();
    const AdvancedSecurityOptions = { MasterUserOptions: { MasterUserName, MasterUserPassword } };
    await client.send(new UpdateDomainConfigCommand({ DomainName, AdvancedSecurityOptions }));
    await untilUnchanging();
  };
}
