import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { keepServerAddress, readServerAddress } from './server-address.ts';

const addresses: [listening: string, called: string][] = [
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['http://0.0.0.0:8080', 'http://127.0.0.1:8080'],
  ['http://[::]:8080', 'http://[::1]:8080'],
  ['http://192.0.2.1:8081', 'http://192.0.2.1:8081'],
];

test('word is left, found and taken back', (context) => {
  const dir = mkdtempSync(join(tmpdir(), 'callreel-'));
  context.after(() => rmSync(dir, { recursive: true }));
  assert.equal(readServerAddress(dir), undefined);
  for (const [listening, called] of addresses) {
    const takeBack = keepServerAddress(dir, listening);
    assert.equal(readServerAddress(dir), called);
    assert.equal(statSync(join(dir, 'http-address')).mode & 0o777, 0o600);
    takeBack();
    assert.equal(readServerAddress(dir), undefined);
  }
});

test('the word of a server that was killed counts for nothing', (context) => {
  const dir = mkdtempSync(join(tmpdir(), 'callreel-'));
  context.after(() => rmSync(dir, { recursive: true }));
  const gone = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
  for (const text of [`http://127.0.0.1:80\n${gone}\n`, 'http://127.0.0.1:80\n', 'nonsense', '', '\n1\n']) {
    writeFileSync(join(dir, 'http-address'), text);
    assert.equal(readServerAddress(dir), undefined);
  }
});
