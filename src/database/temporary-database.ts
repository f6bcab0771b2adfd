import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { type Database, startDatabase } from './database.ts';
import { copyReadyCluster } from './ready-cluster.ts';

/** A directory for a test that the embedded PostgreSQL can reach under root too. */
export function makeTemporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'callreel-'));
  chmodSync(dir, 0o711);
  return dir;
}

export interface TemporaryDatabase extends Database {
  readonly dataDir: string;
}

/** A real embedded database for tests; `close` also removes it. */
export async function startTemporaryDatabase(): Promise<TemporaryDatabase> {
  const dir = makeTemporaryDir();
  const dataDir = join(dir, 'data');
  await copyReadyCluster(dataDir);
  const database = await startDatabase({ dataDir, clock: systemClock, logger: silentLogger });
  return {
    ...database,
    dataDir,
    async close() {
      await database.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
