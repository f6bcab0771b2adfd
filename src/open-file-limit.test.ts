import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openFileLimit } from './open-file-limit.ts';

const directory = mkdtempSync(join(tmpdir(), 'callreel-limits-'));
after(() => rmSync(directory, { recursive: true }));

function limitOf(lines: string): number | undefined {
  const file = join(directory, 'limits');
  writeFileSync(file, lines);
  return openFileLimit(file);
}

test('the soft limit counts, and none at all is no limit', () => {
  const files =
    'Max processes             9                    9                    processes\nMax open files            ';
  assert.equal(limitOf(`${files}1024                 4096                 files\n`), 1024);
  assert.equal(
    limitOf(`${files}unlimited            unlimited            files\n`),
    Number.POSITIVE_INFINITY,
  );
  assert.equal(limitOf(''), undefined);
  assert.equal(openFileLimit(join(directory, 'gone')), undefined);
});
