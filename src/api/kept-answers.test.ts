import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import { removeOldestIdempotencyKeys } from '../database/idempotency-keys.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { CallreelError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import { Secret } from '../secret.ts';
import { type Beginning, KeptAnswers, leaseMs, patienceMs, type RequestOutline } from './kept-answers.ts';

const accountId = 'account';
const masterKey = new Secret(Buffer.alloc(32, 7));
const dayMs = 24 * 3600 * 1000;
const request: RequestOutline = { method: 'POST', url: '/v1/calls', body: { to: '+1', from: '+2' } };

let database: TemporaryDatabase;
let clock: FakeClock;
let answers: KeptAnswers;

const open = (): KeptAnswers =>
  new KeptAnswers({ accountId, db: database.db, clock, log: silentLogger, masterKey });

before(async () => void (database = await startTemporaryDatabase()));
after(() => database.close());
beforeEach(async () => {
  await database.db.deleteFrom('idempotencyKeys').execute();
  clock = new FakeClock();
  answers = open();
});

function first(beginning: Beginning) {
  assert.equal(beginning.kind, 'first');
  return (beginning as Extract<Beginning, { kind: 'first' }>).request;
}

const coded = (code: string) => (error: unknown) => error instanceof CallreelError && error.code === code;

/** Lets time go on until the work is done, no faster than the database. */
async function passing<Result>(work: Promise<Result>): Promise<Result> {
  let done = false;
  work.then(
    () => (done = true),
    () => (done = true),
  );
  while (!done) {
    clock.advanceMs(20);
    await database.db.selectFrom('idempotencyKeys').select('owner').execute();
  }
  return await work;
}

test('the same request is done once and answered alike, in whatever order its members are', async () => {
  await first(await answers.begin('key', request)).finish({ status: 201, body: '{"call_id":"1"}' });
  const again = { ...request, body: { from: '+2', to: '+1' } };
  for (const each of [answers, open()])
    assert.deepEqual(await each.begin('key', again), {
      kind: 'repeated',
      answer: { status: 201, body: '{"call_id":"1"}' },
    });
  assert.equal(clock.pendingTimers, 0);
});

test('another body, path or method under the same key is refused', async () => {
  await first(await answers.begin('key', request)).finish({ status: 201, body: '' });
  for (const other of [
    { ...request, body: { to: '+1', from: '+3' } },
    { ...request, body: undefined },
    { ...request, url: '/v1/calls?x=1' },
    { ...request, method: 'DELETE' },
  ])
    await assert.rejects(answers.begin('key', other), coded('IDEMPOTENCY_KEY_REUSED'));
  first(await answers.begin('another key', request));
});

test('while the first one runs, the second waits for its answer, up to a limit', async () => {
  const running = first(await answers.begin('key', request));
  const startMs = clock.unixMs();
  await assert.rejects(passing(answers.begin('key', request)), coded('IDEMPOTENCY_KEY_IN_USE'));
  assert.ok(clock.unixMs() - startMs >= patienceMs);
  const waiting = answers.begin('key', request);
  await running.finish({ status: 202, body: '{}' });
  assert.deepEqual(await passing(waiting), { kind: 'repeated', answer: { status: 202, body: '{}' } });
});

test('of many at once one is first', async () => {
  const begun = Array.from({ length: 8 }, () => answers.begin('key', request));
  const running = first(await Promise.race(begun));
  await running.finish({ status: 201, body: 'x' });
  const kinds = (await passing(Promise.all(begun))).map(({ kind }) => kind);
  assert.equal(kinds.filter((kind) => kind === 'first').length, 1);
});

test('nothing was done: the next one is first', async () => {
  await first(await answers.begin('key', request)).release();
  first(await answers.begin('key', { ...request, body: 'another' }));
});

test('an answer is kept for a day', async () => {
  await first(await answers.begin('key', request)).finish({ status: 201, body: 'x' });
  clock.advanceMs(dayMs - 1);
  assert.equal((await answers.begin('key', request)).kind, 'repeated');
  clock.advanceMs(1);
  await first(await answers.begin('key', request)).release();
  assert.deepEqual(await database.db.selectFrom('idempotencyKeys').selectAll().execute(), []);
});

test('a request that a crash kept from its answer is done again once its lease is over', async () => {
  const dead = new FakeClock();
  const died = new KeptAnswers({ accountId, db: database.db, clock: dead, log: silentLogger, masterKey });
  first(await died.begin('key', request));
  clock.advanceMs(leaseMs + 1);
  const other = { ...request, body: 'another' };
  await assert.rejects(answers.begin('key', other), coded('IDEMPOTENCY_KEY_REUSED'));
  await first(await answers.begin('key', request)).finish({ status: 201, body: 'second' });
  assert.equal((await answers.begin('key', request)).kind, 'repeated');
});

test('one that runs long keeps its lease', async () => {
  const running = first(await answers.begin('key', request));
  const leaseUntil = async () =>
    (await database.db.selectFrom('idempotencyKeys').select('leaseUntil').executeTakeFirstOrThrow())
      .leaseUntil;
  for (let round = 0; round < 9; round++) {
    const before = await leaseUntil();
    clock.advanceMs(leaseMs / 3);
    while ((await leaseUntil()) <= before) await setImmediate();
  }
  await assert.rejects(passing(answers.begin('key', request)), coded('IDEMPOTENCY_KEY_IN_USE'));
  await running.release();
});

test('what is too large to keep is not done twice', async () => {
  await first(await answers.begin('key', request)).finish({ status: 200, body: 'x'.repeat(300 * 1024) });
  await assert.rejects(answers.begin('key', request), coded('CONFLICT'));
});

test('neither keys nor requests nor answers can be read in the database', async () => {
  const secret = 'a-number-nobody-shall-see';
  const running = first(await answers.begin(`key ${secret}`, { ...request, body: { to: secret } }));
  await running.finish({ status: 201, body: JSON.stringify({ to: secret }) });
  const rows = await database.db.selectFrom('idempotencyKeys').selectAll().execute();
  assert.equal(rows.length, 1);
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(secret));
});

test('of too many keys the oldest go, those that run stay', async () => {
  first(await answers.begin('running', request));
  for (let index = 0; index < 5; index++) {
    clock.advanceMs(1000);
    await first(await answers.begin(`key${index}`, request)).finish({ status: 200, body: '' });
  }
  await removeOldestIdempotencyKeys(database.db, 'another account', 0);
  await removeOldestIdempotencyKeys(database.db, accountId, 2);
  const rows = await database.db.selectFrom('idempotencyKeys').selectAll().orderBy('expiresAt').execute();
  assert.deepEqual(
    rows.map(({ state }) => state),
    ['running', 'done', 'done'],
  );
});
