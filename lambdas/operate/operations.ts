import type { Operation } from './operation.ts';

/** Every operation, by the name that an event calls it. */
// biome-ignore lint/suspicious/noExplicitAny: each operation checks its own input and types its own output
export const OPERATIONS: Readonly<Record<string, Operation<any, unknown>>> = Object.fromEntries(
  ([] satisfies Operation<never, unknown>[] as Operation<never, unknown>[]).map((operation) => [
    operation.name,
    operation,
  ]),
);
