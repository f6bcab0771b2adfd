import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { assertExactRun, findPayloadRun } from '../../src/testkit/sample-run.ts';
import { assertOnlyRun } from './channel-audio.ts';
import { type Format, playedFile } from './played-file.ts';
import {
  annHz,
  bobHz,
  type Party,
  promptMs,
  RecorderStage,
  type RecordingBody,
  rateHz,
  sayTone,
  wavChannels,
  wavSamples,
  whoIsIn,
} from './recorder-stage.ts';

/** `format`, `stereo`, `direction`: Ann's call is recorded in every way at once while she and Bob talk and a prompt plays. */
const stage = await RecorderStage.open();
const room = 'files';
const formats = ['wav', 'mp3', 'mp4'] as const;
const ways = [
  {},
  ...formats.flatMap((format) => [
    { format, stereo: false, direction: 'both' },
    { format, stereo: true },
    { format, direction: 'speak' },
    { format, direction: 'listen' },
    { format, stereo: true, direction: 'speak' },
    { format, stereo: true, direction: 'listen' },
  ]),
];
const keyOf = (way: object) => JSON.stringify(way);
const ended = new Map<string, RecordingBody>();
const many: RecordingBody[] = [];
let ann: Party;
let annSaid: Int16Array;
let beforePrompt: RecordingBody;
let afterPrompt: RecordingBody;
let roomStereo: RecordingBody;
let roomMono: RecordingBody;

before(async () => {
  ann = await stage.join(room);
  const bob = await stage.join(room, 2);
  const running = new Map<string, RecordingBody>();
  for (const way of ways) running.set(keyOf(way), await stage.record(ann, way));
  for (let each = 0; each < 8; each++) many.push(await stage.record(ann, { stereo: true }));
  const conference = `/v1/conferences/${room}/recordings`;
  const stereo = await stage.post<RecordingBody>(conference, { stereo: true });
  const mono = await stage.post<RecordingBody>(conference, { control_id: 'mono' });
  const early = await stage.record(ann);
  annSaid = await sayTone(ann, annHz);
  await sayTone(bob, bobHz);
  for (const { url } of running.values()) {
    const answer = await fetch(url);
    assert.deepEqual([answer.status, answer.headers.get('retry-after')], [202, '1'], url);
  }
  beforePrompt = await stage.stop(early);
  roomStereo = await stage.stop(stereo.body);
  roomMono = await stage.stop(mono.body);
  await stage.prompt(ann, room);
  const late = await stage.record(ann);
  await sayTone(ann, annHz);
  for (const [way, recording] of running) ended.set(way, await stage.stop(recording));
  afterPrompt = await stage.stop(late);
  for (const [index, recording] of many.entries()) many[index] = await stage.stop(recording);
});
after(() => stage[Symbol.asyncDispose]());

const recordingOf = (way: object): RecordingBody => ended.get(keyOf(way))!;

/** What the phone heard while it was recorded, from the first of Bob to the last of the prompt. */
function annHeard(): Int16Array {
  const heard = ann.call.received();
  return heard.subarray(
    heard.findIndex((sample) => sample !== 0),
    heard.findLastIndex((sample) => sample !== 0) + 1,
  );
}

/** Who is on each channel. */
const expected: Record<string, string[]> = {
  both: ['ann+bob+prompt'],
  speak: ['ann'],
  listen: ['bob+prompt'],
  'both stereo': ['ann', 'bob+prompt'],
  'speak stereo': ['ann', ''],
  'listen stereo': ['', 'bob+prompt'],
};

function expectedOf({
  direction = 'both',
  stereo = false,
}: {
  direction?: string;
  stereo?: boolean;
}): string[] {
  return expected[stereo ? `${direction} stereo` : direction]!;
}

suite('recorder: files', () => {
  for (const way of ways)
    test(keyOf(way), async () => {
      const recording = recordingOf(way);
      const { format = 'wav', stereo = false } = way as { format?: Format; stereo?: boolean };
      assert.deepEqual([recording.format, recording.stereo, recording.reason], [format, stereo, 'stopped']);
      const audio = await playedFile(await fetch(recording.url), format);
      assert.equal(audio.rateHz, rateHz);
      for (const { length } of audio.channels)
        assert.equal(Math.round((length * 1000) / rateHz), recording.recorded_ms);
      assert.deepEqual(audio.channels.map(whoIsIn), expectedOf(way));
    });

  test('unless told otherwise the file is a WAV of both halves in one channel', async () => {
    const [plain] = await wavChannels(recordingOf({}));
    const [told] = await wavChannels(recordingOf({ format: 'wav', stereo: false, direction: 'both' }));
    // Started one after the other, stopped one after the other.
    const voice = plain!.subarray(plain!.findIndex((sample) => sample !== 0));
    const last = voice.findLastIndex((sample) => sample !== 0);
    assertExactRun(told!, voice.subarray(0, last + 1), { label: 'the same call' });
  });

  test('each side is there bit for bit: left as it came, right as it was sent', async () => {
    const [left, right] = await wavChannels(recordingOf({ format: 'wav', stereo: true }));
    const first = left!.findIndex((sample) => sample !== 0);
    const start = annSaid.findIndex((sample) => sample !== 0);
    const length = annSaid.findLastIndex((sample) => sample !== 0) + 1 - start;
    assert.deepEqual(left!.subarray(first, first + length), annSaid.subarray(start, start + length));
    assertOnlyRun(right!, annHeard(), 'what Ann heard');
    const speak = await wavSamples(recordingOf({ format: 'wav', direction: 'speak' }));
    assert.ok(findPayloadRun(speak, annSaid) >= 0);
    assertOnlyRun(
      await wavSamples(recordingOf({ format: 'wav', direction: 'listen' })),
      annHeard(),
      'listen',
    );
  });

  test('both sides lie at the same distance in every recording, whenever it began', async () => {
    const distances = new Set<number>();
    for (const recording of [...many, recordingOf({ format: 'wav', stereo: true })]) {
      const [said, heard] = await wavChannels(recording);
      const [from, to] = [said!, heard!].map((side) => side.findIndex((sample) => sample !== 0));
      distances.add(to! - from!);
    }
    assert.equal(distances.size, 1, [...distances].join());
  });

  test('a prompt is in what runs while it plays, whole, and in nothing else', async () => {
    assert.equal(whoIsIn(await wavSamples(beforePrompt)), 'ann+bob');
    assert.equal(whoIsIn(await wavSamples(afterPrompt)), 'ann');
    const heard = annHeard();
    const prompt = heard.subarray(heard.length - (promptMs * rateHz) / 1000);
    assert.equal(whoIsIn(prompt), 'prompt');
    const [, right] = await wavChannels(recordingOf({ format: 'wav', stereo: true }));
    assert.ok(findPayloadRun(right!, prompt) >= 0);
  });

  test('of a conference: who joined first on the left, all others on the right; no prompt', async () => {
    assert.deepEqual((await wavChannels(roomStereo)).map(whoIsIn), ['ann', 'bob']);
    assert.deepEqual((await wavChannels(roomMono)).map(whoIsIn), ['ann+bob']);
  });
});
