import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSpoolFile, journalFileName, manifestFile, parseJournalFileName, segmentFile } from './layout.ts';

test('identifiers that could leave their directory are refused', () => {
  assert.equal(manifestFile('room', 'A'), 'room/A.rec');
  assert.equal(segmentFile('room', '00ff'), 'room/00ff.seg');
  for (const id of ['', '.', '..', 'a/b', 'a\\b', 'a.rec', 'journal', 'a\0', 'ä', 'x'.repeat(65)]) {
    assert.throws(() => manifestFile(id, 'A'), { code: 'REQUEST_INVALID' });
    assert.throws(() => segmentFile('room', id), { code: 'REQUEST_INVALID' });
  }
});

test('journal names are read back, others are not journals', () => {
  assert.deepEqual(parseJournalFileName(journalFileName('w-1', 12)), { workerId: 'w-1', number: 12 });
  for (const name of ['w.jnl', 'w-x.jnl', 'w-1.jnl.unknown', '../w-1.jnl'])
    assert.equal(parseJournalFileName(name), undefined);
});

test('only manifests and segments of conversations are spool files', () => {
  assert.ok(isSpoolFile('room/A.rec'));
  for (const path of ['journal/A.rec', 'room/A.rec.erased', '/room/A.rec', 'a/b/c.seg', 'A.rec'])
    assert.equal(isSpoolFile(path), false);
});
