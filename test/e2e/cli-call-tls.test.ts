import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { wavHeader } from '../../src/container/wav.ts';
import { makeTemporaryDir } from '../../src/database/temporary-database.ts';
import { tone } from '../../src/testkit/tone.ts';
import { CommandLine, type CommandResult } from './command-line.ts';
import { calledNumber, Scene } from './scene.ts';

/** `callreel call` over TLS, to a server with a certificate of its own making. */
const scene = await Scene.open({ settings: { CALLREEL_SIP_TRANSPORTS: 'udp,tls' } });
const dir = makeTemporaryDir();
after(async () => {
  await scene[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});

const callreel = new CommandLine(dir, { CALLREEL_DATA_DIR: scene.server.dataDir });
const samples = tone({ frequencyHz: 443, durationMs: 60 });
const header = wavHeader({ rateHz: 8000, channels: 1, dataBytes: samples.byteLength });
writeFileSync(join(dir, 'said.wav'), Buffer.concat([header, new Uint8Array(samples.buffer)]));
const caller = '+15550001235';
scene.audience.routineFor(caller, [scene.join('over tls')]);

function call(...options: string[]): Promise<CommandResult> {
  const to = scene.server.sipUri(calledNumber, 'tls');
  return callreel.run('call', '--from', 'said.wav', '--to', to, '--as', caller, ...options);
}

test('a peer that nobody vouches for is not called, and the error says why and what to do', async () => {
  const { code, stdout, stderr } = await call();
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(
    stderr,
    /^callreel: SIP_CERTIFICATE_UNTRUSTED: the certificate of 127\.0\.0\.1 proves nothing: DEPTH_ZERO_SELF_SIGNED_CERT\n/,
  );
  assert.match(stderr, /--ca FILE/);
  assert.deepEqual(scene.app.requests('/incoming'), []);
});

test('with its authority, or with --insecure, it is', async () => {
  for (const options of [['--ca', join(scene.server.dataDir, 'sip-tls.pem')], ['--insecure']]) {
    const { code, stdout, stderr } = await call(...options);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^answered, /);
  }
});

test('an authority that is not there', async () => {
  const { code, stderr } = await call('--ca', 'none.pem');
  assert.deepEqual([code, /^callreel: FILE_UNUSABLE: none\.pem cannot be read/.test(stderr)], [1, true]);
});
