import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { dbovToRms, rmsDbov } from '../audio/level.ts';
import { systemClock } from '../clock.ts';
import { type QualityFigures, QualityMeter } from '../quality/quality-meter.ts';
import { randomOf } from '../quality/test-random.ts';
import { testVoices } from '../quality/test-voices.ts';
import { TestGrowingRecording, type TestTalk } from '../render/test-growing-recording.ts';
import { testStream } from '../render/test-track.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { QualityDesk } from './quality-desk.ts';
import { QualityGauge } from './quality-gauge.ts';

const spool = new TestSpool();
const { spoolDirectory: spoolDir, masterKey } = spool;
const common = { spoolDir, masterKey, lossConcealment: 'on' } as const;
after(() => spool.remove());

const endUs = 20_000_000;
const rateHz = 8000;
const [ann, bob] = testVoices.map(({ prompts }) => prompts[0]!.subarray(0, 20 * rateHz));
const silent = testStream(new Int16Array(20 * rateHz));

let recordings = 0;

/** Two who speak, and one who only listens. */
function recording(): { recordingId: string; growing: TestGrowingRecording; said: Int16Array[] } {
  const recordingId = (10 + recordings++).toString(16).toUpperCase();
  const streams = [testStream(ann!), testStream(bob!), silent];
  const talks = streams.map(({ records }, index) => ({
    trackId: `${'abc'[index]}${recordingId}`,
    records,
    leaveUs: endUs,
  }));
  const growing = new TestGrowingRecording(talks, [], { spool, recordingId });
  return { recordingId, growing, said: streams.map(({ decoded }) => decoded) };
}

function figuresOf(samples: Int16Array): QualityFigures {
  const meter = new QualityMeter(rateHz);
  meter.push(samples);
  return meter.figures();
}

test('measured along, each channel has the figures of what its party said, and the mix its own', async () => {
  const { recordingId, growing, said } = recording();
  const desk = new QualityDesk({ ...common, clock: systemClock });
  const order = { conversationId: 'room', recordingId };
  desk.follow(order);
  for (let timeUs = 0; timeUs < endUs; timeUs += 1_700_000) {
    growing.until(timeUs);
    growing.settle();
    desk.step([recordingId]);
  }
  growing.end(endUs);
  const { mix, channels } = await desk.measure(order);
  assert.deepEqual(Object.keys(channels).sort(), [`a${recordingId}`, `b${recordingId}`, `c${recordingId}`]);
  const unknown = { driftPpm: null };
  assert.deepEqual(channels[`a${recordingId}`], { ...figuresOf(said[0]!), ...unknown });
  assert.deepEqual(channels[`b${recordingId}`], { ...figuresOf(said[1]!), ...unknown });
  assert.deepEqual(
    [channels[`c${recordingId}`]!.snrDb, channels[`c${recordingId}`]!.note],
    [null, 'no_speech'],
  );
  assert.ok(mix.snrDb! > 3 && mix.speechSeconds > channels[`a${recordingId}`]!.speechSeconds);
});

test('of a call of which one end is as loud as its noise, that end alone alarms (G34, G36)', async () => {
  const random = randomOf(4);
  const peak = Math.sqrt(3) * dbovToRms(rmsDbov(bob!) + 2);
  const noisy = bob!.map((sample) => sample + Math.round((2 * random() - 1) * peak));
  const talks = [ann!, noisy].map((samples, index) => ({
    trackId: ['good', 'bad'][index]!,
    records: testStream(samples).records,
    leaveUs: endUs,
  }));
  new TestGrowingRecording(talks, [], { spool, recordingId: 'FF' }).end(endUs);
  const desk = new QualityDesk({ ...common, clock: systemClock });
  const { good, bad } = (await desk.measure({ conversationId: 'room', recordingId: 'FF' })).channels;
  assert.ok(good!.snrDb! > 20 && good!.rt60Seconds! < 0.5, JSON.stringify(good));
  assert.ok(bad!.snrDb! < 3 && bad!.rt60Seconds! < 5, JSON.stringify(bad));
});

test('not followed, dropped, or trimmed at its end: measured from the spool, on the thread, too', async () => {
  const gauge = new QualityGauge(common);
  try {
    for (const trim of [undefined, { fromSample: 2 * rateHz, toSample: 18 * rateHz }]) {
      const { recordingId, growing, said } = recording();
      const order = { conversationId: 'room', recordingId };
      await gauge.follow(order);
      growing.until(10_000_000);
      growing.settle();
      await gauge.step([recordingId]);
      await assert.rejects(gauge.measure(order), { code: 'CONFLICT' });
      if (trim) await gauge.follow(order);
      growing.until(endUs);
      growing.settle();
      await gauge.step([recordingId]);
      growing.end(endUs, trim);
      const { channels } = await gauge.measure(order);
      const kept = trim ? said[0]!.subarray(trim.fromSample, trim.toSample) : said[0]!;
      assert.deepEqual(channels[`a${recordingId}`], { ...figuresOf(kept), driftPpm: null });
      assert.deepEqual((await gauge.measure(order)).channels, channels, 'again is the same');
    }
    await assert.rejects(gauge.measure({ conversationId: 'room', recordingId: 'FFFF' }), {
      code: 'NOT_FOUND',
    });
  } finally {
    await gauge.close();
  }
});

test('figures are settled with three excerpts and enough speech of everybody who is there', () => {
  const twice = (said: Int16Array) =>
    Int16Array.from({ length: 2 * said.length }, (_, at) => said[at % said.length]!);
  const talks: TestTalk[] = [
    { trackId: 'stays', records: testStream(twice(ann!)).records, leaveUs: 2 * endUs },
    { trackId: 'leaves', records: testStream(bob!.subarray(0, 8 * rateHz)).records, leaveUs: 8_000_000 },
    { trackId: 'comes', records: testStream(bob!).records, joinUs: 34_000_000, leaveUs: 2 * endUs },
  ];
  const late = talks[2]!.records.map((record) =>
    record.kind === 'packet' ? { ...record, arrivalUs: record.arrivalUs + 34_000_000 } : record,
  );
  talks[2] = { ...talks[2]!, records: late };
  const growing = new TestGrowingRecording(talks, [], { spool, recordingId: 'FE' });
  const desk = new QualityDesk({ ...common, clock: systemClock });
  desk.follow({ conversationId: 'room', recordingId: 'FE' });
  const settled: [number, string[]][] = [];
  for (let second = 4; second <= 40; second += 4) {
    growing.until(second * 1_000_000);
    growing.settle();
    const figures = desk.step(['FE', 'unknown']);
    if (figures.FE) settled.push([second, Object.keys(figures.FE.channels)]);
    assert.equal(figures.unknown, undefined);
  }
  // A step measures what had been spooled at the one before; at 40 s somebody has hardly spoken.
  assert.deepEqual(settled, [[36, ['stays', 'leaves']]]);
  desk.drop('FE');
});
