import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { EnvironmentError, readEnvironment } from '../../../../core/runtime/environment.ts';
import { summarySettings, summaryVariables } from '../../../../core/summarise/settings.ts';

const settingsOf = (environment: NodeJS.ProcessEnv) =>
  summarySettings(readEnvironment(z.object(summaryVariables), environment));

describe('the move thresholds', () => {
  it('are 1, 2, 5 and 10 % by default', () => {
    expect(settingsOf({}).thresholds).toEqual([0.01, 0.02, 0.05, 0.1]);
    expect(settingsOf({ MOVE_THRESHOLDS: '0.2, 0.03,0.2' }).thresholds).toEqual([0.03, 0.2]);
  });

  it.each(['1', '0', '-0.1', 'x', '', '0.01,,0.02'])('reject "%s"', (MOVE_THRESHOLDS) => {
    expect(() => settingsOf({ MOVE_THRESHOLDS })).toThrow(EnvironmentError);
  });
});
