import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { heardInRoom, noiseHall, randomRoom, roomResponse } from '../../bench/quality/room.ts';
import { dbovToRms, rmsDbov } from '../audio/level.ts';
import type { QualityFigures } from '../quality/quality-meter.ts';
import { randomOf } from '../quality/test-random.ts';
import { testVoices } from '../quality/test-voices.ts';
import { TestGrowingRecording } from '../render/test-growing-recording.ts';
import { testStream } from '../render/test-track.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { QualityDesk } from './quality-desk.ts';

/** What a user of the figures alarms at (G34). */
const alarm = { belowSnrDb: 3, aboveRt60Seconds: 5 };
const seconds = 20;
const [ann, bob] = testVoices.map(({ prompts }) => prompts[0]!.subarray(0, seconds * 8000)) as [
  Int16Array,
  Int16Array,
];
const spool = new TestSpool();
const { spoolDirectory: spoolDir, masterKey } = spool;
after(() => spool.remove());
let recordings = 0x100;

/** The channels of a call of Ann's good end and Bob's other one, each out of a recording of its own. */
async function measured(said: Int16Array): Promise<{ good: QualityFigures; bad: QualityFigures }> {
  const recordingId = (recordings++).toString(16).toUpperCase();
  const talks = [ann, said].map((samples, index) => ({
    trackId: `${['good', 'bad'][index]}${recordingId}`,
    records: testStream(samples).records,
    leaveUs: seconds * 1_000_000,
  }));
  new TestGrowingRecording(talks, [], { spool, recordingId }).end(seconds * 1_000_000);
  const desk = new QualityDesk({ spoolDir, masterKey, lossConcealment: 'on' });
  const { channels } = await desk.measure({ conversationId: 'room', recordingId });
  return { good: channels[`good${recordingId}`]!, bad: channels[`bad${recordingId}`]! };
}

const isNoisy = ({ snrDb }: QualityFigures) => snrDb! < alarm.belowSnrDb;
const isEchoing = ({ rt60Seconds }: QualityFigures) => rt60Seconds! > alarm.aboveRt60Seconds;

/** Step by step worse; the last step alarms and none before it, and the other end says the same throughout. */
async function assertOnlyThatEndAlarms(
  steps: readonly Int16Array[],
  worseBy: (before: QualityFigures, now: QualityFigures) => number,
  alarms: (figures: QualityFigures) => boolean,
): Promise<void> {
  const figures: { good: QualityFigures; bad: QualityFigures }[] = [];
  for (const step of steps) figures.push(await measured(step));
  for (const [at, { good, bad }] of figures.entries()) {
    assert.deepEqual(good, figures[0]!.good, 'the other end is what it was');
    assert.ok(!isNoisy(good) && !isEchoing(good), JSON.stringify(good));
    assert.equal(alarms(bad), at === figures.length - 1, `step ${at}: ${JSON.stringify(bad)}`);
    if (at > 0) assert.ok(worseBy(figures[at - 1]!.bad, bad) > 0, `step ${at}: ${JSON.stringify(bad)}`);
  }
}

test('noise comes nearer to one end: its SNR falls with every step, and at last it alone alarms', async () => {
  const random = randomOf(4);
  const noise = Float64Array.from(bob, () => (2 * random() - 1) * Math.sqrt(3));
  const withNoise = (snrDb: number) => {
    const rms = dbovToRms(rmsDbov(bob) - snrDb);
    return bob.map((sample, i) => Math.max(-32_768, Math.min(32_767, sample + rms * noise[i]!)));
  };
  const steps = [bob, ...[26, 20, 14, 8, -2].map(withNoise)];
  await assertOnlyThatEndAlarms(steps, (before, now) => before.snrDb! - now.snrDb!, isNoisy);
});

test('the room of one end grows: its RT60 rises with every step, and at last it alone alarms', async () => {
  const rooms = [0.3, 0.6, 1.1].map((rt60Seconds) =>
    randomRoom({ seed: 7, rt60Seconds, distanceMetres: 1.5 }),
  );
  const responses = [...rooms.map(roomResponse), noiseHall(3, 3, -6), noiseHall(3, 9, -9)];
  const steps = responses.map(({ taps }) => {
    const heard = heardInRoom(Float64Array.from(bob), taps);
    return Int16Array.from(heard, (sample) => Math.max(-32_768, Math.min(32_767, sample)));
  });
  const worseBy = (before: QualityFigures, now: QualityFigures) => now.rt60Seconds! - before.rt60Seconds!;
  await assertOnlyThatEndAlarms([bob, ...steps], worseBy, isEchoing);
});
