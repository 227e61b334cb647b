import type { Target } from '../target.ts';
import { lakeAnswers } from './lake-answers.ts';
import { lakeCompaction } from './lake-compaction.ts';

const PARTS: readonly Target[] = [lakeCompaction, lakeAnswers];

/** The lake's Parquet files. */
export const lake: Target = async (context) => {
  const results = [];
  for (const part of PARTS) results.push(...(await part(context)));
  return results;
};
