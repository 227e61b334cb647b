import { describe, expect, it } from 'vitest';
import { csvText } from '../../../../core/text/csv.ts';

describe('CSV', () => {
  it('has a header, and an empty field for an absent value', () => {
    expect(
      csvText([
        { a: 1, b: null },
        { a: undefined, c: 'x' },
      ]),
    ).toBe('a,b,c\n1,,\n,,x\n');
  });

  it('quotes fields with commas, quotes or line breaks', () => {
    expect(csvText([{ a: 'x,y' }, { a: 'say "no"' }, { a: 'two\nlines' }])).toBe(
      'a\n"x,y"\n"say ""no"""\n"two\nlines"\n',
    );
  });
});
