import { describe, expect, it } from 'vitest';
import { addProblems } from '../../../../core/operate/operation.ts';

describe('the problems of a slice', () => {
  it('are as many as a Lambda can return, however many there are', () => {
    const output = { problems: ['first'] };
    addProblems(output, Array<string>(300_000).fill('x'.repeat(500)));
    addProblems(output, ['one more']);
    expect(output.problems).toHaveLength(1_000);
    expect(output.problems[0]).toBe('first');
    expect(JSON.stringify(output).length).toBeLessThan(6_000_000);
  });
});
