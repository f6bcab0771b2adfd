import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '../ids.ts';
import { Secret } from '../secret.ts';

/**
 * A text kept in the data directory, readable by the owner only. Made by `make` the first time; of two processes
 * that do so at once one wins and both read its text.
 */
export function keptSecret(dataDir: string, name: string, make: () => string): Secret {
  const file = join(dataDir, name);
  const found = read(file);
  if (found !== undefined) return new Secret(found);
  const draft = `${file}.${newId()}`;
  const handle = openSync(draft, 'wx', 0o600);
  writeSync(handle, `${make()}\n`);
  fsyncSync(handle);
  closeSync(handle);
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  return new Secret(readFileSync(file, 'utf8').trim());
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}
