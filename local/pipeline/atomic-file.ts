import { renameSync, writeFileSync } from 'node:fs';

/** Writes a small file so that a reader, or a kill at any instant, finds the old text or the new, never half. */
export function writeFileAtomically(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
