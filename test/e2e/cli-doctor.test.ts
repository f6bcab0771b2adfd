import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { CommandLine } from './command-line.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open();
const dir = makeTemporaryDir();
const callreel = new CommandLine(dir, { CALLREEL_DATA_DIR: scene.server.dataDir });

after(async () => {
  await scene[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

describe('doctor', () => {
  interface Finding {
    what: string;
    result: string;
    detail: string;
    todo?: string;
  }

  test('beside a running server nothing is wrong', async () => {
    const findings = await callreel.json<Finding[]>('doctor');
    const failures = findings.filter(({ result }) => result === 'failure');
    assert.deepEqual(failures, []);
    assert.match(findings.find(({ what }) => what === 'ports')!.detail, /in use by the server/);
  });

  test('what is wrong is named, with what to do', async () => {
    const { sip, publicUrl } = scene.server.callreel;
    const dataDir = join(dir, 'sick');
    mkdirSync(join(dataDir, 'keys'), { recursive: true });
    writeFileSync(join(dataDir, 'keys', 'master.key'), 'short');
    const sick = new CommandLine(dir, {
      CALLREEL_DATA_DIR: dataDir,
      CALLREEL_HTTP_PORT: new URL(publicUrl).port,
      CALLREEL_SIP_PORT: String(sip.find(({ transport }) => transport === 'udp')!.port),
      CALLREEL_SIP_TRANSPORTS: 'udp',
      CALLREEL_RTP_PORTS: '0-0',
    });
    const { code, stdout } = await sick.run('doctor');
    assert.equal(code, 1);
    for (const said of [
      /^FAIL {2}master key: .* is 5 bytes instead of 32\n +Restore/m,
      /^FAIL {2}SIP port \d+\/udp: cannot be opened on 127.0.0.1: EADDRINUSE\n +Stop .*`sip.port`/m,
      /^FAIL {2}HTTP port \d+: .*EADDRINUSE/m,
      /^ok {4}Node: /m,
    ])
      assert.match(stdout, said);
    const unreadable = await new CommandLine(dir, { CALLREEL_NONSENSE: '1' }).run('doctor');
    assert.equal(unreadable.code, 1);
    assert.match(unreadable.stdout, /^FAIL {2}configuration: CALLREEL_NONSENSE: unknown setting/m);
  });
});
