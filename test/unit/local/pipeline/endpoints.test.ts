import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type Endpoints,
  readEndpoints,
  removeEndpoints,
  writeEndpoints,
} from '../../../../local/pipeline/endpoints.ts';
import { takeLock } from '../../../../local/pipeline/lock.ts';

describe('the endpoints of the running pipeline', () => {
  const endpoints: Endpoints = {
    kafka: ['127.0.0.1:9092'],
    topic: 'tickers',
    openSearch: 'http://127.0.0.1:9200',
    s3: 'http://127.0.0.1:9000',
    s3Credentials: { accessKeyId: 'id', secretAccessKey: 'a secret/+=' },
    bucket: 'lake',
    sources: { recorded: 'http://127.0.0.1:8090', okx: 'live' },
    exchanges: ['recorded', 'okx'],
    source: 'http://127.0.0.1:8090',
    pids: { start: process.pid },
  };
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'endpoints-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are available while it runs, and removed afterwards', () => {
    const lock = takeLock(folder);
    writeEndpoints(folder, endpoints);
    expect(readEndpoints(folder)).toEqual(endpoints);
    removeEndpoints(folder);
    expect(readEndpoints(folder)).toBeUndefined();
    lock.release();
  });

  it('are ignored if the process that wrote them was killed', () => {
    writeEndpoints(folder, endpoints);
    expect(readEndpoints(folder)).toBeUndefined();
  });
});
