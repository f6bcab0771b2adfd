import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sql } from 'kysely';
import { compiledQuery } from './compiled-query.ts';
import type { Db } from './schema.ts';
import { startTemporaryDatabase, type TemporaryDatabase } from './temporary-database.ts';

let database: TemporaryDatabase;
let db: Db;
before(async () => {
  database = await startTemporaryDatabase();
  db = database.db;
});
after(() => database.close());

test('a query is made once; every run has its own values, and constants stay', async () => {
  let made = 0;
  const said = compiledQuery((of: Db, { word, count }: { word: string; count: number }) => {
    made += 1;
    return of.selectNoFrom([
      sql<string>`${word}::text || ${'!'}::text`.as('loud'),
      sql<number>`${count}::int * 2`.as('twice'),
      sql<string>`${word}::text`.as('again'),
    ]);
  });
  assert.deepEqual(await said(db, { word: 'one', count: 1 }), [{ loud: 'one!', twice: 2, again: 'one' }]);
  const many = await Promise.all([
    said(db, { word: "'; two", count: 2 }),
    said(db, { word: 'word', count: 3 }),
  ]);
  assert.deepEqual(many, [
    [{ loud: "'; two!", twice: 4, again: "'; two" }],
    [{ loud: 'word!', twice: 6, again: 'word' }],
  ]);
  assert.equal(made, 1);
});

test('a transaction has its own run of it', async () => {
  const sessionOf = compiledQuery((of: Db, { word }: { word: string }) =>
    of.selectNoFrom([sql<number>`pg_backend_pid()`.as('pid'), sql<string>`${word}::text`.as('word')]),
  );
  await db.transaction().execute(async (trx) => {
    const [first] = await sessionOf(trx, { word: 'a' });
    const [second] = await sessionOf(trx, { word: 'b' });
    assert.equal(first?.pid, second?.pid);
    assert.equal(second?.word, 'b');
  });
});

test('a query that fails says so, and the next one runs', async () => {
  const divided = compiledQuery((of: Db, { by }: { by: number }) =>
    of.selectNoFrom(sql<number>`10 / ${by}::int`.as('part')),
  );
  await assert.rejects(divided(db, { by: 0 }), { code: '22012' });
  assert.deepEqual(await divided(db, { by: 5 }), [{ part: 2 }]);
});
