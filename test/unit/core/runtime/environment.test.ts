import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  brokerList,
  EnvironmentError,
  flag,
  jsonText,
  readEnvironment,
} from '../../../../core/runtime/environment.ts';

const schema = z.object({
  BUCKET: z.string().min(1),
  BROKERS: brokerList,
  PARTIAL: flag,
  SOURCE: jsonText(z.object({ name: z.string(), categories: z.array(z.enum(['spot', 'linear'])) })),
  URL: z.url().optional(),
});
const good = {
  BUCKET: 'lake',
  BROKERS: 'b-1.example:9098,b-2.example:9098',
  PARTIAL: 'false',
  SOURCE: '{"name":"bybit","categories":["spot"]}',
};

function messageOf(environment: NodeJS.ProcessEnv): string {
  try {
    readEnvironment(schema, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(EnvironmentError);
    return (error as Error).message;
  }
  throw new Error('the environment was accepted');
}

describe('a function’s environment', () => {
  it('is read into typed values', () => {
    expect(readEnvironment(schema, { ...good, HOME: '/somewhere' })).toEqual({
      BUCKET: 'lake',
      BROKERS: ['b-1.example:9098', 'b-2.example:9098'],
      PARTIAL: false,
      SOURCE: { name: 'bybit', categories: ['spot'] },
    });
  });

  it('names all missing variables, not only the first', () => {
    const message = messageOf({});
    for (const name of Object.keys(good)) expect(message).toContain(`- ${name}: is not set`);
  });

  it('does not require optional variables', () => {
    expect(messageOf({})).not.toContain('URL');
  });

  it('says where the mistake is inside a variable’s JSON', () => {
    expect(messageOf({ ...good, SOURCE: '{"name":"bybit","categories":["spot","futures"]}' })).toMatch(
      /- SOURCE \(categories\.1\): /,
    );
  });

  it('says if a variable is not JSON', () => {
    expect(messageOf({ ...good, SOURCE: '{name:bybit}' })).toContain(
      '- SOURCE: expected JSON, got {name:bybit}',
    );
  });

  it.each(['', 'broker', 'broker:', ':9092', 'a:1,', 'a:1 b:2', 'http://a:1'])(
    'refuses %j as brokers',
    (BROKERS) => {
      expect(messageOf({ ...good, BROKERS })).toContain('- BROKERS: expected host:port');
    },
  );

  it.each(['yes', '1', 'TRUE', ''])('refuses %j as a flag', (PARTIAL) => {
    expect(messageOf({ ...good, PARTIAL })).toContain('- PARTIAL: ');
  });
});
