import type { BulkKind } from './bulk-answer.ts';

/**
 * One action of a bulk request. `create` leaves an existing document as it is, `index` replaces it; `source` is the
 * document's JSON on one line. With a `version`, the action gets status 409 if the document's own is higher.
 */
export type BulkAction =
  | { kind: 'create'; index: string; id: string; source: string }
  | { kind: 'index'; index: string; id: string; source: string; version?: number }
  | { kind: 'delete'; index: string; id: string; version?: number };

/** Actions as the bytes of a request's lines. */
export interface BulkRequest {
  kinds: BulkKind[];
  lines: Buffer;
  /** Where each action's lines end. */
  ends: number[];
  /** The buffer under `lines`, for reuse; undefined for a part of a request. */
  memory?: Buffer;
  /** OpenSearch has processed the lines, so nobody reads the memory any more. */
  isRead?: boolean;
}

const LINE_END = 0x0a;

/** Cuts actions into requests of at most `maxBytes` (a larger action gets its own), each built on demand. */
export function* requestsOf(
  actions: Iterable<BulkAction>,
  maxBytes: number,
  spareMemory: () => Buffer | undefined,
): Generator<BulkRequest> {
  let memory: Buffer | undefined;
  let kinds: BulkKind[] = [];
  let ends: number[] = [];
  let end = 0;
  for (const action of actions) {
    const head = `{"${action.kind}":{"_index":"${action.index}","_id":${JSON.stringify(action.id)}${versionOf(action)}}}\n`;
    const source = action.kind === 'delete' ? '' : action.source;
    // A character takes at most three bytes; counting them is only worthwhile if space is tight.
    if (!memory || (head.length + source.length) * 3 + 1 > memory.length - end) {
      const size = Buffer.byteLength(head) + Buffer.byteLength(source) + 1;
      if (!memory || size > memory.length - end) {
        if (memory) yield { kinds, lines: memory.subarray(0, end), ends, memory };
        memory =
          (size > maxBytes ? undefined : spareMemory()) ?? Buffer.allocUnsafe(Math.max(maxBytes, size));
        [kinds, ends, end] = [[], [], 0];
      }
    }
    end += memory.write(head, end);
    if (action.kind !== 'delete') {
      end += memory.write(source, end);
      memory[end++] = LINE_END;
    }
    kinds.push(action.kind);
    ends.push(end);
  }
  if (memory) yield { kinds, lines: memory.subarray(0, end), ends, memory };
}

function versionOf(action: BulkAction): string {
  if (action.kind === 'create' || action.version === undefined) return '';
  return `,"version":${action.version},"version_type":"external_gte"`;
}

/** A request with only the actions at these positions. */
export function partOf({ kinds, lines, ends }: BulkRequest, positions: readonly number[]): BulkRequest {
  const parts = positions.map((position) => lines.subarray(ends[position - 1] ?? 0, ends[position]));
  let end = 0;
  return {
    kinds: positions.map((position) => kinds[position] as BulkKind),
    lines: Buffer.concat(parts),
    ends: parts.map(({ length }) => {
      end += length;
      return end;
    }),
  };
}
