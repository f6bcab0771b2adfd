import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { tone } from '../../src/testkit/tone.ts';
import { likeSpeaches, startServer } from '../../src/transcription/test-transcription-server.ts';
import { testSpeechToText } from '../../src/transcripts/test-speech-to-text.ts';
import { eventually } from './eventually.ts';
import {
  annHz,
  bobHz,
  type Party,
  promptHz,
  RecorderStage,
  type RecordingBody,
  rateHz,
  secretHz,
  wavChannels,
  whoIsIn,
} from './recorder-stage.ts';
import { joined } from './verb-stage.ts';

/**
 * Who said what, and where in the file, of a conference of three and of one of its calls. Each speaks a tone of its own;
 * what the recogniser makes of one is its length, of four: a
 * busy machine stretches what others hear.
 */
const rollSeconds = 0.5;
const lengths = ['brief', 'short', 'long', 'longest'];
const [briefMs, shortMs, longMs, longestMs] = [300, 900, 1500, 2100];
const recognizer = await startServer((form) =>
  likeSpeaches(lengths[Math.floor((form.seconds - rollSeconds) / 0.6)] ?? 'longer')(form),
);
const stage = await RecorderStage.open({ speechToText: testSpeechToText(recognizer) });
after(async () => {
  await stage[Symbol.asyncDispose]();
  await recognizer.close();
});
const room = 'three';

test('each party is a speaker of its own, at its place in the file; what a pause leaves out is not there', async () => {
  const ann = await stage.join(room);
  const bob = await stage.join(room, 2);
  const cid = await stage.join(room, 3);
  const transcription = { locale: 'en-US' };
  const { body: conference } = await stage.post<RecordingBody>(`/v1/conferences/${room}/recordings`, {
    ...{ control_id: 'room', transcription },
  });
  const call = await stage.record(bob, { transcription });
  const recordings = [conference, call];
  const told = async (verb: string, body?: object) => {
    for (const { recording_id: id } of recordings)
      assert.equal((await stage.post(`/v1/recordings/${id}/${verb}`, body)).status, 200);
  };
  await speak(ann, annHz, briefMs);
  await told('pause', { behaviour: 'skip' });
  await speak(bob, secretHz, longestMs);
  await told('resume');
  await speak(cid, promptHz, shortMs);
  await Promise.all([speak(bob, bobHz, longestMs), speak(ann, annHz, longMs, 300)]);
  const ended = [await stage.stop(conference), await stage.stop(call)];
  assert.deepEqual(await heardIn(ended[0]!), [
    'Speaker 1: brief ann',
    'Speaker 3: short prompt',
    'Speaker 2: longest ann+bob',
    'Speaker 1: long ann+bob',
  ]);
  // What the caller says, and what it hears.
  assert.deepEqual(await heardIn(ended[1]!), [
    'Speaker 2: brief ann',
    'Speaker 2: short prompt',
    'Speaker 1: longest ann+bob',
    'Speaker 2: long ann+bob',
  ]);
});

/** With silence around it: what is spoken after a shorter one is the same piece. */
async function speak({ call }: Party, frequencyHz: number, durationMs: number, laterMs = 0): Promise<void> {
  const silence = new Int16Array(0.7 * rateHz);
  assert.equal(
    await call.play(
      joined(new Int16Array((laterMs * rateHz) / 1000), silence, tone({ frequencyHz, durationMs }), silence),
    ),
    true,
  );
}

interface Line {
  speaker_label: string;
  start_ms: number;
  end_ms: number;
  text: string;
}

/** The lines of its transcript, by who and what, each with who is in the file at that place. */
async function heardIn(recording: RecordingBody): Promise<string[]> {
  const lines = await eventually('its transcript', async () => {
    const path = `/v1/recordings/${recording.recording_id}/transcript`;
    const { body } = await stage.http.get<{ state: string; lines: Line[] }>(path);
    return body.state === 'done' ? body.lines : undefined;
  });
  const [samples] = await wavChannels(recording);
  return lines.map(({ speaker_label: who, start_ms: startMs, end_ms: endMs, text }) => {
    const [from, to] = [startMs, endMs].map((ms) => (ms * rateHz) / 1000);
    return `${who}: ${text} ${whoIsIn(samples!.subarray(from, to))}`;
  });
}
