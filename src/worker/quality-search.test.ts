import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { dbovToRms, rmsDbov } from '../audio/level.ts';
import { randomOf } from '../quality/test-random.ts';
import { testVoices } from '../quality/test-voices.ts';
import { TestGrowingRecording, type TestTalk } from '../render/test-growing-recording.ts';
import { testStream } from '../render/test-track.ts';
import type { SpoolRecord } from '../spool/records.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { QualityDesk } from './quality-desk.ts';
import type { MeasuredRecording } from './quality-protocol.ts';

const rateHz = 8000;
const spool = new TestSpool({ ringBytes: 1 << 24 });
const { spoolDirectory: spoolDir, masterKey } = spool;
after(() => spool.remove());
const [ann, bob] = testVoices.map(({ prompts }) => prompts[0]!.subarray(0, 20 * rateHz)) as [
  Int16Array,
  Int16Array,
];
let recordings = 0x20;

/** Silence, but from each of these seconds on so much of a voice. */
function saysAt(voice: Int16Array, seconds: number, atSeconds: readonly number[], forSeconds: number) {
  const said = new Int16Array(seconds * rateHz);
  for (const at of atSeconds) {
    const part = voice.subarray(0, forSeconds * rateHz);
    said.set(part.subarray(0, said.length - at * rateHz), at * rateHz);
  }
  return said;
}

function noise(samples: number, levelDbov: number): Int16Array {
  const random = randomOf(5);
  const peak = Math.sqrt(3) * dbovToRms(levelDbov);
  return Int16Array.from({ length: samples }, () => Math.round((2 * random() - 1) * peak));
}

function laterBy(records: readonly SpoolRecord[], byUs: number): SpoolRecord[] {
  return records.map((record) =>
    record.kind === 'packet' ? { ...record, arrivalUs: record.arrivalUs + byUs } : record,
  );
}

/** The same along, looked at behind each excerpt, as at its end. */
async function measured(seconds: number, talks: readonly TestTalk[]): Promise<MeasuredRecording> {
  const recordingId = (recordings++).toString(16).toUpperCase();
  const growing = new TestGrowingRecording(talks, [], { spool, recordingId });
  const desk = new QualityDesk({ spoolDir, masterKey, lossConcealment: 'on' });
  const order = { conversationId: 'room', recordingId };
  desk.follow(order);
  for (let second = 11; second < seconds; second += 15) {
    growing.until(second * 1e6);
    growing.settle();
    desk.step([recordingId]);
  }
  growing.end(seconds * 1e6);
  const along = await desk.measure(order);
  assert.deepEqual(await desk.measure(order), along, 'at its end as along');
  return along;
}

/** Excerpts of it: 0 to 10 s, 45 to 55 s, and 10 s from 2, 3, 4 and 5 min on. */
const seconds = 330;

test('who speaks between excerpts only is found, whenever that is', async () => {
  const talks: TestTalk[] = Object.entries({
    talks: Int16Array.from({ length: seconds * rateHz }, (_, at) => ann[at % ann.length]!),
    lateOnce: saysAt(bob, seconds, [255], 6),
    atTheEnd: saysAt(bob, seconds, [seconds - 3], 3),
    oftenBrief: saysAt(bob, seconds, [30, 90, 150, 210, 270], 1.5),
    never: new Int16Array(seconds * rateHz),
    noise: noise(seconds * rateHz, -40),
  }).map(([trackId, said]) => ({ trackId, records: testStream(said).records, leaveUs: seconds * 1e6 }));
  const joinUs = 170e6;
  const joins = saysAt(bob, seconds - 170, [30], 6);
  talks.push({
    ...{ trackId: 'joins', records: laterBy(testStream(joins).records, joinUs) },
    ...{ joinUs, leaveUs: seconds * 1e6 },
  });
  const { mix, channels } = await measured(seconds, talks);
  const told = JSON.stringify(channels);
  for (const name of ['lateOnce', 'atTheEnd', 'oftenBrief', 'joins']) {
    const { snrDb, rt60Seconds, speechLevelDbov, speechSeconds, note } = channels[name]!;
    assert.ok(snrDb! > 15 && rt60Seconds! < 0.6, `${name}: ${told}`);
    assert.ok(Math.abs(speechLevelDbov! - rmsDbov(bob)) < 6, `${name}: ${told}`);
    assert.ok(speechSeconds > 1.5 && speechSeconds < 16, `${name}: ${told}`);
    assert.equal(note, 'little_speech', name);
  }
  for (const name of ['never', 'noise']) {
    assert.deepEqual([channels[name]!.snrDb, channels[name]!.note], [null, 'no_speech'], name);
  }
  assert.equal(channels.never!.silenceShare, 1);
  assert.ok(channels.talks!.snrDb! > 20 && channels.talks!.note === null, told);
  assert.ok(mix.snrDb! > 3, JSON.stringify(mix));
});

test('a recording in which nobody speaks but once, between excerpts, has figures of its mix as well', async () => {
  const talks = [saysAt(ann, 200, [75], 5), new Int16Array(200 * rateHz)].map((said, index) => {
    return { trackId: `once${index}`, records: testStream(said).records, leaveUs: 200e6 };
  });
  const { mix, channels } = await measured(200, talks);
  assert.ok(channels.once0!.snrDb! > 15 && mix.snrDb! > 15, JSON.stringify({ mix, channels }));
  assert.ok(mix.speechSeconds > 3 && mix.speechSeconds < 12, JSON.stringify(mix));
  assert.equal(channels.once1!.note, 'no_speech');
});
