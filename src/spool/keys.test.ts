import assert from 'node:assert/strict';
import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Secret } from '../secret.ts';
import {
  loadMasterKey,
  masterKeyPath,
  newRecordingKey,
  newSegmentKey,
  openRecordingKey,
  parseMasterKey,
  unwrapSegmentKey,
  wrapSegmentKey,
} from './keys.ts';
import { temporaryDirectory } from './test-spool.ts';

const master = new Secret(Buffer.alloc(32, 1));

test('a recording key opens with its master key, for its recording only', () => {
  const { plain, sealed } = newRecordingKey(master, 'A');
  assert.equal(openRecordingKey(master, 'A', sealed).reveal().toString('base64'), plain);
  assert.throws(() => openRecordingKey(master, 'B', sealed), { code: 'SPOOL_KEY_MISSING' });
  const other = new Secret(Buffer.alloc(32, 2));
  assert.throws(() => openRecordingKey(other, 'A', sealed), { code: 'SPOOL_KEY_MISSING' });
  assert.throws(() => openRecordingKey(master, 'A', 'AAAA'), { code: 'SPOOL_KEY_MISSING' });
});

test('a wrap is worth nothing for another recording or segment, and when altered', () => {
  const recordingKey = new Secret(Buffer.alloc(32, 3));
  const segmentKey = newSegmentKey();
  const wrapped = wrapSegmentKey(recordingKey.reveal(), 'A', 's1', segmentKey);
  assert.deepEqual(unwrapSegmentKey(recordingKey, 'A', 's1', wrapped).reveal(), segmentKey);
  assert.throws(() => unwrapSegmentKey(recordingKey, 'B', 's1', wrapped), { code: 'SPOOL_CORRUPT' });
  assert.throws(() => unwrapSegmentKey(recordingKey, 'A', 's2', wrapped), { code: 'SPOOL_CORRUPT' });
  const bytes = Buffer.from(wrapped, 'base64');
  for (let at = 0; at < bytes.length; at++) {
    const altered = Buffer.from(bytes);
    altered[at]! ^= 0x10;
    const again = altered.toString('base64');
    assert.throws(() => unwrapSegmentKey(recordingKey, 'A', 's1', again), { code: 'SPOOL_CORRUPT' });
  }
});

test('the master key file is made once, for its owner only, and never printed', () => {
  const directory = temporaryDirectory();
  try {
    const key = loadMasterKey(directory);
    assert.equal(key.reveal().length, 32);
    assert.deepEqual(loadMasterKey(directory).reveal(), key.reveal());
    assert.equal(statSync(masterKeyPath(directory)).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(directory, 'keys')), ['master.key']);
    assert.equal(inspect(key).includes(key.reveal().toString('hex').slice(0, 8)), false);
    truncateSync(masterKeyPath(directory), 31);
    assert.throws(() => loadMasterKey(directory), { code: 'SPOOL_KEY_MISSING' });
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('threads that make the master key at the same time get the same one', async () => {
  const directory = temporaryDirectory();
  const source = `
    import { parentPort } from 'node:worker_threads';
    import { loadMasterKey } from ${JSON.stringify(new URL('./keys.ts', import.meta.url).href)};
    parentPort.postMessage(loadMasterKey(${JSON.stringify(directory)}).reveal().toString('hex'));`;
  const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  try {
    const keys = await Promise.all(
      Array.from({ length: 4 }, () => {
        const { promise, resolve, reject } = Promise.withResolvers<string>();
        new Worker(url).once('message', resolve).once('error', reject);
        return promise;
      }),
    );
    assert.equal(new Set(keys).size, 1);
    assert.deepEqual(readdirSync(join(directory, 'keys')), ['master.key']);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('a configured master key is 32 bytes in base64', () => {
  const text = Buffer.alloc(32, 9).toString('base64');
  assert.deepEqual(parseMasterKey(new Secret(text)).reveal(), Buffer.alloc(32, 9));
  assert.throws(() => parseMasterKey(new Secret('c2hvcnQ=')), { code: 'CONFIG_INVALID' });
});
