import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { CommandLine, commandFile } from './command-line.ts';
import { eventually } from './eventually.ts';

const settings = {
  CALLREEL_SIP_PORT: '0',
  CALLREEL_HTTP_PORT: '0',
  CALLREEL_RTP_PORTS: '0-0',
  CALLREEL_WORKERS: '1',
  CALLREEL_DRAIN_SECONDS: '0',
};

let dir: string;

before(() => {
  dir = makeTemporaryDir();
  writeFileSync(
    join(dir, 'callreel.yaml'),
    'numbers:\n  - number: "1000"\n    onIncoming: http://127.0.0.1:9/\n',
  );
});

after(() => rmSync(dir, { recursive: true, force: true }));

function serve(): ChildProcess {
  return spawn(process.execPath, [commandFile, 'serve'], {
    cwd: dir,
    env: { PATH: process.env.PATH, ...settings },
    stdio: 'ignore',
  });
}

describe('callreel serve', () => {
  test('starts where it stands, is found by the other commands, and ends by a signal', async (t) => {
    const server = serve();
    // Where something fails it would keep the whole run from ending.
    t.after(() => server.kill('SIGKILL'));
    const exit = once(server, 'exit');
    const address = join(dir, '.callreel', 'http-address');
    await eventually('the server', async () => existsSync(address) || undefined, 30_000);
    const callreel = new CommandLine(dir, settings);
    const { stdout, stderr, code } = await callreel.run('number', 'list');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^1000 /m);
    server.kill('SIGTERM');
    assert.deepEqual(await exit, [0, null]);
    assert.equal(existsSync(address), false);
    const gone = await callreel.run('number', 'list');
    assert.match(gone.stderr, /^callreel: SERVER_UNREACHABLE/);
  });

  test('--print-config shows every setting and no secret', async () => {
    const callreel = new CommandLine(dir, { ...settings, CALLREEL_AUTH_TOKEN: 'very-s3cret' });
    const { code, stdout } = await callreel.run('serve', '--print-config');
    assert.equal(code, 0);
    assert.match(stdout, /^authToken: "?\[redacted\]"?$/m);
    assert.match(stdout, /^ {2}port: 0$/m);
    assert.doesNotMatch(stdout, /s3cret/);
  });

  test('what keeps it from starting is said in one piece', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = String((taken.address() as AddressInfo).port);
    const { code, stderr } = await new CommandLine(dir, { ...settings, CALLREEL_SIP_PORT: port }).run(
      'serve',
    );
    taken.close();
    assert.equal(code, 1);
    assert.match(stderr, /^callreel: PORT_TAKEN: /m);
    assert.doesNotMatch(stderr, /^ +at /m);
    const file = readFileSync(join(dir, 'callreel.yaml'), 'utf8');
    writeFileSync(join(dir, 'callreel.yaml'), `${file}nonsense: 1\n`);
    const wrong = await new CommandLine(dir, settings).run('serve');
    assert.match(
      wrong.stderr,
      /^callreel: CONFIG_INVALID: callreel.yaml:4: nonsense: unknown setting\n {2}what/,
    );
  });
});
