import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SinchError } from './errors.ts';
import { readStoredRecordingsQuery } from './stored-recordings.ts';

test('times in every form, pages from 1', () => {
  const at = new Date('2026-11-21T10:00:00Z');
  for (const from of ['2026-11-21T10:00:00Z', String(at.getTime()), String(at.getTime() / 1000)])
    assert.deepEqual(readStoredRecordingsQuery({ from }).from, at, from);
  assert.deepEqual(readStoredRecordingsQuery({}), {
    from: undefined,
    to: undefined,
    page: 1,
    pageSize: 100,
  });
  const { page, pageSize } = readStoredRecordingsQuery({ page: '3', pageSize: '20', from: '' });
  assert.deepEqual([page, pageSize], [3, 20]);
});

test('what the vendor refuses', () => {
  const wrong: [object, RegExp][] = [
    [{ page: '0' }, /^'pageNumber' must be greater than 0$/],
    [{ page: 'x' }, /pageNumber/],
    [{ pageSize: '-1' }, /^'pageSize' must be a positive integer/],
    [{ pageSize: '100000' }, /pageSize/],
    [{ from: 'yesterday' }, /^'from' must be a timestamp$/],
    [{ from: ['2026-01-01', '2026-01-02'] }, /from/],
    [{ to: '9999999999999999' }, /to/],
    [{ from: '2026-11-21', to: '2026-11-20' }, /^'to' must be greater than 'from'$/],
  ];
  for (const [query, message] of wrong)
    assert.throws(
      () => readStoredRecordingsQuery(query as Record<string, unknown>),
      (error) => error instanceof SinchError && error.code === 40001 && message.test(error.message),
      JSON.stringify(query),
    );
});
