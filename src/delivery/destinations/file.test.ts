import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FileDestination } from './file.ts';
import { testConformance } from './test-conformance.ts';

const signal = new AbortController().signal;
const contentType = 'audio/wav';
let root = '';
let allowed = '';

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'callreel-destination-'));
  allowed = join(root, 'recordings');
  await mkdir(allowed);
});
after(() => rm(root, { recursive: true, force: true }));

async function stored(key: string) {
  try {
    return { content: await readFile(key) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

testConformance('file', () => ({
  open: () => new FileDestination([allowed]),
  keyFor: (name) => join(allowed, name),
  stored,
}));

test('only the directories that are allowed are written to, by whatever way', async () => {
  await mkdir(join(root, 'elsewhere'));
  await symlink(join(root, 'elsewhere'), join(allowed, 'link'));
  const destination = new FileDestination([join(root, 'missing'), allowed]);
  for (const key of [
    join(root, 'x.wav'),
    join(root, 'recordings-too', 'x.wav'),
    `${allowed}/../x.wav`,
    join(allowed, 'link', 'x.wav'),
    join(allowed, 'link', 'deeper', 'x.wav'),
  ])
    await assert.rejects(
      destination.put({ key, contentType }, Buffer.from('x'), signal),
      { code: 'DESTINATION_FORBIDDEN' },
      key,
    );
  await assert.rejects(
    new FileDestination([]).put({ key: join(allowed, 'x.wav'), contentType }, Buffer.from('x'), signal),
    { code: 'DESTINATION_FORBIDDEN' },
  );
  assert.deepEqual(await readdir(join(root, 'elsewhere')), []);
});

test('an upload that was aborted leaves nothing behind', async () => {
  const destination = new FileDestination([allowed]);
  const object = { key: join(allowed, 'left', 'x.wav'), contentType };
  const upload = { ...object, uploadId: await destination.beginUpload(object, signal) };
  await destination.putPart(upload, 1, Buffer.from('x'), signal);
  assert.equal((await readdir(join(allowed, 'left'))).length, 1);
  await destination.abortUpload(upload, signal);
  assert.deepEqual(await readdir(join(allowed, 'left')), []);
});

test("what the system complains of is told in the system's words", async () => {
  const destination = new FileDestination([allowed]);
  await mkdir(join(allowed, 'a-folder.wav'));
  await assert.rejects(
    destination.put({ key: join(allowed, 'a-folder.wav'), contentType }, Buffer.from('x'), signal),
    { code: 'DESTINATION_REFUSED', message: /a-folder.wav: EISDIR: illegal operation on a directory/ },
  );
  await assert.rejects(
    destination.put({ key: join(allowed, 'x'.repeat(300)), contentType }, Buffer.from('x'), signal),
    { code: 'DESTINATION_REFUSED', message: /ENAMETOOLONG/ },
  );
  assert.deepEqual(
    (await readdir(allowed)).filter((name) => name.startsWith('.')),
    [],
  );
});

test('an id that is none of ours names no file', async () => {
  const destination = new FileDestination([allowed]);
  const upload = { key: join(allowed, 'x.wav'), contentType, uploadId: '../../etc/passwd' };
  await assert.rejects(destination.putPart(upload, 1, Buffer.from('x'), signal), {
    code: 'DESTINATION_UPLOAD_LOST',
  });
});
