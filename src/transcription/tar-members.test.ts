import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readTarball } from './tar-members.ts';

const folder = mkdtempSync(join(tmpdir(), 'callreel-tar-'));
after(() => rmSync(folder, { recursive: true }));
const sizes = [0, 1, 511, 512, 513, 300_000];
const long = `package/${'deep/'.repeat(25)}file`;

function makeTarball(): string {
  const root = join(folder, 'package', 'deep/'.repeat(25));
  mkdirSync(root, { recursive: true });
  for (const size of sizes) writeFileSync(join(folder, 'package', `f${size}`), randomBytes(size));
  writeFileSync(join(folder, long), 'at the end of a long path');
  const file = join(folder, 'made.tgz');
  execFileSync('tar', ['--format=ustar', '-czf', file, '-C', folder, 'package']);
  return file;
}

async function membersOf(file: string): Promise<Map<string, string>> {
  const members = new Map<string, string>();
  await readTarball(file, {
    open: ({ name }) => {
      const hash = createHash('sha256');
      members.set(name, hash.copy().digest('hex'));
      return async (part) => {
        hash.update(part);
        members.set(name, hash.copy().digest('hex'));
      };
    },
  });
  return members;
}

describe('A tarball', () => {
  const tarball = makeTarball();

  test('gives its files, of any size and with any path', async () => {
    const members = await membersOf(tarball);
    const names = [...sizes.map((size) => `package/f${size}`), long];
    assert.deepEqual([...members.keys()].sort(), names.sort());
    for (const [name, hash] of members)
      assert.equal(
        hash,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
        name,
      );
  });

  test('that ends too early, is damaged, or is none, is refused', async () => {
    const bytes = readFileSync(tarball);
    const broken = join(folder, 'broken.tgz');
    for (const damaged of [
      bytes.subarray(0, bytes.length / 2),
      Buffer.from('not gzip'),
      gzipSync(randomBytes(4096)),
      gzipSync(Buffer.alloc(1000, 'x')),
    ]) {
      writeFileSync(broken, damaged);
      await assert.rejects(membersOf(broken));
    }
  });
});
