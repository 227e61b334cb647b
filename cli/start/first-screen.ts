import type { QuestionInput } from '../../core/insights/question.ts';
import { AWS_PROFILE } from '../../local/engines/s3-client.ts';
import type { Pipeline } from '../../local/pipeline/pipeline.ts';
import { answerTable } from '../insights/answer-views.ts';

/** Questions with an answer from the first minute on. */
const REPLAY_QUESTIONS = [
  'average BTCUSD --over 90d',
  'moves BTCUSD --threshold 1,5,10 --over 90d',
  'volatile --over 7d',
];
const LIVE_QUESTIONS = ['average BTC --over 1h', 'moves BTC --over 24h', 'volatile --top 10 --over 24h'];

/** What can be done now that everything is up. */
export function firstScreen(
  { replay, endpoints }: Pick<Pipeline, 'replay' | 'endpoints'>,
  run: { reportUrl: string; dashboardsUrl: string | undefined; folder: string },
): string {
  const { reportUrl, dashboardsUrl, folder } = run;
  const inFolder = folder === '.local' ? '' : ` --folder ${folder}`;
  const questions = replay ? REPLAY_QUESTIONS : LIVE_QUESTIONS;
  const parts: [title: string, lines: string[]][] = [
    ['See it', [reportUrl, ...(dashboardsUrl ? [`${dashboardsUrl} (OpenSearch Dashboards)`] : [])]],
    ['Ask it', questions.map((question) => `npm run insights -- ${question}${inFolder}`)],
    [
      'Look inside',
      [
        `${folder}/endpoints.json has the addresses, ${folder}/logs the logs; docs/commands.md says what to try`,
        `AWS_CONFIG_FILE=${folder}/aws.config aws --profile ${AWS_PROFILE} s3 ls s3://${endpoints.bucket}/`,
      ],
    ],
  ];
  return parts
    .flatMap(([title, lines]) => lines.map((line, index) => `  ${(index ? '' : title).padEnd(13)}${line}`))
    .join('\n');
}

/** The counts of an answer about the months before the replay, so that there is something to see before its first poll. */
export async function firstAnswer({ replay, ask }: Pipeline): Promise<string | undefined> {
  const slotMs = replay && (replay.clock.position?.slotMs ?? replay.market.firstSlot());
  if (slotMs === undefined) return undefined;
  const question: QuestionInput = { question: 'moves', symbol: 'BTCUSD', exchange: 'recorded', over: '90d' };
  // It is only a welcome, so an error does not stop the polls.
  const response = await ask({ ...question, now: new Date(slotMs).toISOString() }).catch(() => undefined);
  return response?.kind === 'answer' ? answerTable('moves', response.answer).split('\n\n')[0] : undefined;
}
