import assert from 'node:assert/strict';
import { existsSync, globSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { packInto, root, run, runConsumer, writeConsumer } from '../package/pack.ts';
import { assertPrinted } from '../package/printed.ts';

let dir: string;
let installed: string;

/** As npm would, without a network: `test/interop/package.test.ts` has npm do it. */
before(async () => {
  dir = makeTemporaryDir();
  installed = join(dir, 'node_modules', 'callreel');
  mkdirSync(installed, { recursive: true });
  const tarball = await packInto(dir);
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  writeConsumer(dir);
});

after(() => rmSync(dir, { recursive: true, force: true }));

describe('the packed package, unpacked elsewhere', () => {
  test('has no sources, tests or declarations of the server', () => {
    assert.equal(existsSync(join(installed, 'src')), false);
    const files = globSync('**/*', { cwd: installed });
    assert.deepEqual(
      files.filter((file) => /(?<!\.d)\.ts$|\.test\./.test(file) || /^dist\/(?!sdk\/).*\.d\.ts$/.test(file)),
      [],
    );
    assert.ok(files.includes('wasm/opus/opus.wasm'));
  });

  test('callreel/signalwire, callreel/sinch and callreel/sift compile and run with nothing else installed', async () => {
    assert.deepEqual(readdirSync(join(dir, 'node_modules')), ['callreel']);
    assertPrinted(await runConsumer(dir));
  });

  test('the command runs beside its dependencies', async () => {
    const modules = join(root, 'node_modules');
    for (const name of readdirSync(modules))
      if (!name.startsWith('.')) symlinkSync(join(modules, name), join(dir, 'node_modules', name));
    writeFileSync(join(dir, 'routine.json'), '[{"name": "HangUp"}]');
    const command = join(installed, 'bin', 'callreel');
    const { stdout } = await run(process.execPath, [command, 'script', 'check', 'routine.json'], {
      cwd: dir,
    });
    assert.match(stdout, /routine\.json/);
  });
});
