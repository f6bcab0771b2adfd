import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FileDestination } from './file.ts';
import { type UploadState, uploadFile } from './upload.ts';

const signal = new AbortController().signal;
let directory = '';
let destination: FileDestination;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'callreel-upload-'));
  destination = new FileDestination([directory]);
});
after(() => rm(directory, { recursive: true, force: true }));

function objectNamed(name: string) {
  return { key: join(directory, name), contentType: 'audio/wav' };
}

function sourceOf(content: Buffer) {
  return {
    bytes: content.length,
    read: async (fromByte: number, toByte: number) => content.subarray(fromByte, toByte),
  };
}

test('what fits into one part goes at once, and there is no state to keep', async () => {
  const states: (UploadState | undefined)[] = [];
  const save = async (state: UploadState | undefined) => void states.push(state);
  const content = Buffer.alloc(destination.partBytes, 7);
  const object = objectNamed('small.wav');
  await uploadFile(destination, object, sourceOf(content), { signal, save });
  assert.ok((await readFile(object.key)).equals(content));
  assert.deepEqual(states, []);
});

test('each part is on record before the next is sent, and nothing is when all is done', async () => {
  const counts: (number | undefined)[] = [];
  const save = async (state: UploadState | undefined) =>
    void counts.push(state && Object.keys(state.receipts).length);
  const content = Buffer.alloc(destination.partBytes + 1, 7);
  await uploadFile(destination, objectNamed('large.wav'), sourceOf(content), { signal, save });
  assert.deepEqual(counts, [0, 1, 2, undefined]);
});

test('an upload that is lost while it runs fails: whoever ordered it tries again', async () => {
  const name = 'lost.wav';
  const content = Buffer.alloc(destination.partBytes + 1, 7);
  let state: UploadState | undefined;
  const save = async (next: UploadState | undefined) => {
    state = next;
    if (!next || Object.keys(next.receipts).length === 0) return;
    const [partial] = (await readdir(directory)).filter((file) => file.includes(next.uploadId));
    if (partial) await rm(join(directory, partial));
  };
  const options = { signal, save };
  await assert.rejects(uploadFile(destination, objectNamed(name), sourceOf(content), options), {
    code: 'DESTINATION_UPLOAD_LOST',
  });
  const again = { signal, state, save: async () => {} };
  await uploadFile(destination, objectNamed(name), sourceOf(content), again);
  assert.ok((await readFile(join(directory, name))).equals(content));
});

test('more than the storage takes is refused before anything is sent', async () => {
  const bytes = destination.partBytes * destination.maxParts + 1;
  const source = { bytes, read: () => Promise.reject(new Error('read')) };
  const save = () => Promise.reject(new Error('saved'));
  await assert.rejects(uploadFile(destination, objectNamed('huge.wav'), source, { signal, save }), {
    code: 'DESTINATION_REFUSED',
  });
});
