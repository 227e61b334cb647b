import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect } from 'vitest';
import { NoAnswerError } from '../../../core/insights/errors.ts';
import { answer, questionSchema } from '../../../core/insights/question.ts';
import { InvalidInputError } from '../../../core/market/invalid-input.ts';
import { readSettings } from '../../../lib/config/settings.ts';
import { StageConfigError } from '../../../lib/config/stage-config.ts';
import { stageConfigByName } from '../../../lib/config/stages.ts';
import { InMemoryStore } from '../core/insights/in-memory-store.ts';
import { flat, hourMs } from '../core/insights/sample-candles.ts';
import { fuzz, jsonLike, slower, textLike } from './fuzz.ts';

describe('a settings file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-fuzz-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'settings.json');
  const { stage: _, ...whole } = stageConfigByName('prod');
  const texts = fc.oneof(
    textLike(JSON.stringify(whole), '{"budget":{"monthlyUsd":250}}'),
    jsonLike(whole).map((value) => JSON.stringify(value) ?? ''),
    fc.json({ maxDepth: 1 }),
    fc
      .dictionary(
        fc.constantFrom('__proto__', 'constructor', 'budget', 'stream'),
        fc.jsonValue({ maxDepth: 1 }),
      )
      .map((value) => JSON.stringify(value)),
  );

  fuzz(
    'configures a stage, or is refused by name',
    fc.tuple(texts, fc.constantFrom('dev', 'prod')),
    ([text, stage]) => {
      writeFileSync(file, text);
      try {
        const settings = readSettings(file);
        expectWithin(settings, stageConfigByName(stage, settings));
      } catch (error) {
        if (!(error instanceof StageConfigError)) throw error;
        expect(error.message).not.toBe('');
      }
    },
    slower(4),
  );
});

/** Nothing that was set is missing: a name that is no setting is refused. */
function expectWithin(settings: object, config: object): void {
  for (const [name, value] of Object.entries(settings)) {
    if (name === 'basedOn') continue;
    expect(Object.hasOwn(config, name), name).toBe(true);
    const there = (config as Record<string, unknown>)[name];
    if (typeof value === 'object' && value !== null) expectWithin(value, there as object);
  }
}

describe('a question', () => {
  const questions = [
    { question: 'average', symbol: 'BTCUSD', over: '30h', exchange: 'recorded' },
    { question: 'moves', symbol: 'BTCUSD', from: '2018-03-01', to: '2018-03-02', thresholds: [0.01, 0.05] },
    { question: 'volatile', over: '24h', top: 5 },
  ];
  const stores = new InMemoryStore([0, 1, 30].map((hour) => flat(hour, 1 + hour))).asStores();

  fuzz(
    'is answered, or refused with a reason',
    fc.oneof(...questions.map(jsonLike<unknown>)),
    async (given) => {
      const question = questionSchema.safeParse(given);
      if (!question.success) return;
      await answer(question.data, hourMs(32), stores, {}).catch((error) => {
        expect(error, error.stack).toSatisfy(
          (each) => each instanceof InvalidInputError || each instanceof NoAnswerError,
        );
      });
    },
  );
});
