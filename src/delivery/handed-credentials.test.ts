import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HandedCredentials } from './handed-credentials.ts';

const directory = mkdtempSync(join(tmpdir(), 'callreel-handed-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('they outlive the process that put them there, until the row has them', () => {
  const path = join(directory, 'handed');
  new HandedCredentials(path).put('0123456789abcdef', 'sealed');
  const next = new HandedCredentials(path);
  assert.equal(next.get('0123456789abcdef'), 'sealed');
  assert.equal(statSync(join(path, '0123456789abcdef')).mode & 0o777, 0o600);
  next.drop('0123456789abcdef');
  next.drop('0123456789abcdef');
  assert.equal(next.get('0123456789abcdef'), undefined);
  next.put('0123456789abcdee', 'sealed');
  next.clear();
  assert.deepEqual(readdirSync(path), []);
});
