import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pcmBytes, searchPayload } from './payload-search.ts';

const mebibyte = 1 << 20;
const pattern = Uint8Array.from({ length: 160 }, (_, i) => (i * 37 + 11) & 0xff);
let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'callreel-search-'));
  await mkdir(join(directory, 'deep', '.hidden'), { recursive: true });
  await writeFile(join(directory, 'empty'), '');
  await writeFile(join(directory, 'other'), Buffer.alloc(3 * mebibyte, 0xd5));
  await writeFile(join(directory, 'deep', '.hidden', '.file'), pattern);
});

after(() => rm(directory, { recursive: true }));

test('a pattern is found in a hidden file of a hidden folder, and the search says what it looked at', async () => {
  const { hits, filesSearched, bytesSearched } = await searchPayload(directory, pattern);
  assert.deepEqual(hits, [{ path: join(directory, 'deep', '.hidden', '.file'), offset: 0 }]);
  assert.equal(filesSearched, 3);
  assert.equal(bytesSearched, 3 * mebibyte + 160);
});

for (const offset of [mebibyte - 1, mebibyte - 159, mebibyte, mebibyte + 159, 2 * mebibyte - 80]) {
  test(`a pattern across the windows of reading is found at ${offset}`, async (t) => {
    const path = join(directory, 'across');
    t.after(() => rm(path));
    const bytes = Buffer.alloc(2 * mebibyte + 200, 0xd5);
    bytes.set(pattern, offset);
    await writeFile(path, bytes);
    const { hits } = await searchPayload(directory, pattern);
    assert.deepEqual(hits[0], { path, offset });
  });
}

test('what is not there is not found, nor in what a link points to', async (t) => {
  const outside = await mkdtemp(join(tmpdir(), 'callreel-outside-'));
  t.after(() => rm(outside, { recursive: true }));
  const reversed = pattern.slice().reverse();
  await writeFile(join(outside, 'file'), reversed);
  await symlink(outside, join(directory, 'link'));
  assert.deepEqual((await searchPayload(directory, reversed)).hits, []);
});

test('an empty pattern is refused and a missing folder holds nothing', async () => {
  await assert.rejects(searchPayload(directory, new Uint8Array(0)), RangeError);
  assert.equal((await searchPayload(join(directory, 'none'), pattern)).filesSearched, 0);
});

test('samples lie little-endian in a file', () => {
  assert.deepEqual(pcmBytes(Int16Array.of(1, -2)), Uint8Array.of(1, 0, 0xfe, 0xff));
});
