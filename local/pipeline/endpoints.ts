import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readTextIfThere, writeFileAtomically } from '../atomic-file.ts';
import { awsConfig, type S3Credentials, withCredentials } from '../engines/s3-client.ts';
import { isLocked } from './lock.ts';

/** Where the running pipeline listens: `.local/endpoints.json`, for other commands and any client. */
export interface Endpoints {
  /** `host:port` of the brokers. */
  kafka: string[];
  topic: string;
  openSearch: string;
  s3: string;
  /** Of its server; any will do for one that was given without. */
  s3Credentials: S3Credentials;
  bucket: string;
  /** The base URL of each source, by the source's name; `live` for the exchange's own. */
  sources: Record<string, string>;
  exchanges: string[];
  /** The base URL of the first source; the market replay has only one. */
  source: string;
  /** Process ids: `start` is the pipeline, the others are the engines that it started. */
  pids: Record<string, number>;
}

const fileIn = (folder: string) => join(folder, 'endpoints.json');
const awsConfigIn = (folder: string) => join(folder, 'aws.config');

/** The S3 server's URL with its credentials. */
export const s3UrlOf = ({ s3, s3Credentials }: Endpoints) => withCredentials(s3, s3Credentials);

export function writeEndpoints(folder: string, endpoints: Endpoints): void {
  writeFileAtomically(awsConfigIn(folder), awsConfig(s3UrlOf(endpoints)));
  writeFileAtomically(fileIn(folder), `${JSON.stringify(endpoints, null, 2)}\n`);
}

export function removeEndpoints(folder: string): void {
  rmSync(fileIn(folder), { force: true });
  rmSync(awsConfigIn(folder), { force: true });
}

/** Undefined if no pipeline is running. */
export function readEndpoints(folder: string): Endpoints | undefined {
  if (!isLocked(folder)) return undefined; // the file may be left over from a killed run
  const text = readTextIfThere(fileIn(folder));
  return text === undefined ? undefined : (JSON.parse(text) as Endpoints);
}
