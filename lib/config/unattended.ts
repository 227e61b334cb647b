import { type StageConfig, StageConfigError } from './stage-config.ts';

type Told = Pick<StageConfig, 'stage' | 'dataOnRemoval' | 'alarms' | 'budget'>;

/**
 * Refuses a stage whose data is meant to last if nobody would be notified of failures or cost. @param
 * accepted settings that may be missing anyway, or `true` for all
 * @throws StageConfigError
 */
export function requireAttended(
  { stage, dataOnRemoval, alarms, budget }: Told,
  accepted: readonly string[],
): void {
  if (dataOnRemoval !== 'retain' || accepted.includes('true')) return;
  const isPaged = alarms.pages.length > 0 || alarms.chat.some(({ topics }) => topics.includes('pages'));
  const missing = [...(isPaged ? [] : ['alarms.pages']), ...(budget ? [] : ['budget'])].filter(
    (setting) => !accepted.includes(setting),
  );
  if (missing.length === 0) return;
  const nobody = {
    'alarms.pages': 'is paged when data stops arriving (alarms.pages, or a chat room with the topic pages)',
    budget: 'is told that it costs more than planned (budget)',
  };
  const lacks = missing.map((setting) => nobody[setting as keyof typeof nobody]).join(', and nobody ');
  throw new StageConfigError(
    `Nobody ${lacks}: name them in the settings of ${stage} (docs/aws.md), or accept it with -c acceptUnattended=${missing.join(',')}.`,
  );
}
