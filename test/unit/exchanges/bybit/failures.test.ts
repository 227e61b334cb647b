import { describe, expect, it } from 'vitest';
import { bybit } from '../../../../exchanges/bybit/bybit.ts';
import { type ExchangeResponse, failureOf } from '../../../../exchanges/http/failures.ts';

const NOW_MS = Date.parse('2026-03-01T12:00:00.000Z');
const CONTEXT = { url: 'https://api.example/t', nowMs: NOW_MS };

function answer(
  status: number,
  body = '',
  headers: Record<string, string> = {},
  json?: unknown,
): ExchangeResponse {
  return { status, header: (name) => headers[name], body: new TextEncoder().encode(body), json };
}
const http = (status: number, body?: string, headers?: Record<string, string>) =>
  failureOf(bybit, answer(status, body, headers), CONTEXT);
const api = (retCode: number, headers?: Record<string, string>) =>
  failureOf(bybit, answer(200, '', headers, { retCode, retMsg: 'their words' }), CONTEXT);

describe('the status of a Bybit answer', () => {
  it.each([200, 204, 299])('%d is a success', (status) => {
    expect(http(status)).toBeUndefined();
  });

  it.each([500, 502, 503, 504, 408])('%d is transient', (status) => {
    expect(http(status, '<h1>Bad\n gateway</h1>')).toMatchObject({
      name: 'SourceUnavailableError',
      retryable: true,
      message: `https://api.example/t answered ${status}: <h1>Bad gateway</h1>`,
    });
  });

  it.each([400, 401, 404, 418])('%d is final', (status) => {
    expect(http(status)).toMatchObject({ name: 'SourceRefusedError', retryable: false });
  });

  it('429 is a rate limit, of one counting window by default', () => {
    expect(http(429)).toMatchObject({ name: 'RateLimitedError', retryable: true, retryAtMs: NOW_MS + 5_000 });
  });

  it('403 "access too frequent" is a rate limit, of ten minutes by default', () => {
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
  ])('a rate limit ends at the time given as %s', (_, headers, inMs) => {
    expect(http(429, '', headers)).toMatchObject({ retryAtMs: NOW_MS + inMs });
  });

  it.each([
    ['is in the past', String(NOW_MS - 1)],
    ['is not a number', 'soon'],
    ['is infinite', 'Infinity'],
    ['no date can represent', '1e300'],
  ])('ignores a reset time that %s', (_, value) => {
    expect(http(429, '', { 'x-bapi-limit-reset-timestamp': value, 'retry-after': value })).toMatchObject({
      retryAtMs: NOW_MS + 5_000,
    });
  });

  it.each([
    [403, 'The Amazon CloudFront distribution is configured to block access from your country.'],
    [451, ''],
  ])('%d means that the region is blocked, and the error says what to do', (status, body) => {
    expect(http(status, body)).toMatchObject({
      name: 'RegionBlockedError',
      retryable: false,
      message: expect.stringMatching(/does not serve this region.*another AWS region, or set TICKER_API_URL/),
    });
  });

  it('shows only the start of a long body', () => {
    expect(http(500, 'x'.repeat(100_000))?.message.length).toBeLessThan(300);
  });
});

describe('the API code of a Bybit answer', () => {
  it('0 is a success', () => {
    expect(api(0)).toBeUndefined();
  });

  it('10006 is a rate limit, of one counting window by default', () => {
    expect(api(10006)).toMatchObject({ name: 'RateLimitedError', retryAtMs: NOW_MS + 5_000 });
  });

  it('10006 ends when the header says', () => {
    expect(api(10006, { 'x-bapi-limit-reset-timestamp': String(NOW_MS + 1_234) })).toMatchObject({
      retryAtMs: NOW_MS + 1_234,
    });
  });

  it('10018 is the limit of the IP address, ten minutes long', () => {
    expect(api(10018)).toMatchObject({ name: 'RateLimitedError', retryAtMs: NOW_MS + 600_000 });
  });

  it.each([10000, 10016])('%d is transient', (code) => {
    expect(api(code)).toMatchObject({ name: 'SourceUnavailableError', retryable: true });
  });

  it.each([10009, 10024])('%d means that the region is blocked', (code) => {
    expect(api(code)).toMatchObject({ name: 'RegionBlockedError', retryable: false });
  });

  it('any other code is final', () => {
    expect(api(10001)).toMatchObject({
      name: 'SourceRefusedError',
      retryable: false,
      message: 'https://api.example/t answered code 10001: their words',
    });
  });
});
