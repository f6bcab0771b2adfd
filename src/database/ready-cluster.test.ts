import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { choosePlaces } from './postgres-places.ts';
import { copyReadyCluster } from './ready-cluster.ts';
import { makeTemporaryDir } from './temporary-database.ts';

test('a copy is where a cluster is made, belongs to the same user, and a second one changes nothing', async () => {
  const dataDir = makeTemporaryDir();
  try {
    await copyReadyCluster(dataDir);
    const { cluster, user } = choosePlaces(dataDir);
    const { uid, mode, ino } = statSync(cluster);
    assert.deepEqual([uid, mode & 0o777], [user?.uid ?? process.getuid?.(), 0o700]);
    assert.equal(statSync(join(cluster, 'PG_VERSION')).uid, uid);
    assert.deepEqual(
      readdirSync(join(dataDir, 'postgres')).filter((name) => name.startsWith('data')),
      ['data'],
    );
    await copyReadyCluster(dataDir);
    assert.equal(statSync(cluster).ino, ino);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});
