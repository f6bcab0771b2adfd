import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { minPauseUs, pauseWindowUs } from './bounds.ts';
import { frame, Stream, upFrom } from './test-stream.ts';
import { TrackPlacer } from './track-placer.ts';

describe('a pause in which the RTP clock stood still', () => {
  for (const pauseMs of [300, 800, 940, 1500, 5000, 10_000, 20_000])
    test(`of ${pauseMs} ms keeps its length`, () => {
      const stream = new Stream();
      stream.run(0, 50);
      stream.run(50, 80, { lateMs: pauseMs });
      assert.deepEqual(stream.frames(0, 50), upFrom(0, 50));
      assert.deepEqual(stream.frames(50, 80), upFrom(50 + pauseMs / 20, 30));
      assert.deepEqual(stream.placer.timeline.marks, [
        { kind: 'jump', atSample: (50 + pauseMs / 20) * frame, samples: pauseMs * 8 },
      ]);
      assert.equal(stream.placer.timeline.counters.lostPackets, 0);
    });

  test('once and again, with little between them and behind them', () => {
    const stream = new Stream();
    for (let part = 0; part < 20; part++) stream.run(part * 10, (part + 1) * 10, { lateMs: part * 800 });
    for (let part = 0; part < 20; part++)
      assert.deepEqual(stream.frames(part * 10, part * 10 + 10), upFrom(part * 50, 10), `part ${part}`);
  });

  test('keeps its length where the arrivals jitter', () => {
    const stream = new Stream();
    const jitterMs = (k: number) => (k * 7919) % 41;
    for (let k = 0; k < 100; k++)
      stream.send(k, k, k * 20 + (k === 0 || k === 50 ? 0 : jitterMs(k)) + (k < 50 ? 0 : 600));
    assert.deepEqual(stream.frames(50, 100), upFrom(80, 50));
  });

  for (const pauseMs of [300, 800, 5000])
    test(`of ${pauseMs} ms keeps its length behind a stall`, () => {
      const stream = new Stream();
      stream.run(0, 50);
      for (let k = 50; k < 120; k++) stream.send(k, k, Math.max(k * 20, 100 * 20));
      stream.run(120, 160, { lateMs: pauseMs });
      assert.deepEqual(stream.frames(0, 120), upFrom(0, 120));
      assert.deepEqual(stream.frames(120, 160), upFrom(120 + pauseMs / 20, 40));
    });

  test('keeps its length where the first packet behind it was late', () => {
    const stream = new Stream();
    stream.run(0, 50);
    for (let k = 50; k < 90; k++) stream.send(k, k, Math.max(k * 20 + 5000, 50 * 20 + 5100));
    assert.deepEqual(stream.frames(50, 90), upFrom(300, 40));
  });

  test('is none where the delay grows step by step, however soon', () => {
    const stream = new Stream();
    stream.run(0, 50);
    stream.run(50, 51, { lateMs: 200 });
    stream.run(51, 120, { lateMs: 400 });
    assert.deepEqual(stream.frames(0, 120), upFrom(0, 120));
    assert.deepEqual(stream.placer.timeline.marks, []);
  });

  test('and a clock that jumps back or far ahead in it lies at its arrival', () => {
    for (const jump of [-40_000, -30, 2000, 1_000_000]) {
      const stream = new Stream();
      stream.run(0, 50);
      for (let k = 50; k < 90; k++) stream.send(k, k + jump, k * 20 + 3000);
      assert.deepEqual(stream.frames(50, 90), upFrom(200, 40), `${jump} frames`);
    }
  });

  test('ends with packets that changed places: they lie behind the pause', () => {
    const stream = new Stream();
    stream.run(0, 50);
    for (const k of [51, 50, 53, 52, 54, 55, 56]) stream.send(k, k, k * 20 + 800 + (k % 2 === 0 ? 21 : 0));
    assert.deepEqual(stream.frames(50, 57), upFrom(90, 7));
  });

  test('of 20 s ends where the fastest packet behind it would have come, in the order of their numbers', () => {
    const stream = new Stream();
    stream.run(0, 50);
    for (const [k, lateMs] of [
      [50, 60],
      [52, 25],
      [51, 50],
      [53, 0],
    ] as const)
      stream.send(k, k, k * 20 + 20_000 + lateMs);
    stream.run(54, 90, { lateMs: 20_000 });
    assert.deepEqual(stream.frames(50, 90), upFrom(1050, 40));
    const { lostPackets, late } = stream.placer.timeline.counters;
    assert.deepEqual({ lostPackets, late }, { lostPackets: 0, late: 0 });
    const swapped = new Stream();
    swapped.run(0, 50);
    for (const [k, index] of [51, 50].entries()) swapped.send(index, index, (50 + k) * 20 + 20_000);
    swapped.run(52, 90, { lateMs: 20_000 });
    assert.deepEqual(swapped.frames(50, 90), upFrom(1049, 40));
  });

  test('ends in the loss of its first packet', () => {
    const stream = new Stream();
    stream.run(0, 50);
    stream.run(51, 80, { lateMs: 800 });
    assert.deepEqual(stream.frames(51, 80), upFrom(91, 29));
    assert.equal(stream.placer.timeline.counters.lostPackets, 1);
  });

  test('is not there where RTP time went on', () => {
    const stream = new Stream();
    stream.run(0, 50);
    stream.run(50, 80, { frames: 40 });
    assert.deepEqual(stream.frames(50, 80), upFrom(90, 30));
    assert.deepEqual(stream.placer.timeline.marks, [
      { kind: 'gap', cause: 'pause', atSample: 50 * frame, samples: 40 * frame },
    ]);
  });
});

describe('packets that were held up keep their RTP spacing', () => {
  for (const stallMs of [80, 200, 800])
    for (const drain of [1.3, 2, 5, 1000])
      test(`a stall of ${stallMs} ms, drained at ${drain} times the speed`, () => {
        const stream = new Stream();
        stream.run(0, 50);
        for (let k = 50; k < 400; k++)
          stream.send(k, k, Math.max(k * 20, 50 * 20 + stallMs + ((k - 50) * 20) / drain));
        assert.deepEqual(stream.frames(0, 400), upFrom(0, 400));
        assert.deepEqual(stream.placer.timeline.marks, []);
      });

  for (const stallMs of [500, 900, 1000, 1040, 1200, 3000, 10_000])
    for (const spacingMs of [0, 0.5, 2])
      test(`a stall of ${stallMs} ms, then a burst of a packet every ${spacingMs} ms`, () => {
        const stream = new Stream();
        const last = 100 + stallMs / 20;
        stream.run(0, 50);
        for (let k = 50; k < last; k++)
          stream.send(k, k, Math.max(k * 20, 50 * 20 + stallMs + (k - 50) * spacingMs));
        assert.deepEqual(stream.frames(0, last), upFrom(0, last));
        assert.deepEqual(stream.placer.timeline.marks, []);
      });

  test('stalls one after the other, with little between them', () => {
    const stream = new Stream();
    const stalls = [
      [1000, 4000],
      [4100, 7000],
      [7060, 9000],
      [9500, 19_000],
    ] as const;
    const arrivalMs = (ms: number) => stalls.find(([from, to]) => from <= ms && ms < to)?.[1] ?? ms;
    for (let k = 0; k < 1100; k++) stream.send(k, k, arrivalMs(k * 20));
    assert.deepEqual(stream.frames(0, 1100), upFrom(0, 1100));
  });

  test('a stall of which the buffers kept the beginning only', () => {
    const stream = new Stream();
    stream.run(0, 50);
    for (let k = 50; k < 700; k++) if (k < 250 || k >= 550) stream.send(k, k, Math.max(k * 20, 550 * 20));
    assert.deepEqual(stream.frames(50, 250), upFrom(50, 200));
    assert.deepEqual(stream.frames(550, 700), upFrom(550, 150));
  });

  test('a stall with DTX in it', () => {
    const stream = new Stream();
    stream.run(0, 50);
    for (let k = 50; k < 300; k++) {
      const at = k < 100 ? k : k + 200;
      stream.send(k, at, Math.max(at * 20, 50 * 20 + 6000));
    }
    assert.deepEqual(stream.frames(50, 100), upFrom(50, 50));
    assert.deepEqual(stream.frames(100, 300), upFrom(300, 200));
  });

  test('a stall that comes back to a slower route', () => {
    const stream = new Stream();
    stream.run(0, 50);
    for (let k = 50; k < 400; k++) stream.send(k, k, Math.max(k * 20 + 140, 50 * 20 + 3000));
    assert.deepEqual(stream.frames(0, 400), upFrom(0, 400));
  });

  test('a route that gets slower by 100 ms, and a machine that is late by as much for seconds', () => {
    const stream = new Stream();
    for (let k = 0; k < 800; k++)
      stream.send(k, k, k * 20 + (k >= 100 && k < 400 ? 150 : k >= 600 ? 100 : 0));
    assert.deepEqual(stream.frames(0, 800), upFrom(0, 800));
    assert.deepEqual(stream.placer.timeline.marks, []);
  });

  test('a stall in which packets were lost', () => {
    const stream = new Stream();
    stream.run(0, 50);
    for (let k = 60; k < 200; k++) stream.send(k, k, Math.max(k * 20, 90 * 20));
    assert.deepEqual(stream.frames(60, 200), upFrom(60, 140));
  });

  test('one packet alone, in its order', () => {
    const stream = new Stream();
    for (let k = 0; k < 100; k++) stream.send(k, k, k === 50 ? 1098 : Math.max(k * 20, k > 50 ? 1099 : 0));
    assert.deepEqual(stream.frames(0, 100), upFrom(0, 100));
  });

  test('one packet alone, overtaken', () => {
    const stream = new Stream();
    for (const k of [...upFrom(0, 50), ...upFrom(51, 15), 50, ...upFrom(66, 30)])
      stream.send(k, k, k === 50 ? 65 * 20 + 1 : k * 20);
    assert.deepEqual(stream.frames(0, 96), upFrom(0, 96));
  });

  test('a phone that sends five packets at a time', () => {
    const stream = new Stream();
    for (let k = 0; k < 200; k++) stream.send(k, k, Math.floor(k / 5) * 100);
    assert.deepEqual(stream.frames(0, 200), upFrom(0, 200));
  });

  test('the last packets of a track, too few to tell', () => {
    const stream = new Stream();
    stream.run(0, 50);
    stream.run(50, 52, { lateMs: 300 });
    assert.deepEqual(stream.frames(50, 52), [50, 51]);
  });
});

test('routes that change to and fro do not add up', () => {
  const stream = new Stream();
  for (let k = 0; k < 5000; k++) stream.send(k, k, k * 20 + (Math.floor(k / 50) % 2 === 1 ? 140 : 0));
  const last = stream.frames(4900, 5000).at(-1) ?? 0;
  assert.ok(last - 4999 <= 15, `${last - 4999} frames too late`);
});

describe('the first packets of a stream', () => {
  test('lie in the order of their numbers, before the first that came where there is room', () => {
    const stream = new Stream();
    for (const [k, index] of [2, 0, 1, 3, 4, 5, 6, 7, 8, 9].entries())
      stream.send(index, index, 1000 + (k < 3 ? 5 * k : (k - 2) * 20));
    assert.deepEqual(stream.frames(0, 10), upFrom(48, 10));
    const { lostPackets, late, reordered } = stream.placer.timeline.counters;
    assert.deepEqual({ lostPackets, late, reordered }, { lostPackets: 0, late: 0, reordered: 0 });
  });

  test('all lie in the track where it begins with them', () => {
    const stream = new Stream({ startMs: 1000 });
    for (const index of [2, 0, 1, 3]) stream.send(index, index, 1005 + index);
    assert.deepEqual(stream.frames(0, 4), upFrom(50, 4));
  });

  test('of a new SSRC that goes on at once are all there', () => {
    const stream = new Stream();
    stream.run(0, 20);
    stream.use(2);
    for (const [k, index] of [1, 0, 2, 3, 4, 5, 6, 7].entries())
      stream.send(index, index + 777, 400 + k * 20);
    assert.deepEqual(stream.frames(0, 8), upFrom(20, 8));
  });

  test('that came in order lie at the arrival of the first, whatever the others did', () => {
    const stream = new Stream();
    for (let k = 0; k < 10; k++) stream.send(k, k, 500 + k * 20 + (k % 3) * 15);
    assert.deepEqual(stream.frames(0, 10), upFrom(25, 10));
  });

  test('do not wait for those of another stream', () => {
    const stream = new Stream();
    stream.send(5, 5, 100);
    stream.use(2);
    stream.send(4, 4, 105);
    stream.send(5, 5, 120);
    assert.deepEqual(stream.frames(4, 6), [6, 7]);
    assert.equal(stream.placedFrames.get(100_005), 5);
  });
});

describe('how far a growing track is settled', () => {
  const settledMs = (stream: Stream, nowMs: number) => stream.placer.settledSample(nowMs * 8) / 8;

  test('as by the timeline where nothing waits', () => {
    const stream = new Stream();
    stream.run(0, 300);
    stream.placer.finish();
    assert.equal(settledMs(stream, 5000), 6000);
    assert.equal(stream.placer.timeline.settledSample(5000 * 8), 6000 * 8);
  });

  test('not by packets that more of them could put elsewhere', () => {
    const stream = new Stream();
    stream.run(0, 300);
    stream.run(300, 306, { lateMs: 900 });
    stream.placer.finish();
    assert.equal(settledMs(stream, 6900), 6000);
    assert.equal(settledMs(stream, 7000 + pauseWindowUs / 1000 + 1), 7020 - 1000);
  });

  test('once no more of them can come, as if the next had', () => {
    const stream = new Stream();
    stream.run(0, 300);
    stream.run(300, 306, { lateMs: 900 });
    const before = stream.placedFrames.size;
    stream.placer.elapsed(7_000_000 + pauseWindowUs);
    assert.deepEqual([stream.placedFrames.size, settledMs(stream, 6900)], [before, 6000]);
    stream.placer.elapsed(7_000_001 + pauseWindowUs);
    assert.equal(stream.placedFrames.size, before + 6);
    const frames = new Map(stream.placedFrames);
    const other = new Stream();
    other.run(0, 300);
    other.run(300, 306, { lateMs: 900 });
    other.run(400, 410);
    stream.run(400, 410);
    assert.deepEqual(stream.placedFrames, other.placedFrames);
    for (const [packet, frame] of frames) assert.equal(other.placedFrames.get(packet), frame);
  });
});

test('memory stays bounded where many packets come in no time', () => {
  const stream = new Stream();
  stream.run(0, 50);
  for (let k = 50; k < 5000; k++) stream.send(k, k, k * 20 + minPauseUs / 1000 + 40);
  for (let k = 5000; k < 20_000; k++) stream.send(k, 5000, 101_000);
  assert.ok(stream.placedFrames.size >= 4990);
});

test('a packet before its format is a mistake of the caller', () => {
  const placer = new TrackPlacer({ rateHz: 8000, startSample: 0 }, () => {});
  assert.throws(() => placer.offer({ sequenceNumber: 0, rtpTime: 0, arrivalUs: 0, durationTicks: 160 }));
});
