import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { dbovToRms, rmsDbov } from '../audio/level.ts';
import { type QualityFigures, QualityMeter } from '../quality/quality-meter.ts';
import { randomOf } from '../quality/test-random.ts';
import { testVoices } from '../quality/test-voices.ts';
import { TestGrowingRecording, type TestTalk } from '../render/test-growing-recording.ts';
import { testStream } from '../render/test-track.ts';
import type { SpoolRecord } from '../spool/records.ts';
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

function later(records: readonly SpoolRecord[], byUs: number): SpoolRecord[] {
  return records.map((record) =>
    record.kind === 'packet' ? { ...record, arrivalUs: record.arrivalUs + byUs } : record,
  );
}

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
  const desk = new QualityDesk({ ...common });
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
  const desk = new QualityDesk({ ...common });
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

test('figures are settled where everybody who is there has spoken enough, or was listened to often enough', () => {
  const seconds = 80;
  const again = (said: Int16Array) =>
    Int16Array.from({ length: seconds * rateHz }, (_, at) => said[at % said.length]!);
  const comingUs = 34_000_000;
  const talks: TestTalk[] = [
    { trackId: 'stays', records: testStream(again(ann!)).records, leaveUs: seconds * 1e6 },
    { trackId: 'leaves', records: testStream(bob!.subarray(0, 8 * rateHz)).records, leaveUs: 8_000_000 },
    {
      trackId: 'comes',
      records: later(testStream(bob!).records, comingUs),
      joinUs: comingUs,
      leaveUs: seconds * 1e6,
    },
  ];
  const growing = new TestGrowingRecording(talks, [], { spool, recordingId: 'FE' });
  const desk = new QualityDesk(common);
  desk.follow({ conversationId: 'room', recordingId: 'FE' });
  const settled: [number, string[]][] = [];
  for (let second = 4; second <= seconds; second += 4) {
    growing.until(second * 1_000_000);
    growing.settle();
    const figures = desk.step(['FE', 'unknown']);
    settled.push([second, Object.keys(figures.FE?.channels ?? {})]);
    assert.equal(figures.unknown, undefined);
  }
  const secondsOf = (...names: string[]) =>
    settled.filter(([, channels]) => channels.join() === names.join()).map(([second]) => second);
  assert.deepEqual(secondsOf('stays', 'leaves'), [12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52]);
  assert.deepEqual(secondsOf('stays', 'leaves', 'comes'), [56, 60, 64, 68, 72, 76, 80]);
  desk.drop('FE');
});

test('of a longer recording excerpts are measured, along as at its end, and who was there between them as well', async () => {
  const seconds = 105;
  const again = Int16Array.from({ length: seconds * rateHz }, (_, at) => ann![at % ann!.length]!);
  const visitUs = { joinUs: 15_000_000, leaveUs: 25_000_000 };
  const { records, decoded } = testStream(again);
  const talks: TestTalk[] = [
    { trackId: 'ann', records, leaveUs: seconds * 1e6 },
    { trackId: 'visitor', records: later(testStream(bob!).records, visitUs.joinUs), ...visitUs },
  ];
  const growing = new TestGrowingRecording(talks, [], { spool, recordingId: 'FD' });
  const order = { conversationId: 'room', recordingId: 'FD' };
  const desk = new QualityDesk(common);
  desk.follow(order);
  for (let second = 5; second <= seconds; second += 5) {
    growing.until(second * 1e6);
    growing.settle();
    desk.step(['FD']);
  }
  growing.end(seconds * 1e6);
  const along = await desk.measure(order);
  assert.deepEqual(await desk.measure(order), along);
  const meter = new QualityMeter(rateHz);
  meter.push(decoded.subarray(0, 10 * rateHz));
  meter.passOver(50 * rateHz);
  meter.push(decoded.subarray(60 * rateHz, 70 * rateHz));
  meter.passOver(35 * rateHz);
  const { driftPpm: _, ...figures } = along.channels.ann!;
  assert.deepEqual(figures, meter.figures());
  const { visitor } = along.channels;
  assert.ok(visitor!.snrDb! > 20 && visitor!.speechSeconds > 8, JSON.stringify(visitor));
});
