import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { routine } from '../../src/sdk/sift.ts';
import { swml } from '../../src/sdk/signalwire.ts';
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

interface Recording {
  recording_id: string;
  duration_ms: number;
  file: { state: string; path: string } | null;
}

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
  test('callreel/signalwire, callreel/sinch and callreel/sift compile and run, in this Node and in the oldest', async () => {
    assertPrinted(await runConsumer(dir));
    await npmInstall(dir, `oldest@npm:${oldestNode}`);
    assertPrinted(await runConsumer(dir, join(dir, 'node_modules', 'oldest', 'bin', 'node')));
  });

  test('the server takes calls of both dialects, speaks, records them and makes their files', async () => {
    const files = `recording: { files: { directory: ${join(dir, 'files')}, format: mp3 } }\n`;
    writeFileSync(join(dir, 'callreel.yaml'), files);
    writeFileSync(join(dir, 'said.wav'), plainWav((await speech('english')).subarray(0, saidSeconds * 8000)));
    const port = await serve();
    const ask = routine().say('Hello.').joinConference({ conferenceName: 'room', doRecord: true });
    const answer = swml().answer().recordCall({ format: 'mp3' }).play('say:Hello.').sleep(-1);
    for (const [dialect, document, number] of [
      ['sift', ask, '2000'],
      ['signalwire', answer, '3000'],
    ] as const) {
      writeFileSync(join(dir, 'document.json'), JSON.stringify(document));
      const options = ['--dialect', dialect, '--document', 'document.json', '--number', number];
      await callreel('app', 'create', '--name', dialect, ...options);
      const to = `sip:${number}@127.0.0.1:${port}`;
      await callreel('call', '--from', 'said.wav', '--to', to, '--record', 'heard.wav');
    }
    const recordings: Recording[] = await eventually('the files', async () => {
      const listed = JSON.parse(await callreel('recordings', 'list', '--json')) as Recording[];
      return listed.every(({ file }) => file?.state === 'written') ? listed : undefined;
    });
    assert.equal(recordings.length, 2);
    for (const { recording_id, duration_ms, file } of recordings) {
      assert.ok(duration_ms > 1000);
      await callreel('recordings', 'get', recording_id, '--format', 'mp3', '--out', `${recording_id}.mp3`);
      assert.ok(readFileSync(join(dir, `${recording_id}.mp3`)).equals(readFileSync(file!.path)));
    }
  });
});
