import { backfill } from './backfill/backfill.ts';
import { undo } from './backfill/undo.ts';
import { doctor } from './doctor/doctor.ts';
import { gaps } from './gaps/gaps.ts';
import { heal } from './heal.ts';
import type { Operation } from './operation.ts';
import { rebuild } from './rebuild.ts';
import { redrive } from './redrive.ts';
import { reindex } from './reindex.ts';
import { replay } from './replay.ts';
import { summarise } from './summarise.ts';
import { verify } from './verify.ts';

// biome-ignore lint/suspicious/noExplicitAny: each operation checks its own input and types its own output
type AnyOperation = Operation<any, unknown>;

const ALL: readonly AnyOperation[] = [
  verify,
  replay,
  redrive,
  heal,
  doctor,
  summarise,
  rebuild,
  reindex,
  backfill,
  undo,
  gaps,
];

/** Every operation by name. */
export const OPERATIONS: Readonly<Record<string, AnyOperation>> = Object.fromEntries(
  ALL.map((operation) => [operation.name, operation]),
);
