import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { speech } from '../../src/testkit/speech.ts';
import { eventually } from '../e2e/eventually.ts';
import { packInto, run, runConsumer, writeConsumer } from '../package/pack.ts';
import { assertPrinted } from '../package/printed.ts';
import { plainWav } from './plain-wav.ts';

const oldestNode = `node-${process.platform}-${process.arch}@18.20.8`;
const saidSeconds = 5;
const settings = {
  CALLREEL_SIP_PORT: '0',
  CALLREEL_HTTP_PORT: '0',
  CALLREEL_RTP_PORTS: '0-0',
  CALLREEL_WORKERS: '1',
  CALLREEL_DRAIN_SECONDS: '0',
};

let dir: string;
let server: ChildProcess | undefined;

const npmInstall = (cwd: string, what: string) =>
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', what], { cwd });

before(async () => {
  dir = makeTemporaryDir();
  const tarball = await packInto(dir);
  writeConsumer(dir);
  await npmInstall(dir, tarball);
});

after(async () => {
  if (server && server.exitCode === null) {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
  rmSync(dir, { recursive: true, force: true });
});

const env = () => ({ PATH: process.env.PATH, ...settings });
const command = () => join(dir, 'node_modules', '.bin', 'callreel');

async function callreel(...args: string[]): Promise<string> {
  const { stdout } = await run(command(), args, { cwd: dir, env: env(), maxBuffer: 1 << 24 });
  return stdout;
}

/** Starts it in `dir`. @returns the port of SIP over UDP */
async function serve(): Promise<number> {
  server = spawn(command(), ['serve'], { cwd: dir, env: env(), stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: server.stdout! })) {
    const { sip } = JSON.parse(line) as { sip?: { transport: string; port: number }[] };
    const udp = sip?.find(({ transport }) => transport === 'udp');
    if (udp) return udp.port;
  }
  throw new Error('the server ended');
}

describe('the package, installed by npm elsewhere', () => {
  test('callreel/signalwire and callreel/sift compile and run, in this Node and in the oldest', async () => {
    assertPrinted(await runConsumer(dir));
    await npmInstall(dir, `oldest@npm:${oldestNode}`);
    assertPrinted(await runConsumer(dir, join(dir, 'node_modules', 'oldest', 'bin', 'node')));
  });

  test('the server takes a call, speaks, records it and makes its files', async () => {
    const files = `recording: { files: { directory: ${join(dir, 'files')}, format: mp3 } }\n`;
    writeFileSync(join(dir, 'callreel.yaml'), files);
    const routine = [
      { name: 'Say', text: 'Hello.' },
      { name: 'JoinConference', conference_name: 'room', do_record: true },
    ];
    writeFileSync(join(dir, 'routine.json'), JSON.stringify(routine));
    const port = await serve();
    await callreel('app', 'create', '--name', 'packed', '--routine', 'routine.json', '--number', '2000');
    const to = `sip:2000@127.0.0.1:${port}`;
    writeFileSync(join(dir, 'said.wav'), plainWav((await speech('english')).subarray(0, saidSeconds * 8000)));
    await callreel('call', '--from', 'said.wav', '--to', to, '--record', 'heard.wav');
    const recording = await eventually('the file', async () => {
      const [first] = JSON.parse(await callreel('recordings', 'list', '--json'));
      return first?.file?.state === 'written' ? first : undefined;
    });
    assert.ok(recording.duration_ms > 1000);
    assert.ok(existsSync(recording.file.path));
    for (const format of ['wav', 'mp3'])
      await callreel('recordings', 'get', recording.recording_id, '--format', format, '--out', `a.${format}`);
    assert.ok(readFileSync(join(dir, 'a.mp3')).equals(readFileSync(recording.file.path)));
  });
});
