import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TestSpool } from '../spool/test-spool.ts';
import type { RecordedChannel } from '../transcription/transcribe-recording.ts';
import { RenderPool } from '../worker/render-pool.ts';
import { recordedParties } from './recorded-parties.ts';
import { writeTestRecording } from './test-recording.ts';

const spool = new TestSpool();
const { spoolDirectory: spoolDir, masterKey } = spool;
const renders = new RenderPool({ threads: 1, spoolDir, masterKey });
after(async () => {
  await renders.close();
  spool.remove();
});

const partiesOf = (recordingId: string) =>
  recordedParties({ conversationId: 'room', recordingId }, { spoolDir, masterKey, renders });

async function samplesOf({ audio }: RecordedChannel): Promise<Int16Array> {
  const chunks = await Array.fromAsync(audio.chunks);
  return Int16Array.from(chunks.flatMap((chunk) => [...chunk]));
}

/** In blocks of 20 ms: whether something is heard in each. */
function heardBlocks(samples: Int16Array): string {
  const blocks = Array.from({ length: samples.length / 160 }, (_, k) =>
    samples.subarray(160 * k, 160 * k + 160),
  );
  return blocks.map((block) => (block.some((sample) => Math.abs(sample) > 1000) ? 'x' : '.')).join('');
}

test('each party by itself, in all its stays, as long as the file; what a pause left out is not there', async () => {
  writeTestRecording(spool, {
    ...{ recordingId: 'rec', conversationId: 'room', endSample: 3200, pauses: [[800, 1600]] },
    stays: [
      { trackId: 'a1', connectionId: 'a', fromSample: 0, toSample: 640 },
      { trackId: 'b1', connectionId: 'b', fromSample: 320, toSample: 3200 },
      { trackId: 'a2', connectionId: 'a', fromSample: 2400, toSample: 3200 },
    ],
  });
  const { rateHz, channels, marks } = await partiesOf('rec');
  assert.equal(rateHz, 8000);
  assert.deepEqual(marks, [{ kind: 'pause', fromSample: 800, toSample: 800 }]);
  assert.deepEqual(
    channels.map(({ id, startSample, audio }) => [id, startSample, audio.rateHz]),
    [
      ['a1', 0, 8000],
      ['b1', 0, 8000],
    ],
  );
  const heard = await Promise.all(channels.map(async (channel) => heardBlocks(await samplesOf(channel))));
  assert.deepEqual(heard, ['xxxx......xxxxx', '..xxxxxxxxxxxxx']);
});

test('of a call by itself what is said and what is heard are two', async () => {
  writeTestRecording(spool, {
    ...{ recordingId: 'call', conversationId: 'room', endSample: 480 },
    stays: [
      { trackId: 'said', connectionId: 'a', fromSample: 0, toSample: 160, side: 'said' },
      { trackId: 'heard', connectionId: 'a', fromSample: 160, toSample: 480, side: 'heard' },
    ],
  });
  const { channels } = await partiesOf('call');
  const heard = await Promise.all(channels.map(async (channel) => heardBlocks(await samplesOf(channel))));
  assert.deepEqual(heard, ['x..', '.xx']);
});

test('not what goes on, and not what is not there', async () => {
  const stays = [{ trackId: 't', connectionId: 'a', fromSample: 0, toSample: 160 }];
  writeTestRecording(spool, { recordingId: 'running', conversationId: 'room', stays });
  const [running] = (await partiesOf('running')).channels;
  await assert.rejects(samplesOf(running!), { code: 'CONFLICT' });
  await assert.rejects(partiesOf('unknown'), { code: 'NOT_FOUND' });
});
