import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { CallreelError } from '../errors.ts';

export interface DataDirLock {
  release(): void;
}

/**
 * Makes the data directory and gives its real path. Under root it can be passed through (0711), because the embedded
 * PostgreSQL runs as another user inside it; what is secret in it is closed file by file.
 */
export function ensureDataDir(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  return realpathSync(dataDir);
}

/**
 * One process per data directory. The lock is SQLite's lock on an empty file: the kernel drops it with the process,
 * however that ends, so there is no such thing as a stale lock. The process id stands beside it for the message.
 * @throws CallreelError DATA_DIR_IN_USE
 */
export function lockDataDir(dataDir: string): DataDirLock {
  const holderFile = join(dataDir, 'callreel.pid');
  const lock = new DatabaseSync(join(dataDir, 'callreel.lock'));
  try {
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    const holder = readHolder(holderFile);
    throw new CallreelError('DATA_DIR_IN_USE', `${dataDir} is in use by another Callreel${holder}`, {
      where: 'dataDir',
      cause,
    });
  }
  writeFileSync(holderFile, `${process.pid}\n`, { mode: 0o644 });
  let held = true;
  return {
    release() {
      if (held) lock.close();
      held = false;
    },
  };
}

function readHolder(file: string): string {
  try {
    return ` (process ${readFileSync(file, 'utf8').trim()})`;
  } catch {
    return '';
  }
}
