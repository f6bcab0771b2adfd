import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { saveApplication } from '../database/applications.ts';
import { assignNumber, deleteNumber } from '../database/numbers.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { newId } from '../ids.ts';
import { Router } from './router.ts';

let database: TemporaryDatabase;
before(async () => {
  database = await startTemporaryDatabase();
});
after(() => database.close());

async function application(name: string, number: string): Promise<string> {
  const { db } = database;
  const made = { accountId: 'acc', name, onIncoming: null, defaultRoutine: [{ name }] };
  const { appId } = await saveApplication(db, { ...made, appId: newId() });
  await assignNumber(db, { number, accountId: 'acc', appId });
  return appId;
}

test('the user part as it stands comes before E.164, and that before the digits alone', async () => {
  const router = new Router(database.db);
  const asIs = await application('as it stands', '0049305550');
  const normal = await application('E.164', '+49305550');
  const digits = await application('digits', '49305550');
  const found = async (user: string) => (await router.findApplication({ user }, 'DE'))?.appId;
  assert.equal(await found('0049305550'), asIs);
  assert.equal(await found('49305550'), digits);
  assert.equal(await found('+49305550'), normal);
  assert.equal(await found('0305550'), normal);
  await deleteNumber(database.db, 'acc', '0049305550');
  assert.equal(await found('0049305550'), normal);
  await deleteNumber(database.db, 'acc', '+49305550');
  assert.equal(await found('0305550'), digits);
});

test('many who are called at once have each their own application, or none', async () => {
  const router = new Router(database.db);
  const users = Array.from({ length: 300 }, (_, k) => `many${k}`);
  const appIds = new Map<string, string>();
  for (const user of users.slice(0, 5)) appIds.set(user, await application(user, user));
  const found = await Promise.all(users.map((user) => router.findApplication({ user })));
  assert.deepEqual(
    found.map((each) => each?.appId),
    users.map((user) => appIds.get(user)),
  );
  assert.deepEqual(found[1], {
    appId: appIds.get('many1'),
    accountId: 'acc',
    name: 'many1',
    dialect: 'sift',
    onIncoming: undefined,
    defaultRoutine: [{ name: 'many1' }],
  });
  assert.equal(await router.findApplication({ user: '+' }), undefined);
});
