import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { LocalSpeechToText } from '../../src/transcription/local-speech-to-text.ts';
import { assertOnlyRun } from './channel-audio.ts';
import { drivenDeliveryTime } from './driven-delivery-time.ts';
import { eventually } from './eventually.ts';
import { SinchStage } from './sinch-stage.ts';
import { speak } from './verb-stage.ts';

/**
 * An engine whose process is killed while it recognises, has no memory, or whose model cannot be read: only transcripts
 * feel it.
 */
const behaviours = ['die', 'exhaust', 'loudness', 'unusable'];
const engine = new LocalSpeechToText({
  ...{ name: 'model-directory', model: 'test', languages: new Set(['en', 'fr']) },
  prepare: async () => ({ detectorFile: behaviours.shift() ?? 'none is left' }),
  engine: {
    ...{ clock: systemClock, memoryLimitMb: 1024, niceness: 0 },
    ...{ startTimeoutMs: 120_000, requestTimeoutMs: 120_000, idleMs: 60_000 },
    script: new URL('../../src/transcription/test-engine-process.ts', import.meta.url),
  },
});
const time = drivenDeliveryTime();
const stage = await SinchStage.open({
  deliveryTime: time,
  settings: { CALLREEL_SINCH_DEFAULT_DESTINATION: 'sdrive://' },
  speechToText: engine,
});
after(() => stage[Symbol.asyncDispose]());

test('killed, without memory, with a broken model: tried again or told why; no recording is touched by it', async () => {
  const beside = await recordedCall();
  let isOver = false;
  const speaking = (async () => {
    for (let seed = 100; !isOver; seed++) await speak(beside.call, 4000, seed);
  })();
  const first = await recordedCall();
  await speak(first.call, 8000, 91);
  await first.call.hangUp();
  for (const [reason, delaySeconds] of [
    [/^the speech engine: it ended with SIGKILL/, 5],
    [/^the speech engine: it ended with status 1: .*allocation failed/, 15],
  ] as const) {
    const { error } = await transcriptOf(first.callId, 'failing', reason);
    assert.equal(error?.code, 'TRANSCRIPTION_ENGINE_LOST');
    await time.forward(delaySeconds);
  }
  const { error, engine: model } = await transcriptOf(first.callId, 'done');
  assert.deepEqual([error, model], [null, 'model-directory test']);
  const broken = await recordedCall('fr-FR');
  await speak(broken.call, 8000, 92);
  await broken.call.hangUp();
  const warning = await stage.told(broken.callId, 'notify', 'callingwarning');
  assert.match(String(warning.errorMsg), /no such model/);
  const dead = await transcriptOf(broken.callId, 'dead', /no such model/);
  assert.equal(dead.error?.code, 'TRANSCRIPTION_MODEL_BROKEN');
  assert.deepEqual(behaviours, []);
  isOver = true;
  await speaking;
  await beside.call.hangUp();
  for (const { call, callId } of [first, broken, beside]) {
    await stage.told(callId, 'notify', 'recording_available');
    const [samples] = await stage.recordingOf(callId);
    assertOnlyRun(samples!, call.sent(), callId);
  }
});

/** The row is there before the media worker has begun to record. */
const recorderStartMs = 500;

interface RecordedCall {
  call: PhoneCall;
  callId: string;
}

/** One that is recorded from here on, with a transcript to come. */
async function recordedCall(locale = 'en-US'): Promise<RecordedCall> {
  const recordingOptions = { format: 'wav', transcriptionOptions: { enabled: true, locale } };
  const call = await stage.call({
    ice: { instructions: [{ name: 'startRecording', recordingOptions }], action: { name: 'park' } },
  });
  const callId = await stage.callIdOf(call);
  await eventually(`the recording of ${callId}`, async () => (await recordingsOf(callId))[0]);
  await wait(recorderStartMs);
  return { call, callId };
}

const recordingsOf = (callId: string) => stage.recordings(({ connection_id }) => connection_id === callId);

interface TranscriptBody {
  state: string;
  engine: string | null;
  error: { code: string; message: string } | null;
}

/** Once it is in that state, for that reason. */
async function transcriptOf(callId: string, state: string, reason = /^$/): Promise<TranscriptBody> {
  const [recording] = await recordingsOf(callId);
  const path = `/v1/recordings/${recording!.recording_id}/transcript`;
  let last: TranscriptBody | undefined;
  try {
    return await eventually(`the transcript of ${callId}`, async () => {
      last = (await stage.http.get<TranscriptBody>(path)).body;
      return last.state === state && reason.test(last.error?.message ?? '') ? last : undefined;
    });
  } catch (error) {
    throw new Error(`it is ${JSON.stringify(last)}`, { cause: error });
  }
}
