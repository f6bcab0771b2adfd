import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, promisify } from 'node:util';
import type { SampleKernel } from '../../src/codec/sample-kernel.ts';
import type { Kernel } from '../../src/quality/kernel.ts';
import { ensurePackages } from './debian.ts';
import { type Outputs, qualityOutputs, sampleOutputs, testSignals } from './kernel-outputs.ts';
import { type TemporaryFolder, temporaryFolder } from './temporary-folder.ts';

/** Bytes differ from one version of the compiler to the next; what they reckon does not, to the last bit. */
const madeBy = 'Debian clang version 14.0.6';
const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));

let folder: TemporaryFolder;
before(async () => {
  await ensurePackages('clang', 'lld');
  folder = await temporaryFolder('kernels');
  cpSync(`${repository}src`, folder.file('src'), { recursive: true });
});
after(() => folder.remove());

/** To where the copy of our modules looks for it. */
async function rebuild(name: string, t: TestContext): Promise<void> {
  const path = `wasm/${name}/${name}.wasm`;
  mkdirSync(folder.file(`wasm/${name}`), { recursive: true });
  await run(`${repository}wasm/${name}/build.sh`, [folder.file(path)]);
  const anew = readFileSync(folder.file(path));
  const kept = readFileSync(`${repository}${path}`);
  const isSame = anew.equals(kept);
  const { stdout } = await run('clang', ['--version']);
  t.diagnostic(`${stdout.split('\n')[0]}: ${isSame ? 'the same bytes' : 'other bytes'}`);
  if (stdout.startsWith(madeBy)) assert.ok(isSame, 'the same compiler makes other bytes');
  assert.deepEqual(exportsOf(anew), exportsOf(kept));
}

function exportsOf(bytes: Uint8Array<ArrayBuffer>): string[] {
  const { cos, sin, exp, log, log10 } = Math;
  const module = new WebAssembly.Module(bytes);
  return Object.keys(new WebAssembly.Instance(module, { math: { cos, sin, exp, log, log10 } }).exports);
}

test('samples.wasm is what its script makes of its source, and decodes and puts together the same', async (t) => {
  await rebuild('samples', t);
  const path = 'src/codec/sample-kernel.ts';
  const anew: { SampleKernel: typeof SampleKernel } = await import(folder.file(path));
  const kept: { SampleKernel: typeof SampleKernel } = await import(`../../${path}`);
  assert.notEqual(anew.SampleKernel, kept.SampleKernel);
  assertSame(sampleOutputs(new anew.SampleKernel()), sampleOutputs(new kept.SampleKernel()), 'samples');
});

test('quality.wasm is what its script makes of its source, and reckons the same of speech, noise and silence', async (t) => {
  await rebuild('quality', t);
  const path = 'src/quality/kernel.ts';
  const anew: { Kernel: typeof Kernel } = await import(folder.file(path));
  const kept: { Kernel: typeof Kernel } = await import(`../../${path}`);
  assert.notEqual(anew.Kernel, kept.Kernel);
  const [first, second] = [new anew.Kernel(), new kept.Kernel()];
  const untried = watchCalls(first);
  for (const [name, signal] of Object.entries(await testSignals()))
    assertSame(qualityOutputs(first, signal), qualityOutputs(second, signal), name);
  assert.deepEqual([...untried], []);
});

function assertSame(anew: Outputs, kept: Outputs, of: string): void {
  assert.deepEqual(Object.keys(anew), Object.keys(kept));
  for (const [name, values] of Object.entries(kept))
    assert.ok(isDeepStrictEqual(anew[name], values), `${of}, ${name}: other numbers`);
  if (of === 'words')
    for (const [name, values] of Object.entries(kept))
      assert.ok(Array.from(values).some(Boolean), `${name}: nothing was reckoned`);
}

/** @returns the names of what takes arguments and was not called yet */
function watchCalls(kernel: Kernel): Set<string> {
  const verbs = Object.entries(kernel.run).filter(
    ([, verb]) => typeof verb === 'function' && verb.length > 0,
  );
  const untried = new Set(verbs.map(([name]) => name));
  const get = (run: object, name: string) => {
    untried.delete(name);
    return Reflect.get(run, name);
  };
  Object.assign(kernel, { run: new Proxy(kernel.run, { get }) });
  return untried;
}
