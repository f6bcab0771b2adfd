import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensurePackages } from './debian.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

const madeBy = 'Debian clang version 14.0.6';
const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));

let folder: TemporaryFolder;
before(async () => {
  await ensurePackages('clang', 'lld');
  folder = await temporaryFolder('kernels');
});
after(() => folder.remove());

for (const name of ['quality', 'samples'])
  test(`${name}.wasm is what its script makes of its source`, async () => {
    const built = folder.file(`${name}.wasm`);
    await run(`${repository}wasm/${name}/build.sh`, [built]);
    const { stdout } = await run('clang', ['--version']);
    const anew = readFileSync(built);
    const { cos, sin, exp, log, log10 } = Math;
    const names = (bytes: Uint8Array<ArrayBuffer>) => {
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
        math: { cos, sin, exp, log, log10 },
      });
      return Object.keys(instance.exports);
    };
    const kept = readFileSync(`${repository}wasm/${name}/${name}.wasm`);
    assert.deepEqual(names(anew), names(kept));
    if (stdout.startsWith(madeBy)) assert.ok(anew.equals(kept), 'the same compiler makes other bytes');
  });
