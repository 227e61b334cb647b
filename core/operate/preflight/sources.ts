import { fail, ok, warn } from '../doctor/check.ts';
import { type FindingResult, withSettings } from './finding.ts';
import type { SourceNeed } from './ports.ts';

/** A source that answers everywhere, and its settings. */
export interface SafeSource {
  name: string;
  settings: object;
}

/**
 * Whether an exchange answers. What counts is the address of the deployment's NAT, so a region that the exchange is known
 * to refuse counts for more than its answer to this machine.
 */
export async function checkSource(
  source: SourceNeed,
  region: string,
  safe: SafeSource,
): Promise<FindingResult> {
  const { name, refusedRegions, elsewhere } = source;
  const such = name === safe.name ? '' : `, such as ${safe.name}`;
  const advice = `poll another exchange${such} (docs/exchanges.md says who serves which region), or choose another region.`;
  if (!elsewhere && refusedRegions.some((beginning) => region.startsWith(beginning))) {
    const result = fail(
      `${name} refuses addresses in ${region}, whatever it answers here`,
      `You can ${advice}`,
    );
    return withSettings(result, safe.settings);
  }
  try {
    const { tickers } = await source.poll();
    if (tickers > 0) return ok(`${name} answered this machine with ${tickers} tickers`);
    return warn(`${name} answered this machine without a ticker`, `"npm run probe -- ${name}" shows more.`);
  } catch (error) {
    const finding = `${name} did not answer this machine: ${(error as Error).message}`;
    const here = `What counts is an address in the region, not this one: try it from AWS CloudShell in ${region}. If it fails there too, ${advice}`;
    return warn(finding, here);
  }
}
