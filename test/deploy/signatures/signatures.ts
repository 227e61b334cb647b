import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pythonTool } from '../../python/python-tool.ts';

/** How far a request's time may be from ours, as on AWS. */
const CLOCK_SKEW_MS = 5 * 60_000;

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** A request as it arrived. */
export interface SignedRequest {
  method: string;
  /** Path and query, unchanged. */
  target: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface UnsignedRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

export interface Signatures {
  /**
   * Checks a request's signature, its body's hash, its time and its session token as AWS does.
   * @returns what is wrong; undefined if nothing is
   */
  whyInvalid(request: SignedRequest, service: string, credentials: Credentials): Promise<string | undefined>;
  /**
   * The same for a URL that contains its signature, as a token does. @param mostSeconds for which it may be
   * valid
   */
  whyInvalidUrl(
    url: URL,
    service: string,
    credentials: Credentials,
    mostSeconds: number,
  ): Promise<string | undefined>;
  /** The headers of a request that is to be sent, with its signature. */
  sign(request: UnsignedRequest, service: string, credentials: Credentials): Promise<Record<string, string>>;
  close(): Promise<void>;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=(?<accessKeyId>[^/,]+)\/(?<day>\d{8})\/(?<region>[^/]+)\/(?<service>[^/]+)\/aws4_request, ?SignedHeaders=(?<names>[^,]+), ?Signature=(?<signature>[0-9a-f]{64})$/;

/** What the header of a signed request says; undefined if it is not one. */
export function authorizationOf({ authorization = '' }: IncomingHttpHeaders) {
  const {
    accessKeyId = '',
    region = '',
    service = '',
    names = '',
    signature = '',
  } = AUTHORIZATION.exec(authorization)?.groups ?? {};
  return accessKeyId ? { accessKeyId, region, service, names: names.split(';'), signature } : undefined;
}

const REGION = 'us-east-1';

/** What is added to a URL after it was signed. */
const UNSIGNED = /^(X-Amz-Signature|User-Agent)=/;

/** Signatures as botocore makes them, the implementation of AWS's own tools. @throws PythonToolError */
export async function startSignatures(): Promise<Signatures> {
  const bin = await pythonTool('botocore');
  const script = fileURLToPath(new URL('signatures.py', import.meta.url));
  const child = spawn(`${bin}/python`, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const waiting: PromiseWithResolvers<string>[] = [];
  lines.on('line', (line) => waiting.shift()?.resolve(line));
  child.on('exit', () => {
    for (const { reject } of waiting.splice(0)) reject(new Error('botocore ended before it answered'));
  });

  function signatureOf(
    request: { method: string; url: string; headers: Record<string, string>; body: Buffer },
    credentials: Credentials,
    scope: { service: string; region: string; timestamp: string },
  ): Promise<string> {
    const answer = Promise.withResolvers<string>();
    waiting.push(answer);
    const { accessKeyId, secretAccessKey } = credentials;
    const body = request.body.toString('base64');
    child.stdin.write(`${JSON.stringify({ ...request, body, accessKeyId, secretAccessKey, ...scope })}\n`);
    return answer.promise;
  }

  return {
    async whyInvalid({ method, target, headers, body }, service, credentials) {
      const given = authorizationOf(headers);
      if (!given) return 'it has no signature of version 4';
      if (given.service !== service || given.region !== REGION) {
        return `it is signed for ${given.service} in ${given.region}`;
      }
      const timestamp = String(headers['x-amz-date']);
      if (!given.names.includes('host') || !given.names.includes('x-amz-date')) {
        return 'neither host nor time may be left unsigned';
      }
      if (Math.abs(timeOf(timestamp) - Date.now()) > CLOCK_SKEW_MS) return `its time is ${timestamp}`;
      if ((headers['x-amz-security-token'] ?? '') !== (credentials.sessionToken ?? '')) {
        return 'its session token is not the one of its key';
      }
      const hash = headers['x-amz-content-sha256'];
      if (hash !== undefined && hash !== createHash('sha256').update(body).digest('hex')) {
        return 'its body is not the one whose hash was signed';
      }
      const signed = Object.fromEntries(given.names.map((name) => [name, String(headers[name] ?? '')]));
      const url = `https://${headers.host}${target}`;
      const scope = { service, region: REGION, timestamp };
      const expected = await signatureOf({ method, url, headers: signed, body }, credentials, scope);
      return expected === given.signature ? undefined : 'its signature does not match';
    },

    async whyInvalidUrl(url, service, credentials, mostSeconds) {
      const given = (name: string) => url.searchParams.get(`X-Amz-${name}`) ?? '';
      const [, , region, signedService] = given('Credential').split('/');
      if (signedService !== service || region !== REGION)
        return `it is signed for ${signedService} in ${region}`;
      const timestamp = given('Date');
      const ageMs = Date.now() - timeOf(timestamp);
      const expiresSeconds = Number(given('Expires'));
      if (expiresSeconds > mostSeconds) return `it is valid for ${expiresSeconds} s`;
      // Also without a time.
      if (!(ageMs > -CLOCK_SKEW_MS && ageMs < expiresSeconds * 1_000)) return `its time is ${timestamp}`;
      if (given('Security-Token') !== (credentials.sessionToken ?? '')) {
        return 'its session token is not the one of its key';
      }
      const query = url.search
        .slice(1)
        .split('&')
        .filter((each) => !UNSIGNED.test(each));
      const request = {
        method: 'GET',
        url: `${url.origin}${url.pathname}?${query.join('&')}`,
        headers: { host: url.host },
        body: Buffer.alloc(0),
      };
      const expected = await signatureOf(request, credentials, { service, region: REGION, timestamp });
      return expected === given('Signature') ? undefined : 'its signature does not match';
    },

    async sign({ method, url, headers, body }, service, credentials) {
      const timestamp = new Date().toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
      const { accessKeyId, sessionToken } = credentials;
      const all: Record<string, string> = {
        ...headers,
        host: new URL(url).host,
        'x-amz-date': timestamp,
        ...(sessionToken ? { 'x-amz-security-token': sessionToken } : {}),
      };
      const scope = { service, region: REGION, timestamp };
      const request = { method, url, headers: all, body: Buffer.from(body) };
      const signature = await signatureOf(request, credentials, scope);
      const credential = [accessKeyId, timestamp.slice(0, 8), REGION, service, 'aws4_request'].join('/');
      const names = Object.keys(all).sort().join(';');
      const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
      return { ...all, authorization };
    },

    async close() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

/** Epoch ms of `20261126T171500Z`. */
function timeOf(timestamp: string): number {
  const iso = timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  return Date.parse(iso);
}
