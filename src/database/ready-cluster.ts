import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureDataDir } from './data-dir.ts';
import { installBinaries, locatePackage } from './postgres-binaries.ts';
import { ensureCluster } from './postgres-command.ts';
import { choosePlaces, type PostgresPlaces } from './postgres-places.ts';

/** Beside what npm installed: `npm ci` takes it away. */
const cacheDir = fileURLToPath(new URL('../../node_modules/.cache/callreel', import.meta.url));

/**
 * Gives a new data directory of a test the cluster that `initdb` would make: a copy of one that it made once, which is
 * kept, since making one takes longer than many a test.
 */
export async function copyReadyCluster(dataDir: string): Promise<void> {
  const places = choosePlaces(ensureDataDir(dataDir));
  if (existsSync(places.cluster) || !canKeep()) return;
  const ready = join(cacheDir, nameFor(places));
  if (!existsSync(ready)) await makeReady(places, ready);
  copy(ready, places.cluster);
}

/** Where nothing can be kept, each start makes its own. */
function canKeep(): boolean {
  try {
    mkdirSync(cacheDir, { recursive: true });
    accessSync(cacheDir, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function makeReady(places: PostgresPlaces, ready: string): Promise<void> {
  const draft = `${ready}.${process.pid}`;
  const cluster = `${places.cluster}.ready`;
  await ensureCluster({ ...places, cluster }, realpathSync(installBinaries(places.home)));
  copy(cluster, draft);
  rmSync(cluster, { recursive: true });
  try {
    renameSync(draft, ready);
  } catch (error) {
    rmSync(draft, { recursive: true });
    // Another test was faster.
    if (!existsSync(ready)) throw error;
  }
}

/** Whatever makes another cluster has another name. */
function nameFor({ user }: PostgresPlaces): string {
  const how = createHash('sha256')
    .update(readFileSync(new URL('./postgres-command.ts', import.meta.url)))
    .digest('hex')
    .slice(0, 16);
  return `cluster-${locatePackage().version}-${user?.uid ?? process.getuid?.()}-${how}`;
}

/** With owners and rights. */
function copy(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}
