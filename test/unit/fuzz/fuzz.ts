import fc from 'fast-check';
import { it } from 'vitest';

/** How many inputs each parser gets; `FUZZ_RUNS=100000 npm run fuzz` gives it more. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 1_000);

/** Text or JSON that programs have stumbled over. */
const ODD_TEXTS = [
  ...['', ' ', '\0', '\n', '\r\n', '"', "'", '\\', ',', ';', '{', '}', '[', ']', ':', '\ufeff', '\u2028'],
  ...['\ud800', '𐀀', '\u001b]52;c;x\u0007', '=1+1', '__proto__', 'constructor', 'toString', 'null', 'NaN'],
  ...[
    '-0',
    '1e999',
    '-1e999',
    '1e-999',
    '0x10',
    '1_000',
    '９',
    '9'.repeat(400),
    '1.',
    '.5',
    '%zz',
    '%00',
    '../..',
  ],
  ...[
    '2026-02-30T00:00:00.000Z',
    '+275760-09-13T00:00:00.001Z',
    '0000-00-00',
    'x'.repeat(5_000),
    '['.repeat(50_000),
  ],
];
const oddValue = fc.oneof(
  fc.constantFrom<unknown>(...ODD_TEXTS, null, true, 0, -0, -1, 1e300, 5e-324, 2 ** 53, [], {}, [[]]),
  fc.jsonValue({ maxDepth: 3 }),
  fc.double(),
  fc.constantFrom(10, 1_000).map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth))),
);

/** @param property is given any number of inputs; throws where the parser is wrong */
export function fuzz<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  property: (input: T) => void | Promise<void>,
  { runs = RUNS }: { runs?: number } = {},
): void {
  it(
    name,
    () =>
      fc.assert(
        fc.asyncProperty(inputs, async (input) => property(input)),
        { numRuns: runs, interruptAfterTimeLimit: 30_000 + 50 * RUNS },
      ),
    60_000 + 50 * RUNS,
  );
}

/** How many runs fit if one of them takes so many times as long as that of an ordinary parser. */
export const slower = (times: number) => ({ runs: Math.ceil(RUNS / times) });

type Edit = { at: number; length: number; odd: string; kind: 'delete' | 'insert' | 'repeat' | 'flip' };

/** Bytes like one of the samples: with some deleted, inserted, repeated, or changed. Rarely none at all. */
export function bytesLike(...samples: readonly (string | Uint8Array)[]): fc.Arbitrary<Buffer> {
  const edit: fc.Arbitrary<Edit> = fc.record({
    at: fc.nat(),
    length: fc.nat({ max: 20 }),
    odd: fc.constantFrom(...ODD_TEXTS),
    kind: fc.constantFrom('delete', 'insert', 'repeat', 'flip'),
  });
  return fc
    .tuple(
      fc.constantFrom(...samples.map((each) => Buffer.from(each as Uint8Array))),
      fc.array(edit, { maxLength: 6 }),
    )
    .map(([sample, edits]) => edits.reduce(edited, sample));
}

function edited(bytes: Buffer, { at, length, odd, kind }: Edit): Buffer {
  const start = at % (bytes.length + 1);
  const [before, part, after] = [
    bytes.subarray(0, start),
    bytes.subarray(start, start + length),
    bytes.subarray(start + length),
  ];
  switch (kind) {
    case 'delete':
      return Buffer.concat([before, after]);
    case 'insert':
      return Buffer.concat([before, Buffer.from(odd), part, after]);
    case 'repeat':
      return Buffer.concat([before, part, part, after]);
    case 'flip':
      return Buffer.concat([before, part.map((byte) => byte ^ (1 << (at % 8))), after]);
  }
}

export const textLike = (...samples: readonly string[]) =>
  bytesLike(...samples).map((bytes) => bytes.toString('utf8'));

type Place = { at: number; kind: 'replace' | 'delete' | 'add' | 'repeat'; name: string; value: unknown };

/** A value like the sample: some of its parts, at any depth, are other values, are absent, or are there twice. */
export function jsonLike<T>(sample: T): fc.Arbitrary<T> {
  const place: fc.Arbitrary<Place> = fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('replace', 'replace', 'delete', 'add', 'repeat'),
    name: fc.oneof(fc.constantFrom(...ODD_TEXTS), fc.string()),
    value: oddValue,
  });
  return fc.array(place, { minLength: 1, maxLength: 4 }).map((places) => {
    const copy = { value: structuredClone(sample) };
    for (const each of places) disturb(copy, each);
    return copy.value;
  });
}

function disturb(root: object, { at, kind, name, value }: Place): void {
  const parts = partsOf(root);
  if (parts.length === 0) return;
  const [holder, key] = parts[at % parts.length] as [Record<string, unknown>, string];
  const part = holder[key];
  if (kind === 'replace') holder[key] = value;
  // In JSON only objects have names; an array with another `length` or `constructor` is no value at all.
  else if (kind === 'add' && Array.isArray(part)) part.push(value);
  else if (kind === 'add' && typeof part === 'object' && part !== null) define(part, name, value);
  else if (kind === 'repeat' && Array.isArray(part)) part.push(...part.slice(0, 3));
  else if (kind === 'delete') delete holder[key];
}

/** As JSON.parse does: `__proto__` is a name like any other. */
function define(holder: object, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Every part of a value, as what holds it and its name there; not much deeper than real values go. */
function partsOf(holder: object, depth = 0): [object, string][] {
  if (depth > 20) return [];
  return Object.entries(holder).flatMap(([key, part]) => [
    [holder, key] as [object, string],
    ...(typeof part === 'object' && part !== null ? partsOf(part, depth + 1) : []),
  ]);
}
