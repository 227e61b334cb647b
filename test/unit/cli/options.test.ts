import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { hostAndPort, httpUrl, portNumber, wholeNumber } from '../../../cli/options.ts';

describe('option values', () => {
  it('are whole numbers from a minimum on', () => {
    expect(wholeNumber(1)('200')).toBe(200);
    for (const text of ['0', '-1', '1.5', 'abc', '']) {
      expect(() => wholeNumber(1)(text)).toThrow(InvalidArgumentError);
    }
  });

  it('are ports', () => {
    expect(portNumber('9092')).toBe(9092);
    for (const text of ['0', '65536', 'x']) expect(() => portNumber(text)).toThrow(InvalidArgumentError);
  });

  it('are URLs, without the slash at their end', () => {
    expect(httpUrl('http://127.0.0.1:9200/')).toBe('http://127.0.0.1:9200');
    for (const text of ['127.0.0.1:9200', 'ftp://x', ''])
      expect(() => httpUrl(text)).toThrow(InvalidArgumentError);
  });

  it('are brokers', () => {
    expect(hostAndPort('127.0.0.1:9092')).toBe('127.0.0.1:9092');
    for (const text of ['127.0.0.1', 'http://127.0.0.1:9092', 'a:b']) {
      expect(() => hostAndPort(text)).toThrow(InvalidArgumentError);
    }
  });
});
