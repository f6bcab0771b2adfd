import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { LocalSpeechToText } from '../../src/transcription/local-speech-to-text.ts';
import { eventually } from './eventually.ts';
import { SinchStage } from './sinch-stage.ts';
import { speak } from './verb-stage.ts';

/** An engine whose process is killed while it recognises, or whose model cannot be read: only transcripts feel it. */
const behaviours = ['die', 'loudness', 'unusable'];
const engine = new LocalSpeechToText({
  ...{ name: 'model-directory', model: 'test', languages: new Set(['en', 'fr']) },
  prepare: async () => ({ detectorFile: behaviours.shift() ?? 'unusable' }),
  engine: {
    ...{ clock: systemClock, memoryLimitMb: 1536, niceness: 0 },
    ...{ startTimeoutMs: 120_000, requestTimeoutMs: 120_000, idleMs: 60_000 },
    script: new URL('../../src/transcription/test-engine-process.ts', import.meta.url),
  },
});
const stage = await SinchStage.open({
  settings: { CALLREEL_SINCH_DEFAULT_DESTINATION: 'sdrive://' },
  speechToText: engine,
});
after(() => stage[Symbol.asyncDispose]());

test('a killed engine: tried again by a new one', async () => {
  const callId = await recorded();
  const { state, error, engine: model } = await transcriptOf(callId);
  assert.deepEqual([state, error, model], ['done', null, 'model-directory test']);
  await stage.told(callId, 'notify', 'recording_available');
  assert.deepEqual(behaviours, ['unusable']);
});

test('a broken model: no transcript, with the reason; the recording is whole', async () => {
  const callId = await recorded('fr-FR');
  const warning = await stage.told(callId, 'notify', 'callingwarning');
  assert.match(String(warning.errorMsg), /no such model/);
  assert.equal((await transcriptOf(callId)).error?.code, 'TRANSCRIPTION_MODEL_BROKEN');
  await stage.told(callId, 'notify', 'recording_available');
});

async function recorded(locale = 'en-US'): Promise<string> {
  const recordingOptions = { transcriptionOptions: { enabled: true, locale } };
  const call = await stage.call({
    ice: { instructions: [{ name: 'startRecording', recordingOptions }], action: { name: 'park' } },
  });
  await speak(call, 8000, 91);
  const callId = await stage.callIdOf(call);
  await call.hangUp();
  return callId;
}

interface TranscriptBody {
  state: string;
  engine: string | null;
  error: { code: string } | null;
}

async function transcriptOf(callId: string): Promise<TranscriptBody> {
  return await eventually(`the transcript of ${callId}`, async () => {
    const [recording] = await stage.recordings(({ connection_id }) => connection_id === callId);
    if (!recording) return undefined;
    const path = `/v1/recordings/${recording.recording_id}/transcript`;
    const { body } = await stage.http.get<TranscriptBody>(path);
    return body.state === 'done' || body.state === 'dead' ? body : undefined;
  });
}
