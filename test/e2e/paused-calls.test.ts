import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { exportSpool } from '../../src/spool/export.ts';
import { loadMasterKey } from '../../src/spool/keys.ts';
import { conversationDirectoryOf, manifestSuffix, spoolDirectoryOf } from '../../src/spool/layout.ts';
import type { SpoolRecording } from '../../src/spool/reader.ts';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import { assertExactRun, findPayloadRun } from '../../src/testkit/sample-run.ts';
import { ServerProcess } from '../../src/testkit/server-process.ts';
import { eventually } from './eventually.ts';
import { HttpClient } from './http-client.ts';
import {
  clientOf,
  download,
  PausedConversation,
  type PausedConversationOptions,
  patternsIn,
  pausedMs,
  speak,
} from './paused-conversation.ts';
import { Audience, calledNumber, Scene } from './scene.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';
import { unsealSpool } from './unseal.ts';

const scratchDirs: string[] = [];
after(() => {
  for (const dir of scratchDirs) rmSync(dir, { recursive: true, force: true });
});

function makeScratch(): string {
  const dir = mkdtempSync(join(tmpdir(), 'callreel-unsealed-'));
  scratchDirs.push(dir);
  return dir;
}

function spooled(dataDir: string, roomId: string, recordingId: string): SpoolRecording {
  const directory = conversationDirectoryOf(spoolDirectoryOf(dataDir), roomId);
  return exportSpool(join(directory, `${recordingId}${manifestSuffix}`), loadMasterKey(dataDir)).recording;
}

/** What was said in the pause lies nowhere; what was said before it and behind it does, where it is opened. */
async function assertNothingKept(
  conversation: PausedConversation,
  dataDir: string,
  scratch: string,
): Promise<void> {
  const secrets = conversation.secrets();
  assert.equal(await patternsIn(dataDir, secrets), 0, 'as it lies there');
  const { unopened, segments } = unsealSpool(dataDir, scratch);
  assert.deepEqual(unopened, []);
  assert.ok(segments > 0);
  assert.equal(await patternsIn(scratch, secrets), 0, 'opened with every key');
  const { wire } = conversation.controls();
  assert.equal(await patternsIn(scratch, wire), wire.length, 'the control');
}

/** Speech, a pause with speech in it, speech. */
async function pausedOnce(
  options: PausedConversationOptions,
  behaviour: 'skip' | 'silence',
  dataDir: string,
): Promise<PausedConversation> {
  const conversation = await PausedConversation.begin(options);
  await speak(1500);
  await conversation.pause(behaviour);
  await speak(pausedMs);
  assert.equal(await patternsIn(dataDir, conversation.secrets()), 0, 'while it is paused');
  await conversation.resume();
  await speak(1500);
  await conversation.stop();
  await Promise.all([conversation.ann.hangUp(), conversation.bob.hangUp()]);
  return conversation;
}

suite('calls that are paused', { concurrency: 2 }, () => {
  for (const behaviour of ['skip', 'silence'] as const)
    test(`${behaviour}: the span is at the same samples in every file, and nowhere in the data directory`, async () => {
      await using scene = await Scene.open();
      const { dataDir } = scene.server;
      const http = new HttpClient(scene.server.callreel);
      const { audience } = scene;
      const options = { audience, http, sipUri: scene.server.sipUri(calledNumber), name: behaviour };
      const conversation = await pausedOnce(options, behaviour, dataDir);
      const scratch = makeScratch();
      const { call, conference } = conversation.recordingIds;
      for (const recordingId of [call, conference]) {
        const { conversation_id: roomId } = await conversation.ended(recordingId);
        const recording = spooled(dataDir, roomId, recordingId);
        const files = [];
        for (const channels of ['mono', 'stereo', 'all', 'left', 'right'])
          files.push(...(await download(http, recordingId, channels, scratch)));
        assert.equal(files.length, 1 + 2 + 2 + 1 + 1);
        const [mono, stereoLeft, stereoRight, , , left, right] = files;
        assert.deepEqual([left, right], [stereoLeft, stereoRight]);
        assert.equal(mono!.length, left!.length);
        for (const [index, samples] of files.entries())
          assertPaused(
            samples,
            recording,
            behaviour,
            `${recordingId === call ? 'call' : 'conference'} ${index}`,
          );
      }
      const [annSaid] = await download(http, call, 'left', scratch);
      assertSpoken(
        annSaid!,
        conversation,
        behaviour,
        spooled(dataDir, (await conversation.ended()).conversation_id, call),
      );
      await assertNothingKept(conversation, dataDir, scratch);
      const { pcm } = conversation.controls();
      assert.equal(await patternsIn(scratch, pcm), pcm.length, 'the control as PCM');
      assert.deepEqual(
        conversation.statusEvents().map(({ state }) => state),
        ['recording', 'paused', 'recording', 'finished'],
      );
    });

  test('the media worker is killed in a pause: nothing of it is kept, one terminal event', async () => {
    await using scene = await Scene.open();
    const { callreel, dataDir } = scene.server;
    const http = new HttpClient(callreel);
    const options = {
      audience: scene.audience,
      http,
      sipUri: scene.server.sipUri(calledNumber),
      name: 'worker',
    };
    const conversation = await PausedConversation.begin(options);
    await speak(1500);
    await conversation.pause('silence');
    await speak(pausedMs);
    assert.equal(await patternsIn(dataDir, conversation.secrets()), 0);
    process.kill(callreel.media.workers[0]!.pid, 'SIGKILL');
    await Promise.all([conversation.ann.ended, conversation.bob.ended]);
    assert.equal((await conversation.ended()).reason, 'interrupted');
    assert.equal((await conversation.ended(conversation.recordingIds.conference)).reason, 'interrupted');
    const scratch = makeScratch();
    for (const recordingId of Object.values(conversation.recordingIds))
      await download(http, recordingId, 'all', scratch);
    await assertNothingKept(conversation, dataDir, scratch);
    await eventually('the terminal event', () => conversation.terminalEvents()[0]);
    await speak(300);
    assert.deepEqual(
      conversation.terminalEvents().map(({ state, reason }) => [state, reason]),
      [['error', 'interrupted']],
    );
  });

  test('server and worker are killed in a pause: nothing of it is kept; the next start tells every end once', async () => {
    using folder = new TemporaryDataDir();
    const dataDir = folder.path;
    await using audience = await Audience.create();
    await using first = await startServer(dataDir, audience);
    const options = { audience, http: clientOf(first), sipUri: first.sipUri(calledNumber), name: 'server' };
    const conversation = await PausedConversation.begin(options);
    const wanted = { status_url: audience.app.url('/status'), client_state: 'second' };
    const { body } = await clientOf(first).json<{ recording_id: string }>(
      'POST',
      `/v1/connections/${conversation.annConnectionId}/recordings`,
      wanted,
    );
    const second = body.recording_id;
    await speak(1500);
    await conversation.pause('skip');
    await speak(pausedMs);
    assert.equal(await patternsIn(dataDir, conversation.secrets()), 0);
    for (const pid of first.workerPids) process.kill(pid, 'SIGKILL');
    first.signal('SIGKILL');
    await first.exited;
    const hungUp = audience.hangUp();
    await assertNothingKept(conversation, dataDir, makeScratch());

    await using server = await startServer(dataDir, audience);
    const http = clientOf(server);
    const scratch = makeScratch();
    const { call, conference } = conversation.recordingIds;
    for (const recordingId of [call, second, conference]) {
      const row = await http.get<{ state: string; reason: string }>(`/v1/recordings/${recordingId}`);
      assert.deepEqual([row.body.state, row.body.reason], ['ended', 'interrupted']);
      await download(http, recordingId, 'all', scratch);
    }
    await assertNothingKept(conversation, dataDir, scratch);
    for (const recordingId of [call, second])
      await eventually('the terminal event', () => conversation.terminalEvents(recordingId)[0]);
    server.signal('SIGTERM');
    await server.exited;
    for (const recordingId of [call, second])
      assert.deepEqual(
        conversation.terminalEvents(recordingId).map(({ state, reason }) => [state, reason]),
        [['error', 'interrupted']],
      );
    assert.doesNotMatch(JSON.stringify([first.log, server.log]), /digit/i);
    await hungUp;
  });
});

function startServer(dataDir: string, { numbers }: Audience): Promise<ServerProcess> {
  return ServerProcess.start({ dataDir, numbers, settings: { CALLREEL_DRAIN_SECONDS: '0' } });
}

/** The span of the manifest's only pause, in samples of the file. */
function pauseOf({ pauses, startSample }: SpoolRecording): { from: number; to: number } {
  assert.equal(pauses.length, 1);
  const { fromSample: from, toSample: to } = pauses[0]!;
  assert.ok(to !== undefined);
  return { from: from - startSample, to: to - startSample };
}

/** There is sound before the pause and behind it; the span is silent, or not there. */
function assertPaused(
  samples: Int16Array,
  recording: SpoolRecording,
  behaviour: 'skip' | 'silence',
  label: string,
): void {
  const { header, end, startSample } = recording;
  const { from, to } = pauseOf(recording);
  const ms = header.rateHz / 1000;
  assert.ok(to - from > (pausedMs - 100) * ms, `${label}: ${(to - from) / ms} ms`);
  const whole = end!.atSample - startSample;
  const length = behaviour === 'skip' ? whole - (to - from) : whole;
  assert.ok(
    Math.abs(samples.length - length) <= 20 * ms,
    `${label}: ${samples.length} samples, not ${length}`,
  );
  const isSilent = (a: number, b: number) => samples.subarray(a, b).every((sample) => Math.abs(sample) < 8);
  assert.ok(!isSilent(0, from), `${label}: sound before the pause`);
  assert.ok(!isSilent(behaviour === 'skip' ? from : to, samples.length), `${label}: sound behind the pause`);
  if (behaviour === 'silence')
    assert.ok(
      samples.subarray(from, to).every((sample) => sample === 0),
      `${label}: the span is silent`,
    );
}

/** What Ann said stands in the file bit for bit, before the pause and behind it, as far apart as it was said. */
function assertSpoken(
  samples: Int16Array,
  { annSpoke }: PausedConversation,
  behaviour: 'skip' | 'silence',
  recording: SpoolRecording,
): void {
  const { from, to } = pauseOf(recording);
  const before = lineCodecs.PCMU.decode(Buffer.concat(annSpoke.before.slice(-20)));
  const behind = lineCodecs.PCMU.decode(Buffer.concat(annSpoke.after.slice(0, 20)));
  const beforeAt = assertExactRun(samples, before);
  const behindAt = assertExactRun(samples, behind);
  assert.ok(beforeAt + before.length <= from);
  assert.ok(behindAt >= (behaviour === 'skip' ? from : to));
  assert.equal(findPayloadRun(samples.subarray(from), before), -1);
}
