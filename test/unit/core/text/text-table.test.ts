import { describe, expect, it } from 'vitest';
import { textTable } from '../../../../core/text/text-table.ts';

describe('a table', () => {
  it('aligns names to the left and numbers to the right', () => {
    const rows = [
      ['BTC', '1,000'],
      ['a longer name', '5'],
    ];
    expect(textTable(['', 'hours'], rows)).toBe(
      ['                 hours', '  BTC            1,000', '  a longer name      5'].join('\n'),
    );
  });

  it('has no line for a head without titles', () => {
    expect(textTable(['', ''], [['average', '1']])).toBe('  average  1');
  });

  it('counts two columns for a Chinese character', () => {
    const rows = [
      ['币安USDT', '1'],
      ['BTCUSDT', '2'],
    ];
    expect(textTable(['', ''], rows)).toBe('  币安USDT  1\n  BTCUSDT   2');
  });
});
