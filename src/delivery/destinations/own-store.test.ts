import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Secret } from '../../secret.ts';
import { OwnStore } from './own-store.ts';
import { testConformance } from './test-conformance.ts';

const signal = new AbortController().signal;
const contentType = 'audio/mpeg';
const masterKey = new Secret(randomBytes(32));
let directory = '';
let store: OwnStore;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'callreel-store-'));
  store = new OwnStore(directory, masterKey);
});
after(() => rm(directory, { recursive: true, force: true }));

async function stored(key: string) {
  const bytes = await store.bytesOf(key);
  return bytes === undefined ? undefined : { content: Buffer.from(await store.read(key, 0, bytes)) };
}

testConformance('own store', () => ({
  open: () => new OwnStore(directory, masterKey),
  keyFor: (name) => name,
  stored,
}));

test('any range is read by itself', async () => {
  const content = randomBytes(200_000);
  await store.put({ key: 'ranges.mp3', contentType }, content, signal);
  for (const [from, to] of [
    [0, 1],
    [65_535, 65_537],
    [65_536, 131_072],
    [70_000, 70_000],
    [199_999, 200_000],
    [100_000, 999_999],
    [300_000, 400_000],
  ] as const)
    assert.deepEqual(
      Buffer.from(await store.read('ranges.mp3', from, to)),
      content.subarray(from, to),
      `${from}`,
    );
  await assert.rejects(store.read('none.mp3', 0, 1), { code: 'NOT_FOUND' });
});

test('neither name nor content lies open on the disk, and a removed file is gone', async () => {
  const before = await readdir(directory);
  await store.put({ key: 'secret-name.mp3', contentType }, Buffer.from('secret-content'.repeat(99)), signal);
  const [added] = (await readdir(directory)).filter((name) => !before.includes(name));
  assert.ok(added && !added.includes('secret'));
  assert.ok(!(await readFile(join(directory, added))).includes('secret'));
  assert.equal(await store.remove('secret-name.mp3'), true);
  assert.equal(await store.remove('secret-name.mp3'), false);
  assert.deepEqual(await readdir(directory), before);
});

test('a file that was changed, moved, or sealed by another key does not open', async () => {
  await store.put({ key: 'a.mp3', contentType }, randomBytes(100_000), signal);
  const known = await readdir(directory);
  await store.put({ key: 'b.mp3', contentType }, randomBytes(100_000), signal);
  const [path] = (await readdir(directory)).filter((name) => !known.includes(name));
  await assert.rejects(new OwnStore(directory, new Secret(randomBytes(32))).read('a.mp3', 0, 9), {
    code: 'SPOOL_CORRUPT',
  });
  const sealed = await readFile(join(directory, path!));
  const swapped = Buffer.concat([sealed.subarray(65_564), sealed.subarray(0, 65_564)]);
  await writeFile(join(directory, path!), swapped);
  await assert.rejects(store.read('b.mp3', 0, 9), { code: 'SPOOL_CORRUPT' });
});
