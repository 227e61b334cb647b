import { S3Client } from '@aws-sdk/client-s3';
import { type RestoreReport, restoreObjects } from '../../core/operate/restore.ts';
import { formatCount } from '../../core/text/format.ts';
import { S3Versions } from '../../stores/s3/versions.ts';
import { createCommand, perform } from '../command.ts';
import { instant } from '../options.ts';
import { note, print, problemLines } from '../print.ts';
import { outputOf } from '../targets/stage.ts';

interface RestoreFlags {
  stage: string;
  bucket?: string;
  asOf: string;
  prefix: string;
  dryRun?: boolean;
  json?: boolean;
}

const help = `The bucket keeps replaced and deleted objects for retention.oldVersionDays. Nothing is lost by restoring: what replaced an object
stays as an older version. Objects that appeared since are listed, and stay. If it is interrupted, run the same command again.

Exit codes: 0 done, 1 some objects are lost or could not be restored, 2 failed.

With --json: {counts: {none, undelete, putAgain, appeared, lost}, examples, problems: [text]}.

Examples:
  npm run restore -- --stage prod --as-of 2026-11-24T06:00 --dry-run
  npm run restore -- --stage prod --as-of 2026-11-24T06:00 --prefix candles/`;

const description =
  'Restores objects of a deployed lake that were deleted or replaced since a given time, from their old versions. It runs with your own credentials, because no function is allowed to do this.';

export const command = createCommand('restore', description, { help })
  .requiredOption('--stage <name>', 'a deployed stage; needs AWS credentials')
  .requiredOption('--as-of <time>', 'restore objects to their state at this time', instant)
  .option('--prefix <prefix>', 'only keys that begin with it', 'tickers/')
  .option('--bucket <name>', 'another bucket, such as one whose stack is gone')
  .option('--dry-run', 'only say what would be restored')
  .option('--json', 'print the result as one JSON object')
  .action(
    perform(async (signal, { stage, asOf, prefix, dryRun = false, json, ...flags }: RestoreFlags) => {
      const bucket = flags.bucket ?? (await outputOf(stage, 'stateful', 'LakeBucketName'));
      const client = new S3Client({});
      const report = await restoreObjects(new S3Versions(client, bucket), {
        prefix,
        asOfMs: Date.parse(asOf),
        dryRun,
        signal,
        onProgress(objects) {
          if (objects % 1_000 === 0) note(`… ${formatCount(objects)} objects`);
        },
      });
      client.destroy();
      if (json) print(JSON.stringify(report));
      else print(...reportLines(report, dryRun));
      return report.problems.length + report.counts.lost === 0 ? 0 : 1;
    }),
  );

function reportLines({ counts, examples, problems }: RestoreReport, dryRun: boolean): string[] {
  const did = dryRun ? 'would be' : 'are';
  const lines: [number, string, readonly string[]][] = [
    [counts.undelete, `were deleted, and ${did} there again`, examples.undelete],
    [counts.putAgain, `were replaced, and ${did} what they were`, examples.putAgain],
    [counts.appeared, 'appeared since, and stay as they are', examples.appeared],
    [counts.lost, 'were deleted, and no version of them is left', examples.lost],
  ];
  return [
    `${formatCount(counts.none)} objects are as they were.`,
    ...lines.flatMap(([number, what, keys]) =>
      number === 0 ? [] : [`${formatCount(number)} ${what}, such as:`, ...keys.map((key) => `  ${key}`)],
    ),
    ...problemLines(problems),
  ];
}
