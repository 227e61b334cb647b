import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from '../atomic-file.ts';
import { isLocked } from './lock.ts';

/** Where the running pipeline listens: `.local/endpoints.json`, for the other commands and anybody's client. */
export interface Endpoints {
  /** `host:port` of the brokers. */
  kafka: string[];
  topic: string;
  openSearch: string;
  s3: string;
  bucket: string;
  /** The base URL that each source's function polls, by the source's name; `live`: the exchange's own. */
  sources: Record<string, string>;
  /** The exchanges that these sources poll. */
  exchanges: string[];
  /** That of the first source; the market replay is the only one. */
  source: string;
  /** Process ids by name: `start` is the pipeline's own, the others those of the engines it started. */
  pids: Record<string, number>;
}

const fileIn = (folder: string) => join(folder, 'endpoints.json');

export function writeEndpoints(folder: string, endpoints: Endpoints): void {
  writeFileAtomically(fileIn(folder), `${JSON.stringify(endpoints, null, 2)}\n`);
}

export function removeEndpoints(folder: string): void {
  rmSync(fileIn(folder), { force: true });
}

/** The running pipeline's endpoints; undefined when none runs. */
export function readEndpoints(folder: string): Endpoints | undefined {
  if (!isLocked(folder)) return undefined; // a killed run could not remove its file
  try {
    return JSON.parse(readFileSync(fileIn(folder), 'utf8')) as Endpoints;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
