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

  it('has no cell that a spreadsheet would take for a formula, and leaves numbers alone', () => {
    expect(csvText([{ a: '=HYPERLINK("http://x")', b: '@SUM(1)', c: '+1', d: '-1', e: -1 }])).toBe(
      `a,b,c,d,e\n"'=HYPERLINK(""http://x"")",'@SUM(1),'+1,'-1,-1\n`,
    );
  });

  it.each([
    ['\t=1+1', `"'\t'=1+1"`],
    ['\r=1+1', '\ufffd=1+1'],
    ['\r\n=1+1', `"'\r\n'=1+1"`],
    ['\n@SUM(1)', `"'\n'@SUM(1)"`],
    ['  -1+1', `'  -1+1`],
    ['＝1+1', `'＝1+1`],
    ['BTC;=1+1', `"BTC;'=1+1"`],
    ['BTC-USD', 'BTC-USD'],
  ])('has no formula in %j', (text, field) => {
    expect(csvText([{ a: text }])).toBe(`a\n${field}\n`);
  });

  it('has no commands for a terminal', () => {
    expect(csvText([{ a: 'x\u001b[2Jy' }])).toBe('a\nx\ufffd[2Jy\n');
  });
});
