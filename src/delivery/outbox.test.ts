import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { type PgBoss, TestClock } from 'pg-boss';
import { FakeClock, systemClock } from '../clock.ts';
import { openDb, openPool } from '../database/database.ts';
import { getEvent, listEventsOfConversation } from '../database/events.ts';
import type { Db, Event } from '../database/schema.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from '../database/temporary-database.ts';
import { newId } from '../ids.ts';
import { silentLogger } from '../logger.ts';
import { jobSchema, startJobs } from './jobs.ts';
import { type EventSender, Outbox, type OutboxOptions } from './outbox.ts';

let database: TemporaryDatabase;
let db: Db;
let boss: PgBoss;
const outboxes: Outbox[] = [];

before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
});

beforeEach(async () => {
  boss = await startJobs(database.pool, silentLogger);
});

after(() => database.close());

afterEach(async () => {
  for (const outbox of outboxes.splice(0)) await outbox.stop(0);
  await boss.stop({ graceful: false });
  await sql`TRUNCATE callreel.events, ${sql.table(`${jobSchema}.job`)}`.execute(db);
});

async function start(send: EventSender, options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  const outbox = await Outbox.start({
    db,
    boss,
    send,
    clock: systemClock,
    logger: silentLogger,
    exclusive: true,
    pollMs: 100,
    ...options,
  });
  outboxes.push(outbox);
  return outbox;
}

function event(conversationId: string, type: string, callbackUrl = 'http://receiver.example/') {
  return { accountId: 'acc', conversationId, type, payload: { type }, callbackUrl };
}

/** Collects what is delivered and lets a test wait for a number of it. */
function collector(deliver: (event: Event) => void = () => {}) {
  const types: string[] = [];
  const attempts: { eventId: string; deliveryId: string; attempt: number }[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const check = () => {
    for (const waiter of waiting) if (types.length >= waiter.count) waiter.resolve();
  };
  const send: EventSender = async (sent, { deliveryId, attempt }) => {
    attempts.push({ eventId: sent.eventId, deliveryId, attempt });
    deliver(sent);
    types.push(sent.type);
    check();
  };
  const received = (count: number) =>
    new Promise<void>((resolve) => {
      waiting.push({ count, resolve });
      check();
    });
  return { types, attempts, send, received };
}

async function settled(conversationId: string): Promise<Event[]> {
  for (;;) {
    const events = await listEventsOfConversation(db, conversationId);
    if (events.every(({ deliveredAt, deadAt }) => deliveredAt || deadAt)) return events;
  }
}

/** Whether an event job is being worked on or could be. */
async function somethingIsDue(within: Db): Promise<boolean> {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*) AS n FROM ${sql.table(`${jobSchema}.job`)} AS job
    WHERE name = 'events' AND (
      state = 'active' OR (state = 'retry' AND start_after <= ${sql.raw(jobSchema)}.job_now())
      OR (state = 'created' AND NOT EXISTS (
        SELECT FROM ${sql.table(`${jobSchema}.job`)} AS other
        WHERE other.singleton_key = job.singleton_key AND other.state IN ('retry', 'active', 'failed'))))`.execute(
    within,
  );
  return rows[0]?.n !== 0;
}

describe('writing', () => {
  test('a change that fails leaves neither event nor job', async () => {
    const { send, types } = collector();
    const outbox = await start(send);
    await assert.rejects(
      outbox.transaction(async (trx) => {
        await outbox.insert(trx, event('c1', 'ended'));
        throw new Error('the change failed');
      }),
      /the change failed/,
    );
    assert.deepEqual(await listEventsOfConversation(db, 'c1'), []);
    const jobs = await sql`SELECT FROM ${sql.table(`${jobSchema}.job`)}`.execute(db);
    assert.equal(jobs.rows.length, 0);
    assert.deepEqual(types, []);
  });

  test('a process killed at any moment leaves both or neither, and what is left is delivered', async () => {
    const program = `
      import { openDb, openPool } from ${JSON.stringify(import.meta.resolve('../database/database.ts'))};
      import { systemClock } from ${JSON.stringify(import.meta.resolve('../clock.ts'))};
      import { silentLogger } from ${JSON.stringify(import.meta.resolve('../logger.ts'))};
      import { startJobs } from ${JSON.stringify(import.meta.resolve('./jobs.ts'))};
      import { Outbox } from ${JSON.stringify(import.meta.resolve('./outbox.ts'))};
      const pool = openPool(${JSON.stringify(database.postgres!.address)}, silentLogger);
      const db = openDb(pool);
      const boss = await startJobs(pool, silentLogger);
      const send = () => new Promise(() => {});
      const outbox = await Outbox.start({ db, boss, send, clock: systemClock, logger: silentLogger, exclusive: false });
      for (let index = 0; ; index++) {
        await outbox.transaction(async (trx) => {
          const conversationId = 'killed-' + index;
          await trx.insertInto('conversations').values({
            conversationId, accountId: 'acc', dialect: 'sift', status: 'ended', startTime: new Date(), eventCallbacks: [],
          }).execute();
          await outbox.insert(trx, { accountId: 'acc', conversationId, type: 'ended', payload: {}, callbackUrl: 'http://a/' });
        });
        if (index === 20) console.log('running');
      }
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const { rows } = await sql<{ conversationId: string; events: number }>`
      SELECT c.conversation_id, count(e.event_id) AS events
      FROM callreel.conversations c LEFT JOIN callreel.events e USING (conversation_id)
      WHERE c.conversation_id LIKE 'killed-%' GROUP BY 1`.execute(db);
    assert.ok(rows.length > 20);
    assert.ok(rows.every(({ events }) => events === 1));
    const { send, received, types } = collector();
    await start(send);
    await received(rows.length);
    assert.equal(types.length, rows.length);
  });
});

describe('order', () => {
  test('events of one transaction and of many come in order, each once', async () => {
    const { send, received, types, attempts } = collector();
    const outbox = await start(send);
    await outbox.transaction(async (trx) => {
      for (let index = 0; index < 5; index++) await outbox.insert(trx, event('c1', `a${index}`));
    });
    for (let index = 0; index < 5; index++)
      await outbox.transaction((trx) => outbox.insert(trx, event('c1', `b${index}`)));
    await received(10);
    assert.deepEqual(types, ['a0', 'a1', 'a2', 'a3', 'a4', 'b0', 'b1', 'b2', 'b3', 'b4']);
    assert.equal(new Set(attempts.map(({ deliveryId }) => deliveryId)).size, 10);
  });

  test('a receiver that hangs holds up its own conversation only', async () => {
    const { promise: hang, resolve: release } = Promise.withResolvers<void>();
    const { send, received, types } = collector();
    const outbox = await start(async (sent, delivery) => {
      if (sent.conversationId === 'slow') await hang;
      await send(sent, delivery);
    });
    await outbox.transaction(async (trx) => {
      await outbox.insert(trx, event('slow', 's1'));
      await outbox.insert(trx, event('slow', 's2'));
      for (let index = 0; index < 100; index++)
        await outbox.insert(trx, event(`quick-${index}`, 'q', 'http://quick.example/'));
    });
    await received(100);
    assert.ok(types.every((type) => type === 'q'));
    release();
    await received(102);
    assert.deepEqual(types.slice(100), ['s1', 's2']);
  });

  test('a URL that is down holds up nothing that the same conversation sends elsewhere', async () => {
    const { send, received, types } = collector(({ callbackUrl }) => {
      if (callbackUrl.includes('dead')) throw new Error('connection refused');
    });
    const outbox = await start(send);
    await outbox.transaction(async (trx) => {
      await outbox.insert(trx, event('c1', 'd1', 'http://dead.example/a'));
      await outbox.insert(trx, event('c1', 'f1', 'http://fine.example/a'));
      await outbox.insert(trx, event('c1', 'd2', 'http://dead.example/a'));
      await outbox.insert(trx, event('c1', 'f2', 'http://fine.example/a'));
    });
    await received(2);
    assert.deepEqual(types, ['f1', 'f2']);
  });

  test('a host that hangs does not take every slot', async () => {
    const { promise: hang, resolve: release } = Promise.withResolvers<void>();
    const { send, received, types } = collector();
    const options = { concurrency: 8, concurrencyPerOrigin: 2 };
    const outbox = await start(async (sent, delivery) => {
      if (sent.type === 'stuck') await hang;
      await send(sent, delivery);
    }, options);
    for (let index = 0; index < 10; index++)
      await outbox.transaction((trx) =>
        outbox.insert(trx, event(`stuck-${index}`, 'stuck', 'http://stuck/')),
      );
    await outbox.transaction((trx) => outbox.insert(trx, event('fine', 'fine', 'http://fine/')));
    await received(1);
    assert.deepEqual(types, ['fine']);
    release();
    await received(11);
  });
});

describe('stop', () => {
  test('an attempt that does not end is given back and made again by the next start', async () => {
    const { promise: begun, resolve: onBegun } = Promise.withResolvers<void>();
    const outbox = await start((_event, { signal }) => {
      onBegun();
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    await outbox.transaction((trx) => outbox.insert(trx, event('c1', 'ended')));
    await begun;
    await outbox.stop(1);
    const { send, received, attempts } = collector();
    await start(send);
    await received(1);
    assert.equal(attempts[0]?.attempt, 1);
  });

  test('an attempt in flight is finished', async () => {
    const { promise: hang, resolve: release } = Promise.withResolvers<void>();
    const { promise: begun, resolve: onBegun } = Promise.withResolvers<void>();
    const outbox = await start(async () => {
      onBegun();
      await hang;
    });
    await outbox.transaction((trx) => outbox.insert(trx, event('c1', 'ended')));
    await begun;
    const stopped = outbox.stop(60_000);
    release();
    await stopped;
    assert.ok((await listEventsOfConversation(db, 'c1'))[0]?.deliveredAt);
  });
});

describe('heal', () => {
  test('a pending event without a job gets one at the start', async () => {
    const { send, received, types } = collector();
    const outbox = await start(async () => {
      throw new Error('down');
    });
    await outbox.stop(0);
    await db.transaction().execute((trx) => outbox.insert(trx, event('c1', 'ended')));
    await sql`DELETE FROM ${sql.table(`${jobSchema}.job`)}`.execute(db);
    await start(send);
    await received(1);
    assert.deepEqual(types, ['ended']);
  });

  test('what a version queued that ordered by conversation alone is delivered, each to its URL', async () => {
    const urls = ['http://dead.example/a', 'http://fine.example/\u00fc?a=\u{1f600}'] as const;
    const outbox = await start(async () => {
      throw new Error('down');
    });
    await outbox.stop(0);
    await db.transaction().execute(async (trx) => {
      for (const [index, url] of [...urls, ...urls].entries())
        await outbox.insert(trx, event('c1', `${index}`, url));
    });
    const jobs = sql.table(`${jobSchema}.job`);
    await sql`UPDATE ${jobs} SET singleton_key = 'c1', data = '{"conversationId": "c1"}'`.execute(db);
    const { send, received, types } = collector(({ callbackUrl }) => {
      if (callbackUrl === urls[0]) throw new Error('connection refused');
    });
    await start(send);
    await received(2);
    assert.deepEqual(types, ['1', '3']);
  });

  test('a start gives no second job to what has one', async () => {
    const outbox = await start(async () => {
      throw new Error('down');
    });
    await outbox.stop(0);
    const url = 'http://receiver.example/\u00fc?a=\u{1f600}';
    await db.transaction().execute(async (trx) => {
      for (const type of ['a', 'b']) await outbox.insert(trx, event('c1', type, url));
    });
    const again = await start(async () => {
      throw new Error('down');
    });
    await again.stop(0);
    const jobs = await sql`SELECT FROM ${sql.table(`${jobSchema}.job`)}`.execute(db);
    assert.equal(jobs.rows.length, 2);
  });

  test('replay: unknown, on its way, and once more under the same id', async () => {
    const { send, received, attempts } = collector();
    const outbox = await start(send);
    await assert.rejects(outbox.replay(newId()), { code: 'NOT_FOUND' });
    const { eventId } = await outbox.transaction((trx) => outbox.insert(trx, event('c1', 'ended')));
    await received(1);
    await settled('c1');
    await outbox.replay(eventId);
    await received(2);
    assert.deepEqual(
      attempts.map((one) => one.eventId),
      [eventId, eventId],
    );
    assert.notEqual(attempts[0]?.deliveryId, attempts[1]?.deliveryId);
    const pending = await db.transaction().execute((trx) => outbox.insert(trx, event('c2', 'x')));
    await assert.rejects(outbox.replay(pending.eventId), { code: 'CONFLICT' });
  });
});

test('a receiver that is down for three days: retries in order, then dead, and its key is free again', async () => {
  await boss.stop({ graceful: false });
  const time = new TestClock(1_795_000_000_000);
  const pool = openPool({ ...database.postgres!.address, options: '-c pgboss.test_clock=on' }, silentLogger);
  const timed = openDb(pool);
  const timedBoss = await startJobs(pool, silentLogger, time);
  const clock = new FakeClock();
  const ourClock = { ...systemClock, unixMs: () => time.now(), after: clock.after.bind(clock) };
  let up = false;
  const tries: string[] = [];
  const { send, types } = collector();
  const outbox = await Outbox.start({
    db: timed,
    boss: timedBoss,
    clock: ourClock,
    logger: silentLogger,
    exclusive: true,
    send: async (sent, delivery) => {
      tries.push(sent.type);
      if (!up) throw new Error('connection refused');
      await send(sent, delivery);
    },
  });
  try {
    const dead = await outbox.transaction(async (trx) => {
      const first = await outbox.insert(trx, event('c1', 'first'));
      await outbox.insert(trx, event('c1', 'second'));
      return first;
    });
    for (let hour = 0; hour <= 73; hour++) {
      outbox.kick();
      while (await somethingIsDue(timed)) await setImmediate();
      if (hour === 24) assert.deepEqual(new Set(tries), new Set(['first']));
      await time.setTime(time.now() + 3_600_000);
    }
    const events = await listEventsOfConversation(timed, 'c1');
    assert.deepEqual(
      events.map((one) => [one.type, one.deadAt !== null, one.lastError]),
      [
        ['first', true, 'connection refused'],
        ['second', true, 'connection refused'],
      ],
    );
    assert.ok(events[0]!.attempts > 10);
    assert.equal(events[1]!.attempts, 1);
    up = true;
    await outbox.transaction((trx) => outbox.insert(trx, event('c1', 'third')));
    await settled('c1');
    assert.deepEqual(types, ['third']);
    await outbox.replay(dead.eventId);
    await settled('c1');
    assert.deepEqual(types, ['third', 'first']);
    assert.equal((await getEvent(timed, dead.eventId))?.attempts, 1);
  } finally {
    await outbox.stop(0);
    await timedBoss.stop({ graceful: false });
    await pool.end();
  }
});
