import { StageConfigError } from './stage-config.ts';

/** Beginnings of the names of regions outside the partition `aws`: GovCloud, China, sovereign and isolated clouds. */
const OTHER_PARTITIONS = ['us-gov-', 'cn-', 'eusc-', 'us-iso', 'eu-iso'];

/**
 * Refuses regions in which console, service principals or offers differ from what the app assumes.
 * @param region undefined where nobody is signed in
 * @throws StageConfigError
 */
export function requireCommercial(region: string | undefined): void {
  if (!OTHER_PARTITIONS.some((beginning) => region?.startsWith(beginning))) return;
  throw new StageConfigError(
    `The app supports commercial AWS regions only, not ${region}: set AWS_REGION to another one (docs/aws.md).`,
  );
}
