/** Where two answers to one question differ. */
export interface AnswerDifference {
  /** Of the field within the answer: `average.mean`, `series[3].volatility`. */
  field: string;
  /** Left out where the answer has none. */
  index?: unknown;
  lake?: unknown;
}

/** Sums and what follows from them: two engines add in different orders. */
const MOST_RELATIVE_ERROR = 1e-9;
/** A difference of sums that cancel each other, such as the variance of returns near 0. */
const MOST_ABSOLUTE_ERROR = 1e-13;

/** Prices are stored, never computed. */
const PRICE = /^(min|max|first|last|price|.*Price|.*_price)$/;

/** Which of two values in an answer agree, where exactness is not the rule. */
type Agrees = (field: string, index: number, lake: number) => boolean;

/**
 * Every difference of two answers: counts, times, names and prices have to be equal, other numbers to 1e-9.
 * @param agrees decides about other numbers
 */
export function differencesOf(index: unknown, lake: unknown, agrees: Agrees = areClose): AnswerDifference[] {
  const found: AnswerDifference[] = [];
  compare('', index, lake, agrees, found);
  return found;
}

export function areClose(field: string, index: number, lake: number): boolean {
  const name = field.split('.').at(-1) ?? '';
  if (index === lake) return true;
  if (PRICE.test(name) || (Number.isInteger(index) && Number.isInteger(lake))) return false;
  const size = Math.max(Math.abs(index), Math.abs(lake));
  return Math.abs(index - lake) <= Math.max(MOST_ABSOLUTE_ERROR, size * MOST_RELATIVE_ERROR);
}

function compare(
  field: string,
  index: unknown,
  lake: unknown,
  agrees: Agrees,
  found: AnswerDifference[],
): void {
  if (typeof index === 'number' && typeof lake === 'number') {
    if (!agrees(field, index, lake)) found.push({ field, index, lake });
    return;
  }
  if (!isObject(index) || !isObject(lake) || Array.isArray(index) !== Array.isArray(lake)) {
    if (index !== lake) found.push({ field, index, lake });
    return;
  }
  for (const name of new Set([...Object.keys(index), ...Object.keys(lake)])) {
    const inner = Array.isArray(index) ? `${field}[${name}]` : field === '' ? name : `${field}.${name}`;
    compare(inner, index[name], lake[name], agrees, found);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
