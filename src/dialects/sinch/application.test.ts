import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { newApplicationSecret, sealApplicationSecret } from '../../auth/application-secret.ts';
import { saveApplication, setApplicationCallbacks } from '../../database/applications.ts';
import type { Db } from '../../database/schema.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../../database/temporary-database.ts';
import { Secret } from '../../secret.ts';
import { ownSecret, StoredSinchApplications } from './application.ts';

const masterKey = new Secret(randomBytes(32));
const credentials = { accountId: 'account', authToken: new Secret('token') };
const [accountId, name] = ['account', 'voice'];
let database: TemporaryDatabase;
let db: Db;

before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
});
after(() => database.close());

test('an application with its secret and its URLs; of another dialect there is none', async () => {
  const applications = new StoredSinchApplications({ db, credentials, masterKey });
  const secret = newApplicationSecret();
  const document = { action: { name: 'hangup' } };
  const sealedSecret = sealApplicationSecret(masterKey, 'app', secret);
  const urls = { onIncoming: 'https://app.example/a', fallbackUrl: 'https://app.example/b' };
  await saveApplication(db, {
    ...{ appId: 'app', accountId, name, dialect: 'sinch', sealedSecret, defaultRoutine: document },
    ...urls,
  });
  const found = await applications.find('app');
  assert.equal(found?.secret.reveal(), secret.reveal());
  assert.ok(!JSON.stringify(found).includes(secret.reveal()));
  assert.deepEqual([found.key, found.document?.reveal()], ['app', document]);
  assert.deepEqual(found.callbacks, { primary: urls.onIncoming, fallback: urls.fallbackUrl });
  await setApplicationCallbacks(db, 'app', { onIncoming: null, fallbackUrl: null });
  const nowhere = { primary: undefined, fallback: undefined };
  assert.deepEqual((await applications.find('app'))?.callbacks, nowhere);
  const nothing = { onIncoming: null, defaultRoutine: null };
  await saveApplication(db, { appId: 'sift', accountId, name, dialect: 'sift', ...nothing });
  assert.equal(await applications.find('sift'), undefined);
  const elsewhere = new Secret(randomBytes(32));
  const stranger = new StoredSinchApplications({ db, credentials, masterKey: elsewhere });
  await assert.rejects(stranger.find('app'), { code: 'SPOOL_KEY_MISSING' });
});

test("the server's own account, and applications of the configuration, by the auth token", async () => {
  const applications = new StoredSinchApplications({ db, credentials, masterKey });
  const own = await applications.find('account');
  assert.equal(own?.secret.reveal(), Buffer.from('token').toString('base64'));
  assert.equal(own.secret.reveal(), ownSecret(credentials).reveal());
  const configured = { appId: 'configured', accountId, name, dialect: 'sinch' as const };
  await saveApplication(db, { ...configured, onIncoming: 'https://app.example/', defaultRoutine: null });
  assert.equal((await applications.find('configured'))?.secret.reveal(), own.secret.reveal());
  assert.equal(await applications.find('nobody'), undefined);
});
