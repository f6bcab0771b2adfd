import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../clock.ts';
import { startTemporaryDatabase } from '../../database/temporary-database.ts';
import { silentLogger } from '../../logger.ts';
import { SinchCallRecords } from './call-records.ts';

const accountId = 'account';

test('calls are on record in the order in which things happen to them; first words count', async () => {
  const database = await startTemporaryDatabase();
  const { db } = database;
  const records = new SinchCallRecords({ db, clock: new FakeClock(), log: silentLogger });
  const [from, to] = [
    { type: 'number' as const, endpoint: '+1201' },
    { type: 'did' as const, endpoint: '+1202' },
  ];
  const begun = { callId: 'c', accountId, applicationKey: 'app', from, to, domain: 'pstn' as const };
  records.begun({ ...begun, custom: undefined, startedUnixMs: 1000 });
  records.answered('c', 2000);
  records.answered('c', 3000);
  records.ended('c', { unixMs: 5000, result: 'ANSWERED', reason: 'CALLEEHANGUP' });
  records.ended('c', { unixMs: 6000, result: 'FAILED', reason: 'GENERALERROR' });
  const row = await records.find(accountId, 'c');
  assert.deepEqual(row, {
    ...begun,
    ...{ custom: '', startedAt: new Date(1000), answeredAt: new Date(2000), endedAt: new Date(5000) },
    ...{ result: 'ANSWERED', reason: 'CALLEEHANGUP' },
  });
  assert.equal(await records.find('another', 'c'), undefined);
  await records.close();
  await database.close();
});
