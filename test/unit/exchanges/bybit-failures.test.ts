import { describe, expect, it } from 'vitest';
import { bybitApiFailure, bybitHttpFailure } from '../../../exchanges/bybit-failures.ts';
import type { ExchangeResponse } from '../../../exchanges/exchange-adapter.ts';
import { SLOT } from '../../samples/tickers.ts';

const NOW_MS = Date.parse('2026-03-01T12:00:00.000Z');
const CONTEXT = {
  exchange: 'bybit',
  url: 'https://api.example/t',
  slot: SLOT,
  receivedAt: SLOT,
  nowMs: NOW_MS,
};

function answer(status: number, body = '', headers: Record<string, string> = {}): ExchangeResponse {
  return {
    status,
    header: (name) => headers[name],
    body: new TextEncoder().encode(body),
    json: undefined,
  };
}
const http = (status: number, body?: string, headers?: Record<string, string>) =>
  bybitHttpFailure(answer(status, body, headers), CONTEXT);
const api = (code: number, headers?: Record<string, string>) =>
  bybitApiFailure(code, 'their words', answer(200, '', headers), CONTEXT);

describe('a Bybit answer’s status', () => {
  it.each([200, 204, 299])('%d is no failure', (status) => {
    expect(http(status)).toBeUndefined();
  });

  it.each([500, 502, 503, 504, 408])('%d may pass', (status) => {
    expect(http(status, '<h1>Bad\n gateway</h1>')).toMatchObject({
      name: 'SourceUnavailableError',
      retryable: true,
      message: `https://api.example/t answered ${status}: <h1>Bad gateway</h1>`,
    });
  });

  it.each([400, 401, 404, 418])('%d will not pass', (status) => {
    expect(http(status)).toMatchObject({ name: 'SourceRefusedError', retryable: false });
  });

  it('429 is a rate limit of one counting window where it names no time', () => {
    expect(http(429)).toMatchObject({ name: 'RateLimitedError', retryable: true, retryAtMs: NOW_MS + 5_000 });
  });

  it('403 "access too frequent" is a rate limit of ten minutes where it names no time', () => {
    expect(http(403, 'access too frequent')).toMatchObject({
      name: 'RateLimitedError',
      retryAtMs: NOW_MS + 600_000,
      message: expect.stringContaining('2026-03-01T12:10:00.000Z'),
    });
  });

  it.each([
    ['Bybit’s own header', { 'x-bapi-limit-reset-timestamp': String(NOW_MS + 777) }, 777],
    ['seconds', { 'retry-after': '30' }, 30_000],
    ['an HTTP date', { 'retry-after': 'Sun, 01 Mar 2026 12:01:00 GMT' }, 60_000],
  ])('a rate limit ends when it says, as %s', (_, headers, inMs) => {
    expect(http(429, '', headers)).toMatchObject({ retryAtMs: NOW_MS + inMs });
  });

  it.each([
    ['lies in the past', String(NOW_MS - 1)],
    ['is no number', 'soon'],
    ['has no end', 'Infinity'],
    ['no date can hold', '1e300'],
  ])('a reset time that %s does not count', (_, value) => {
    expect(http(429, '', { 'x-bapi-limit-reset-timestamp': value, 'retry-after': value })).toMatchObject({
      retryAtMs: NOW_MS + 5_000,
    });
  });

  it.each([
    [403, 'The Amazon CloudFront distribution is configured to block access from your country.'],
    [451, ''],
  ])('%d says that the region is blocked, and what to do', (status, body) => {
    expect(http(status, body)).toMatchObject({
      name: 'RegionBlockedError',
      retryable: false,
      message: expect.stringMatching(/does not serve the region.*another AWS region, or set TICKER_API_URL/),
    });
  });

  it('shows no more of a long body than a line holds', () => {
    expect(http(500, 'x'.repeat(100_000))?.message.length).toBeLessThan(300);
  });
});

describe('a Bybit answer’s API code', () => {
  it('0 is no failure', () => {
    expect(api(0)).toBeUndefined();
  });

  it('10006 is a rate limit of one counting window where it names no time', () => {
    expect(api(10006)).toMatchObject({ name: 'RateLimitedError', retryAtMs: NOW_MS + 5_000 });
  });

  it('10006 ends when its header says', () => {
    expect(api(10006, { 'x-bapi-limit-reset-timestamp': String(NOW_MS + 1_234) })).toMatchObject({
      retryAtMs: NOW_MS + 1_234,
    });
  });

  it('10018 is the limit of the address, ten minutes long', () => {
    expect(api(10018)).toMatchObject({ name: 'RateLimitedError', retryAtMs: NOW_MS + 600_000 });
  });

  it.each([10000, 10016])('%d may pass', (code) => {
    expect(api(code)).toMatchObject({ name: 'SourceUnavailableError', retryable: true });
  });

  it.each([10009, 10024])('%d says that the region is blocked', (code) => {
    expect(api(code)).toMatchObject({ name: 'RegionBlockedError', retryable: false });
  });

  it('any other will not pass', () => {
    expect(api(10001)).toMatchObject({
      name: 'SourceRefusedError',
      retryable: false,
      message: 'https://api.example/t answered code 10001: their words',
    });
  });
});
