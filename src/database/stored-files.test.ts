import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Db } from './schema.ts';
import { getStoredFile, listStoredFiles, setStoredFileRemoved } from './stored-files.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from './temporary-database.ts';

let database: TemporaryDatabase;
let db: Db;

before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
});
after(() => database.close());

const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 10, minute));

async function delivery(
  deliveryId: string,
  key: string,
  given: Partial<Record<'place' | 'state' | 'applicationKey', string>> & { minute?: number } = {},
): Promise<void> {
  const { place = 'sdrive://', state = 'delivered', applicationKey = 'app', minute = 0 } = given;
  await db
    .insertInto('deliveries')
    .values({
      ...{ deliveryId, recordingId: `recording of ${deliveryId}`, conversationId: 'c', accountId: 'a' },
      ...{ node: 'local', url: `${place}${key}`, applicationKey, nameId: 'call', key, place },
      ...{ destination: `${place}${key}`, nameGroup: null, ordinal: null, sealedCredentials: null },
      ...{ format: 'mp3', stereo: false, state: state as 'delivered', createdAt: at(0), attempts: 1 },
      ...{ upload: null, bytes: 7, deliveredAt: state === 'delivered' ? at(minute) : null },
      ...{ queuedAt: at(0), nextAttemptAt: null, errorCode: null, errorMessage: null },
    })
    .execute();
}

test('what was written last under each name, unless it was removed since', async () => {
  await delivery('one', 'mine.mp3', { minute: 1 });
  await delivery('two', 'mine.mp3', { minute: 2 });
  await delivery('three', 'other.mp3', { minute: 3, applicationKey: 'other' });
  await delivery('four', 'bucket/mine.mp3', { minute: 4, place: 's3://bucket' });
  await delivery('five', 'late.mp3', { state: 'failing' });
  const listed = async (filter: Parameters<typeof listStoredFiles>[2]['filter'] = {}, offset = 0) => {
    const rows = await listStoredFiles(db, 'a', { offset, limit: 10, filter });
    return rows.map(({ deliveryId }) => deliveryId);
  };
  assert.deepEqual(await listed(), ['three', 'two']);
  assert.deepEqual(await listed({}, 1), ['two']);
  assert.deepEqual(await listed({ applicationKey: 'app' }), ['two']);
  assert.deepEqual(await listed({ from: at(3) }), ['three']);
  assert.deepEqual(await listed({ to: at(2) }), ['two']);
  assert.equal((await getStoredFile(db, 'a', 'mine.mp3'))?.deliveryId, 'two');
  assert.equal(await getStoredFile(db, 'another', 'mine.mp3'), undefined);
  await setStoredFileRemoved(db, 'two');
  assert.equal(await getStoredFile(db, 'a', 'mine.mp3'), undefined, 'nor is what it was written over');
  await db
    .updateTable('deliveries')
    .set({ deliveredAt: at(9) })
    .where('deliveryId', '=', 'two')
    .execute();
  assert.deepEqual(await listed(), ['two', 'three'], 'delivered again');
});
