import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { OperationInputError, type Slice } from '../../core/operate/operation.ts';
import { OPERATIONS } from '../../core/operate/operations.ts';
import { deadlineOf } from '../../core/runtime/budgets.ts';
import { readEnvironment } from '../../core/runtime/environment.ts';
import { createLogger } from '../../stores/aws/logger.ts';
import { operateVariables, operationServices } from './services.ts';

const environment = readEnvironment(z.object(operateVariables), process.env);
const log = createLogger('operate');
const services = operationServices(environment, log);

const operationEvent = z.object({
  operation: z.string(),
  input: z.unknown(),
  sliceMs: z.number().positive().optional(),
  cursor: z.unknown().optional(),
  resumed: z.boolean().default(false),
});

/**
 * Does one slice of an operator's command. The caller sends the cursor of the answer with the next event until there is
 * none.
 * @throws OperationInputError
 */
export async function handler(event: unknown, context: Context): Promise<Slice<unknown>> {
  log.addContext(context);
  const { operation: name, input, sliceMs, cursor: given, resumed } = operationEvent.parse(event);
  const operation = OPERATIONS[name];
  if (!operation) {
    throw new OperationInputError(
      `There is no operation "${name}"; there are ${Object.keys(OPERATIONS).join(', ')}`,
    );
  }
  const checked = operation.input.safeParse(input);
  if (!checked.success) throw new OperationInputError(`${name}: ${z.prettifyError(checked.error)}`);
  const now = Date.now();
  const endMs = deadlineOf(context.getRemainingTimeInMillis(), now);
  const deadlineMs = Math.min(endMs, now + (sliceMs ?? Number.POSITIVE_INFINITY));
  const cursor = resumed ? ((await operation.resume?.(checked.data, given, services)) ?? given) : given;
  const slice = await operation.slice(checked.data, cursor, services, { deadlineMs });
  log.info('Did a slice', { operation: name, progress: slice.progress, done: slice.cursor === undefined });
  return slice;
}
