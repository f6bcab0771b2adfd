import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openStartWriteback } from './start-writeback.ts';

test('what a file holds stays as it is; an error is for who syncs', () => {
  const directory = mkdtempSync(join(tmpdir(), 'callreel-writeback-'));
  try {
    const startWriteback = openStartWriteback();
    const fd = openSync(join(directory, 'file'), 'w');
    writeSync(fd, Buffer.alloc(100_000, 7));
    startWriteback?.(fd);
    closeSync(fd);
    startWriteback?.(fd);
    assert.ok(readFileSync(join(directory, 'file')).equals(Buffer.alloc(100_000, 7)));
  } finally {
    rmSync(directory, { recursive: true });
  }
});
