import type { Operation } from './operation.ts';
import { backfill } from './operations/backfill.ts';
import { doctor } from './operations/doctor.ts';
import { rebuild } from './operations/rebuild.ts';
import { redrive } from './operations/redrive.ts';
import { replay } from './operations/replay.ts';
import { report } from './operations/report.ts';
import { summarise } from './operations/summarise.ts';
import { verify } from './operations/verify.ts';

// biome-ignore lint/suspicious/noExplicitAny: each operation checks its own input and types its own output
type AnyOperation = Operation<any, unknown>;

/** Every operation, by the name that an event calls it. */
export const OPERATIONS: Readonly<Record<string, AnyOperation>> = Object.fromEntries(
  [verify, replay, redrive, doctor, summarise, rebuild, backfill, report].map((operation: AnyOperation) => [
    operation.name,
    operation,
  ]),
);
