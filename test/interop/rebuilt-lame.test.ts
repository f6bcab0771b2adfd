import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Mp3Encoder } from '../../src/container/mp3.ts';
import type { Mp3Shape } from '../../src/container/mp3-frame.ts';
import { defaultMp3BitRateKbps } from '../../src/container/mp3-frame.ts';
import { speech } from '../../src/testkit/speech.ts';
import { ensurePackages, ensureSource } from './debian.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

/** Bytes differ from one version of the compiler to the next; what they encode does not. */
const madeBy = 'Debian clang version 14.0.6';
const madeOn = 'wasi-libc 0.0~git20220510.9886d3d-2';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));
const wasm = 'wasm/lame/lame.wasm';

interface Encoders {
  Mp3Encoder: typeof Mp3Encoder;
}

let folder: TemporaryFolder;
before(async () => {
  await ensurePackages('clang', 'lld', 'wasi-libc', 'libclang-rt-dev-wasm32');
  folder = await temporaryFolder('lame');
});
after(() => folder.remove());

test('lame.wasm is what its script makes of the sources of LAME, and what is built anew takes its place', async (t) => {
  const built = folder.file(wasm);
  mkdirSync(dirname(built), { recursive: true });
  await run(`${repository}wasm/lame/build.sh`, [await ensureSource('lame'), built]);
  const [compiler, library] = await versions();
  const isSame = readFileSync(built).equals(readFileSync(`${repository}${wasm}`));
  t.diagnostic(`${compiler}, ${library}: ${isSame ? 'the same bytes' : 'other bytes'}`);
  if (compiler === madeBy && library === madeOn) assert.ok(isSame, 'the same compiler makes other bytes');

  cpSync(`${repository}src`, folder.file('src'), { recursive: true });
  const anew: Encoders = await import(folder.file('src/container/mp3.ts'));
  const kept: Encoders = await import('../../src/container/mp3.ts');
  assert.notEqual(anew.Mp3Encoder, kept.Mp3Encoder);
  const words = await speech('english');
  for (const rateHz of [8000, 16_000, 48_000] as const)
    for (const channels of [1, 2] as const) {
      const shape = { rateHz, channels, bitRateKbps: defaultMp3BitRateKbps(channels) };
      const file = encoded(kept, shape, words);
      assert.ok(file.length > 10_000);
      assert.ok(encoded(anew, shape, words).equals(file), `another MP3 of ${channels} at ${rateHz} Hz`);
    }
});

async function versions(): Promise<[compiler: string, library: string]> {
  const { stdout: compiler } = await run('clang', ['--version']);
  const { stdout: library } = await run('dpkg-query', ['-W', 'wasi-libc']);
  return [compiler.split('\n')[0]!, library.trim().replace('\t', ' ')];
}

/** With another voice on the other side, where there is one. */
function encoded({ Mp3Encoder }: Encoders, shape: Omit<Mp3Shape, 'samples'>, words: Int16Array): Buffer {
  const { channels = 1 } = shape;
  const signal = new Int16Array(words.length * channels);
  for (const [index, sample] of words.entries()) {
    signal[index * channels] = sample;
    if (channels === 2) signal[index * channels + 1] = words[words.length - 1 - index]!;
  }
  const encoder = new Mp3Encoder({ ...shape, samples: words.length });
  return Buffer.concat([encoder.head(), encoder.encode(signal), encoder.finish()]);
}
