import type { OperationEvent } from '../../core/operate/operation.ts';
import type { Target } from '../targets/target.ts';

/** Calls the operate function of a target. */
export function invokeOperate(target: Target) {
  return (event: OperationEvent) => target.invoke('operate', { ...event, sliceMs: target.sliceMs });
}
