import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { readTextIfThere, writeFileAtomically } from '../atomic-file.ts';
import { isLocked } from './lock.ts';

/** Where the running pipeline listens: `.local/endpoints.json`, for other commands and any client. */
export interface Endpoints {
  /** `host:port` of the brokers. */
  kafka: string[];
  topic: string;
  openSearch: string;
  s3: string;
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

export function writeEndpoints(folder: string, endpoints: Endpoints): void {
  writeFileAtomically(fileIn(folder), `${JSON.stringify(endpoints, null, 2)}\n`);
}

export function removeEndpoints(folder: string): void {
  rmSync(fileIn(folder), { force: true });
}

/** Undefined if no pipeline is running. */
export function readEndpoints(folder: string): Endpoints | undefined {
  if (!isLocked(folder)) return undefined; // the file may be left over from a killed run
  const text = readTextIfThere(fileIn(folder));
  return text === undefined ? undefined : (JSON.parse(text) as Endpoints);
}
