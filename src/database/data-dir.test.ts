import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { ensureDataDir, lockDataDir } from './data-dir.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'callreel-'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('a data directory is not readable by others', () => {
  const made = ensureDataDir(join(dir, 'a', 'b'));
  assert.equal(statSync(made).mode & 0o066, 0);
});

test('a second lock is refused, names the holder, and is given after the release', () => {
  const first = lockDataDir(dir);
  assert.throws(() => lockDataDir(dir), {
    code: 'DATA_DIR_IN_USE',
    message: new RegExp(`process ${process.pid}\\b`),
  });
  first.release();
  first.release();
  lockDataDir(dir).release();
});

test('the lock of another process holds while it lives and is gone when it is killed', async () => {
  const program = `
    import { lockDataDir } from ${JSON.stringify(import.meta.resolve('./data-dir.ts'))};
    globalThis.lock = lockDataDir(${JSON.stringify(dir)});
    console.log('held');
    process.stdin.resume();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  assert.throws(() => lockDataDir(dir), {
    code: 'DATA_DIR_IN_USE',
    message: new RegExp(`process ${child.pid}\\b`),
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  lockDataDir(dir).release();
});
