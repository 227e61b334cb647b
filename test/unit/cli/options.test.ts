import { InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { brokers, httpUrl, instant, portNumber, wholeNumber } from '../../../cli/options.ts';

describe('option values', () => {
  it('are whole numbers of at least a minimum', () => {
    expect(wholeNumber(1)('200')).toBe(200);
    for (const text of ['0', '-1', '1.5', 'abc', '']) {
      expect(() => wholeNumber(1)(text)).toThrow(InvalidArgumentError);
    }
  });

  it('are ports', () => {
    expect(portNumber('9092')).toBe(9092);
    for (const text of ['0', '65536', 'x']) expect(() => portNumber(text)).toThrow(InvalidArgumentError);
  });

  it('are URLs, without the final slash', () => {
    expect(httpUrl('http://127.0.0.1:9200/')).toBe('http://127.0.0.1:9200');
    for (const text of ['127.0.0.1:9200', 'ftp://x', ''])
      expect(() => httpUrl(text)).toThrow(InvalidArgumentError);
  });

  it('are brokers', () => {
    expect(brokers('127.0.0.1:9092')).toBe('127.0.0.1:9092');
    expect(brokers('b-1:9092, b-2:9092,b-3:9094')).toBe('b-1:9092,b-2:9092,b-3:9094');
    for (const text of [
      '',
      '127.0.0.1',
      'http://127.0.0.1:9092',
      'a:b',
      'a:0',
      'a:65536',
      'a:1,',
      'a:1;b:2',
    ]) {
      expect(() => brokers(text)).toThrow(InvalidArgumentError);
    }
    expect(() => brokers('b-1:9092,b-2')).toThrow(
      '"b-2" is not HOST:PORT. Give a broker such as 127.0.0.1:9092, or several separated by commas.',
    );
  });

  it('are times in UTC, unless they have an offset', () => {
    expect(instant('2018-07-01')).toBe('2018-07-01T00:00:00.000Z');
    expect(instant('2018-07-01T06:00')).toBe('2018-07-01T06:00:00.000Z');
    expect(instant('2018-07-01T06:00:30.5Z')).toBe('2018-07-01T06:00:30.500Z');
    expect(instant('2018-07-01T06:00+02:00')).toBe('2018-07-01T04:00:00.000Z');
    expect(instant('2018-07-01T23:30:00-0130')).toBe('2018-07-02T01:00:00.000Z');
    for (const text of [
      '',
      'yesterday',
      '2018-13-01',
      '2018-02-30',
      '2018-06-31',
      '2018-06-31T12:00+02:00',
      '2018-06-30T12:00+24:00',
      '2018-06-30T12:00+02:60',
      '2018-06-30T12:00Z+02:00',
      '1530403200',
    ]) {
      expect(() => instant(text)).toThrow(InvalidArgumentError);
    }
  });
});
