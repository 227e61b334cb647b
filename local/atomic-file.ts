import { randomUUID } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Somebody else may have written a file that we trust, such as one that says which processes to stop. */
export class NotOurFileError extends Error {
  override readonly name = 'NotOurFileError';

  constructor(file: string, what: string) {
    super(
      `${file} ${what}, so it was not read: somebody else may have put it there. Delete it, then try again.`,
    );
  }
}

/**
 * Writes a small file whole or not at all, even if the process is killed meanwhile. Creates its folder. Only this user
 * can read it. A symbolic link in its place is replaced, not followed.
 */
export function writeFileAtomically(file: string, text: string): void {
  const aside = writeAside(file, text);
  try {
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    throw error;
  }
}

/**
 * Writes a text to a new file next to its destination, to be renamed or linked from there. @returns the file,
 * under a name that nobody can guess
 */
export function writeAside(file: string, text: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const aside = `${file}.${randomUUID()}`;
  writeFileSync(aside, text, { flag: 'wx', mode: 0o600 });
  return aside;
}

/**
 * The text of a file; undefined if there is none.
 * @throws NotOurFileError for a symbolic link, or a file of another user
 */
export function readTextIfThere(file: string): string | undefined {
  const descriptor = openIfThere(file);
  if (descriptor === undefined) return undefined;
  try {
    const { uid } = fstatSync(descriptor);
    // Windows has no user ids.
    if (process.getuid && uid !== process.getuid()) {
      throw new NotOurFileError(file, `belongs to another user (${uid})`);
    }
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function openIfThere(file: string): number | undefined {
  try {
    // If the file is a pipe, opening it must not block until there is a writer.
    return openSync(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP') throw new NotOurFileError(file, 'is a symbolic link');
    throw error;
  }
}
