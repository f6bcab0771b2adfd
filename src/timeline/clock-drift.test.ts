import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  type DriftingCall,
  errorsMs,
  evenly,
  frame,
  type PlacedCall,
  placeCall,
  queueing,
  rateHz,
} from './test-drifting-call.ts';
import { randomOf } from './test-random.ts';
import { TrackTimeline } from './track-timeline.ts';

/** Where each party lays what is said at this moment of the room, in ms. */
function clapMs({ spoken, truth, at }: PlacedCall, second: number): number {
  const sample = second * rateHz;
  const k = spoken.findLast((each) => truth[each]! <= sample)!;
  return ((at[k]! + sample - truth[k]!) * 1000) / rateHz;
}

/** What was placed lies on the track without an overlap, and packets that follow one another without a gap. */
function assertContiguous({ spoken, at, samples, truth }: PlacedCall): void {
  for (const [index, k] of spoken.entries()) {
    const next = spoken[index + 1];
    if (next === undefined) return;
    const isNext = truth[next]! - truth[k]! < 1.001 * frame;
    const gap = at[next]! - at[k]! - samples[k]!;
    assert.ok(isNext ? gap === 0 : gap > 0, `${gap} samples behind packet ${k}`);
  }
}

/** The account stretched by what the track says of its clock, to the sample. */
function assertCount(call: PlacedCall): void {
  const { timeline, spoken, at, accountSamples } = call;
  const count = timeline.endSample - at[spoken[0]!]!;
  const expected = accountSamples * (1 + timeline.driftPpm! / 1e6);
  assert.ok(Math.abs(count - expected) <= 1, `${count} samples, not ${expected}`);
}

const jitters = { 'no jitter': undefined, '20 ms of queueing': queueing, 'up to 40 ms of jitter': evenly };

describe('two parties whose clocks are 200 ppm apart, for an hour (T1)', () => {
  for (const [name, jitterUs] of Object.entries(jitters))
    for (const [one, other] of [
      [100, -100],
      [200, 0],
      [-195, 5],
    ] as const)
      test(`${one} and ${other} ppm, ${name}: claps lie within 5 ms, counts are the account`, () => {
        const parties = [one, other].map((ppm, index) =>
          placeCall({ ppm, minutes: 60, seed: 7 + index, ...(jitterUs && { jitterUs }) }),
        );
        for (let minute = 2; minute < 60; minute += 2) {
          const [first = 0, second = 99] = parties.map((party) => clapMs(party, minute * 60));
          assert.ok(Math.abs(first - second) <= 5, `minute ${minute}: ${first} and ${second} ms`);
        }
        for (const [index, party] of parties.entries()) {
          assertContiguous(party);
          assertCount(party);
          assert.ok(Math.abs(party.timeline.driftPpm! - [one, other][index]!) < 0.5);
          const { least, most } = errorsMs(party);
          assert.ok(least > -8 && most < 8, `${least} to ${most} ms`);
          const settled = errorsMs(party, 120);
          assert.ok(settled.least > -2.5 && settled.most < 2.5, `${settled.least} to ${settled.most} ms`);
        }
      });
});

/** On a busy machine: a second now and then in which packets leave two at once, every other one before its time. */
function busyAtTimes(): (random: () => number) => number {
  let packets = 0;
  let isBusy = false;
  return (random) => {
    if (packets++ % 50 === 0) isBusy = random() < 0.4;
    return random() * 3000 - (isBusy && random() < 0.2 ? 12_000 : 0);
  };
}

describe('a clock that does not drift is never touched', () => {
  test('twenty seconds of a sender that has packets out early now and then', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const call = placeCall({ ppm: 0, minutes: 1 / 3, seed, jitterUs: busyAtTimes() });
      assert.equal(call.corrected, 0, `seed ${seed}`);
    }
  });

  for (const [name, jitterUs] of Object.entries(jitters))
    test(`an hour, ${name}`, () => {
      for (const seed of [1, 2, 3, 4]) {
        const call = placeCall({ ppm: 0, minutes: 60, seed, lossRate: 0.01, ...(jitterUs && { jitterUs }) });
        assert.equal(call.corrected, 0);
        const { least, most } = errorsMs(call);
        assert.equal(least, most, 'every packet keeps the place that RTP time gives it');
        assert.ok(Math.abs(call.timeline.driftPpm!) < 0.5, `${call.timeline.driftPpm} ppm`);
      }
    });

  test('nor is one that adds up to less than 2 ms', () => {
    const call = placeCall({ ppm: 1, minutes: 30 });
    assert.equal(call.corrected, 0);
    assert.ok(Math.abs(call.timeline.driftPpm! - 1) < 0.1);
  });

  test('nothing is said of the drift of a short call', () => {
    assert.equal(placeCall({ ppm: 100, minutes: 0.3 }).timeline.driftPpm, undefined);
  });
});

/** The way is longer by `longerMs` before that second or from it on. */
function assertSettles(
  call: DriftingCall,
  step: { atSecond: number; longerMs: number; first: boolean },
): void {
  const { atSecond, longerMs, first } = step;
  const detourUs = (second: number): number => (second <= atSecond === first ? 1000 * longerMs : 0);
  const placed = placeCall({ ...call, detourUs });
  const base = first ? longerMs : 0;
  const all = errorsMs(placed);
  const name = `${call.ppm} ppm, after ${atSecond} s`;
  assert.ok(all.least > base - 10 && all.most < base + 10, `${name}: ${all.least} to ${all.most} ms`);
  const settled = errorsMs(placed, 600);
  assert.ok(settled.most - settled.least < 1.5, `${name} settles: ${settled.least} to ${settled.most} ms`);
  assert.ok(Math.abs(settled.most - base) < 5, `${name}: ${settled.most} ms`);
  assert.ok(Math.abs(placed.timeline.driftPpm! - call.ppm) < 3, `${name}: ${placed.timeline.driftPpm} ppm`);
  if (call.ppm === 0) assert.equal(placed.corrected, 0, name);
}

describe('a way that changes its delay at once is no drift', () => {
  for (const longerMs of [30, 200])
    for (const first of [false, true])
      test(`by ${longerMs} ms, ${first ? 'sooner' : 'later'} than before: nothing moves by more than 10 ms`, () => {
        for (const ppm of [0, 100, -200])
          for (const atSecond of [2, 5, 12, 40, 700])
            for (const jitter of [{}, { jitterUs: queueing }])
              assertSettles({ ppm, minutes: 15, ...jitter }, { atSecond, longerMs, first });
      });

  test('nor is a jam that lasts, nor one that comes and goes', () => {
    const jams = (second: number): number =>
      second % 60 > 50 ? 150_000 : second > 300 && second < 420 ? 80_000 : 0;
    const call = placeCall({ ppm: 50, minutes: 20, detourUs: jams, jitterUs: queueing });
    const { least, most } = errorsMs(call, 240);
    assert.ok(least > -3 && most < 3, `${least} to ${most} ms`);
  });
});

describe('sender reports', () => {
  const epochUs = 3.9e15;
  const honest: DriftingCall['report'] = ({ nowUs, rtpUs }) => ({ wallUs: epochUs + nowUs, rtpUs });
  /** Arrivals alone take more than a minute to tell. */
  const rough = { ppm: 100, minutes: 15, jitterUs: (random: () => number) => 200_000 * random() };

  test('that are right tell of a drift long before jittering arrivals do', () => {
    const alone = placeCall(rough);
    const told = placeCall({ ...rough, report: honest });
    const late = 3000 * 15;
    assert.ok(late - alone.corrected > 50 * 90, 'arrivals need 90 s');
    assert.ok(late - told.corrected < 50 * 35, 'reports need less than 35 s');
    const { least, most } = errorsMs(told);
    assert.ok(least > -4 && most < 4, `${least} to ${most} ms`);
  });

  const lies: Record<string, DriftingCall['report']> = {
    'a wall clock that stands still': ({ rtpUs }) => ({ wallUs: epochUs, rtpUs }),
    'no wall clock': ({ rtpUs }) => ({ wallUs: 0, rtpUs }),
    'a wall clock that jumps by seconds': ({ nowUs, rtpUs, random }) => ({
      wallUs: epochUs + nowUs + Math.floor(6 * random()) * 1e6,
      rtpUs,
    }),
    'a wall clock that goes to and fro by 30 ms': ({ nowUs, rtpUs, random }) => ({
      wallUs: epochUs + nowUs + 30_000 * random(),
      rtpUs,
    }),
    'a wall clock that is fast by 500 ppm': ({ nowUs, rtpUs }) => ({
      wallUs: epochUs + nowUs * 1.0005,
      rtpUs,
    }),
    'a wall clock that is slow by 60 ppm': ({ nowUs, rtpUs }) => ({
      wallUs: epochUs + nowUs * 0.99994,
      rtpUs,
    }),
    'the media clock called a wall clock': ({ rtpUs }) => ({ wallUs: epochUs + rtpUs, rtpUs }),
    'a wall clock that counts backwards': ({ nowUs, rtpUs }) => ({ wallUs: epochUs - nowUs, rtpUs }),
    'RTP time at twice its rate': ({ nowUs, rtpUs }) => ({ wallUs: epochUs + nowUs, rtpUs: 2 * rtpUs }),
    'RTP time that means nothing': ({ nowUs, random }) => ({
      wallUs: epochUs + nowUs,
      rtpUs: 1e9 * random(),
    }),
    'the fraction in the wrong unit': ({ nowUs, rtpUs }) => ({
      wallUs: epochUs + Math.floor(nowUs / 1e6) * 1e6 + (nowUs % 1e6) / 4295,
      rtpUs,
    }),
  };
  for (const [name, report] of Object.entries(lies))
    test(`that lie are found out: ${name}`, () => {
      for (const ppm of [0, 100])
        for (const jitterUs of [undefined, queueing]) {
          const call = placeCall({ ppm, minutes: 15, report: report!, ...(jitterUs && { jitterUs }) });
          const all = errorsMs(call);
          assert.ok(all.least > -5.5 && all.most < 5.5, `${ppm} ppm: ${all.least} to ${all.most} ms`);
          const settled = errorsMs(call, 120);
          assert.ok(
            settled.least > -2 && settled.most < 2,
            `${ppm} ppm: ${settled.least} to ${settled.most} ms`,
          );
          assert.ok(Math.abs(call.timeline.driftPpm! - ppm) < 2, `${call.timeline.driftPpm} ppm`);
          if (ppm === 0 && !name.includes('60 ppm')) assert.equal(call.corrected, 0);
        }
    });
});

/** The way to the room bends as the sender's clock does: from two minutes on within 8 ms, at last within 2. */
function assertFollows(call: PlacedCall, bendUs: (second: number) => number, lastSecond: number): void {
  const { spoken, truth, at } = call;
  for (const k of spoken) {
    const second = truth[k]! / rateHz;
    const errorMs = Math.abs((at[k]! - truth[k]!) / 8 - bendUs(second) / 1000);
    if (second > 120 && errorMs > (second > lastSecond ? 2 : 8))
      assert.fail(`${errorMs} ms after ${second} s`);
  }
}

describe('with drift', () => {
  for (const ppm of [100, -200])
    test(`${ppm} ppm: silence between words is as long as it was, to the frame (T2)`, () => {
      const restFrames = (k: number): number => (k % 300 === 299 ? 1 + ((k * 7) % 400) : 0);
      const call = placeCall({ ppm, minutes: 20, restFrames, jitterUs: queueing });
      assertContiguous(call);
      assertCount(call);
      const { spoken, truth, at, samples } = call;
      for (const [index, k] of spoken.entries()) {
        const next = spoken[index + 1];
        if (next === undefined) continue;
        const error = at[next]! - at[k]! - (truth[next]! - truth[k]!);
        assert.ok(Math.abs(error) < frame, `${error} samples behind packet ${k}`);
        assert.ok(Math.abs(samples[k]! - frame) <= 1);
      }
      const settled = errorsMs(call, 120);
      assert.ok(settled.least > -3 && settled.most < 3, `${settled.least} to ${settled.most} ms`);
    });

  test('minutes of silence begin in the middle of making up for an offset', () => {
    for (const ppm of [150, -150]) {
      const restFrames = (k: number): number => (k === 35 * 50 || k === 50 * 50 ? 30_000 : 0);
      const { least, most } = errorsMs(placeCall({ ppm, minutes: 20, restFrames }), 620);
      assert.ok(least > -30 && most < 30, `${ppm} ppm: ${least} to ${most} ms`);
      const settled = errorsMs(placeCall({ ppm, minutes: 20, restFrames }), 1400);
      assert.ok(settled.least > -2 && settled.most < 2, `${ppm} ppm: ${settled.least} to ${settled.most} ms`);
    }
  });

  test('holds with frozen RTP time leave nothing behind', () => {
    const frozenMs = (k: number): number => (k > 0 && k % 1500 === 0 ? 5000 + (k % 7) * 20_000 : 0);
    const call = placeCall({ ppm: 150, minutes: 30, frozenMs });
    const settled = errorsMs(call, 120);
    assert.ok(settled.least > -6 && settled.most < 6, `${settled.least} to ${settled.most} ms`);
    assert.ok(Math.abs(call.timeline.driftPpm! - 150) < 2);
  });

  test('nor do they where the arrivals jitter: each ends within some ms of the truth', () => {
    for (const [jitter, jitterUs] of Object.entries({ queueing, evenly })) {
      const frozenMs = (k: number): number => (k > 0 && k % 9000 === 0 ? 40_000 : 0);
      const call = placeCall({ ppm: 150, minutes: 30, frozenMs, jitterUs });
      const settled = errorsMs(call, 120);
      assert.ok(settled.least > -5 && settled.most < 12, `${jitter}: ${settled.least} to ${settled.most} ms`);
      assert.equal(call.spoken.length, call.truth.length, 'every packet has its place');
    }
  });

  test('the first and the last word are kept whole (T7)', () => {
    for (const ppm of [200, -200]) {
      const call = placeCall({ ppm, minutes: 30 });
      const { spoken, truth, at, samples, timeline } = call;
      assert.equal(spoken.length, truth.length, 'every packet has its place');
      assert.ok(Math.abs(at[0]! - truth[0]!) <= 1, 'it lies at its arrival');
      const last = spoken.at(-1)!;
      assert.equal(timeline.endSample, at[last]! + samples[last]!);
      assert.ok(samples[last]! >= frame - 1);
      assert.ok(Math.abs(timeline.endSample - truth[last]! - frame) < 0.005 * rateHz);
    }
  });

  test('arrivals that are seen on ticks of 5 ms show it, too', () => {
    for (const ppm of [-100, 30, 200]) {
      const call = placeCall({ ppm, minutes: 40, tickUs: 5000 });
      const { least, most } = errorsMs(call, 300);
      assert.ok(least > -6 && most < 6, `${ppm} ppm: ${least} to ${most} ms`);
      assert.ok(Math.abs(call.timeline.driftPpm! - ppm) < 2, `${call.timeline.driftPpm} ppm`);
    }
  });

  test('a clock that changes as it warms up is followed', () => {
    const warmth = (second: number): number => 20 * second - 20 * 600 * (1 - Math.exp(-second / 600));
    const call = placeCall({ ppm: 80, minutes: 60, detourUs: warmth, jitterUs: queueing });
    assertFollows(call, warmth, 120);
  });

  for (const [before, behind] of [
    [100, -100],
    [0, 150],
    [200, 0],
  ] as const)
    test(`another telephone goes on with the same stream: ${behind} ppm behind ${before}`, () => {
      const bend = (second: number): number => Math.max(0, second - 600) * (behind - before);
      for (const jitter of [{}, { jitterUs: queueing }])
        assertFollows(placeCall({ ppm: before, minutes: 20, detourUs: bend, ...jitter }), bend, 720);
    });

  test('random calls: packets lie near where they were spoken, never over one another', () => {
    const random = randomOf(5);
    for (let seed = 1; seed <= 40; seed++) {
      const ppm = Math.round(600 * random() - 300);
      const [rests, holds] = [random() < 0.5, random() < 0.3];
      const meanUs = [0, 2000, 20_000][Math.floor(3 * random())]!;
      const call = placeCall({
        ...{ ppm, seed, minutes: 6, lossRate: [0, 0.05][seed % 2]! },
        jitterUs: (draw) => -meanUs * Math.log(1 - draw()),
        restFrames: (k) => (rests && k % 251 === 250 ? (k * 31) % 500 : 0),
        frozenMs: (k) => (holds && k % 4001 === 4000 ? 3000 + ((k * 17) % 60_000) : 0),
      });
      const { least, most } = errorsMs(call);
      const bound = holds ? 60 : 12;
      assert.ok(least > -bound && most < bound, `seed ${seed}, ${ppm} ppm: ${least} to ${most} ms`);
      const { spoken, at, samples } = call;
      for (const [index, k] of spoken.entries())
        assert.ok(index === 0 || at[k]! >= at[spoken[index - 1]!]! + samples[spoken[index - 1]!]!, `${seed}`);
    }
  });
});

test('eight hours: exact at the end, nothing settled is revised, and no memory grows', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heapBytes = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const timeline = new TrackTimeline({ rateHz, startSample: 0 });
  timeline.format({ codec: 'PCMU', clockRateHz: 8000, ssrc: 5 });
  const random = randomOf(3);
  const hour = 180_000;
  const ppm = -120;
  let afterAnHour = 0;
  let settled = 0;
  for (let k = 0; k < 8 * hour; k++) {
    const spokenUs = k * 20_000 * (1 + ppm / 1e6);
    const arrivalUs = Math.round(spokenUs + (k === 0 ? 0 : 15_000 * random()));
    const placed = timeline.place((65_000 + k) & 0xffff, (k * frame - 9) >>> 0, arrivalUs, frame)!;
    if (placed.atSample < settled) assert.fail(`packet ${k} lies where the track was settled`);
    if (k % 50 === 0) settled = Math.max(settled, timeline.settledSample((arrivalUs * rateHz) / 1e6));
    const errorMs = placed.atSample / 8 - spokenUs / 1000;
    if (Math.abs(errorMs) > 5) assert.fail(`${errorMs} ms at packet ${k}`);
    if (k === hour) afterAnHour = heapBytes();
  }
  const grownBytes = heapBytes() - afterAnHour;
  assert.ok(grownBytes < 64 * 1024, `${grownBytes} bytes more than after an hour`);
  const expected = 8 * hour * frame * (1 + timeline.driftPpm! / 1e6);
  assert.ok(Math.abs(timeline.endSample - expected) <= 1, `${timeline.endSample}, not ${expected}`);
  assert.ok(Math.abs(timeline.endSample - 8 * hour * frame * (1 + ppm / 1e6)) < 0.002 * rateHz);
});
