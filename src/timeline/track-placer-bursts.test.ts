import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { minPausePackets } from './bounds.ts';
import { randomOf } from './test-random.ts';
import { Stream, upFrom } from './test-stream.ts';
import { TrackPlacer } from './track-placer.ts';

const loadJitterMs = (k: number) => (k * 7919) % 97;

describe('the last words before a hang-up', () => {
  for (const [packets, stallMs] of [
    [5, 340],
    [6, 400],
    [7, 700],
    [6, 1200],
    [16, 1500],
    [10, 8000],
  ] as const)
    for (const spacingMs of [0, 0.4, 5])
      test(`${packets} that a stall of ${stallMs} ms held up, one every ${spacingMs} ms: no silence before them`, () => {
        const stream = new Stream();
        for (let k = 0; k < 50; k++) stream.send(k, k, k * 20 + loadJitterMs(k));
        for (let k = 50; k < 50 + packets; k++)
          stream.send(k, k, 50 * 20 + stallMs + loadJitterMs(49) + (k - 50) * spacingMs);
        assert.deepEqual(stream.frames(0, 50 + packets), upFrom(0, 50 + packets));
        assert.deepEqual(stream.placer.timeline.marks, []);
      });

  for (const packets of [5, 6, 10])
    test(`${packets} that are spoken behind a pause lie behind it`, () => {
      const stream = new Stream();
      for (let k = 0; k < 50; k++) stream.send(k, k, k * 20 + (k % 4) * 20);
      stream.run(50, 50 + packets, { lateMs: 1600 });
      assert.deepEqual(stream.frames(50, 50 + packets), upFrom(130, packets));
    });

  test('six that a stall held up, two lost and two in the wrong order', () => {
    const stream = new Stream();
    for (let k = 0; k < 50; k++) stream.send(k, k, k * 20 + loadJitterMs(k));
    for (const [n, k] of [51, 50, 52, 55, 56, 57].entries()) stream.send(k, k, 1500 + loadJitterMs(49) + n);
    assert.deepEqual(stream.frames(50, 58), [50, 51, 52, undefined, undefined, 55, 56, 57]);
  });

  test('five behind a pause, and one of before it that comes once more', () => {
    const stream = new Stream();
    stream.run(0, 50);
    for (const [n, k] of [50, 40, 51, 52, 53, 54].entries()) stream.send(k, k, 2000 + n * 20);
    assert.deepEqual(stream.frames(50, 55), upFrom(100, 5));
  });

  test('what follows a burst half a second later tells anew', () => {
    for (const laterMs of [0, 900]) {
      const stream = new Stream();
      for (let k = 0; k < 50; k++) stream.send(k, k, k * 20 + loadJitterMs(k));
      for (let k = 50; k < 56; k++) stream.send(k, k, 1500 + loadJitterMs(49) + (k - 50));
      for (let k = 56; k < 90; k++) stream.send(k, k + 50, (k + 50) * 20 + laterMs);
      assert.deepEqual(stream.frames(50, 56), upFrom(50, 6), `${laterMs} ms`);
      const [first = 0] = stream.frames(56, 57);
      assert.ok(Math.abs(first - 106 - laterMs / 20) <= 5, `${laterMs} ms: ${first}`);
      assert.deepEqual(stream.frames(56, 90), upFrom(first, 34));
    }
  });
});

/** In packets of `ptimeMs`, where each millisecond of what is sent arrives. */
function placedMs(ptimeMs: number, lengthMs: number, arrivalMs: (ms: number) => number): number[] {
  const placed: number[] = [];
  const placer = new TrackPlacer({ rateHz: 8000, startSample: 0 }, (_, { atSample }) => {
    placed.push(atSample / 8);
  });
  placer.format({ codec: 'PCMU', clockRateHz: 8000, ssrc: 1 });
  for (let ms = 0; ms < lengthMs; ms += ptimeMs)
    placer.offer({
      sequenceNumber: ms / ptimeMs,
      rtpTime: ms * 8,
      arrivalUs: arrivalMs(ms) * 1000,
      durationTicks: ptimeMs * 8,
    });
  placer.finish();
  assert.equal(placed.length, Math.ceil(lengthMs / ptimeMs));
  return placed;
}

describe('a pause ends with what the sender kept back', () => {
  for (const pauseMs of [320, 800, 1500, 5000])
    for (const [preRollMs, ptimeMs] of [
      [40, 20],
      [60, 20],
      [60, 10],
      [60, 30],
    ] as const)
      for (const spokenMs of [150, 200, 800])
        test(`${preRollMs} ms at once, in packets of ${ptimeMs} ms, after ${pauseMs} ms, ${spokenMs} ms in all`, () => {
          const resumedMs = 900 + pauseMs;
          const placed = placedMs(ptimeMs, 900 + spokenMs, (ms) =>
            ms < 900 ? ms : Math.max(resumedMs, ms + pauseMs - preRollMs),
          );
          const silentMs = placed[900 / ptimeMs]! - 900;
          assert.ok(Math.abs(silentMs - pauseMs) <= preRollMs, `${silentMs} ms`);
        });
});

for (const [ptimeMs, atOnce] of [
  [10, 2],
  [10, 4],
  [20, 2],
  [20, 3],
] as const)
  test(`a pause of a phone that always sends ${atOnce} packets of ${ptimeMs} ms at once keeps its length`, () => {
    const tickMs = ptimeMs * atOnce;
    for (const packets of [12, 16, 40]) {
      const placed = placedMs(
        ptimeMs,
        (48 + packets) * ptimeMs,
        (ms) => Math.floor(ms / tickMs) * tickMs + (ms < 48 * ptimeMs ? 0 : 600),
      );
      const silentMs = placed[48]! - 48 * ptimeMs;
      assert.ok(Math.abs(silentMs - 600) <= tickMs, `${silentMs} ms before ${packets} packets`);
    }
  });

interface Arrival {
  frame: number;
  atMs: number;
  /** Came when a stall was over. */
  isHeldUp: boolean;
}

/** A call of 1.6 s to 8 s, hung up at any moment, with jitter, losses and stalls of up to 5 s, a second between them. */
function stalledCall(random: () => number): Arrival[] {
  const jitterMs = random() < 0.5 ? 0 : 100;
  const lossRate = random() < 0.5 ? 0 : 0.05;
  const spacingMs = random();
  const call: Arrival[] = [];
  let stall = { fromMs: 1500, toMs: 1500 };
  let lastMs = 0;
  const frames = 80 + random() * 300;
  for (let frame = 0; frame < frames; frame++) {
    const leavesMs = frame * 20 + random() * jitterMs;
    if (leavesMs >= stall.toMs + 1000) stall = { fromMs: leavesMs, toMs: leavesMs + random() * 5000 };
    if (frame > 32 && random() < lossRate) continue;
    const isHeldUp = stall.fromMs <= leavesMs && leavesMs < stall.toMs;
    lastMs = isHeldUp ? Math.max(lastMs + spacingMs, stall.toMs) : Math.max(lastMs, leavesMs);
    call.push({ frame, atMs: lastMs, isHeldUp });
  }
  return call;
}

test('stalls anywhere, jitter, losses, and a hang-up at any moment: every packet lies where it was spoken', () => {
  let heldUp = 0;
  for (let seed = 1; seed <= 400; seed++) {
    const call = stalledCall(randomOf(seed));
    const heldUpToMs = call.findLast(({ isHeldUp }) => isHeldUp)?.atMs ?? 0;
    const tail = call.length - call.findIndex(({ atMs }) => atMs >= heldUpToMs - 500);
    // Fewer are too few to tell.
    const told = tail < minPausePackets ? call.slice(0, call.length - tail) : call;
    if (tail >= minPausePackets && call.at(-1)!.isHeldUp) heldUp++;
    const stream = new Stream();
    for (const { frame, atMs } of call) stream.send(frame, frame, atMs);
    const placed = stream.frames(0, call.at(-1)!.frame + 1);
    for (const { frame } of told) {
      const samples = Math.round((placed[frame]! - placed[0]!) * 160);
      assert.equal(samples, frame * 160, `seed ${seed}: packet ${frame} of ${call.length}`);
    }
  }
  assert.ok(heldUp > 50, `only ${heldUp} calls ended in a stall`);
});

test('what is settled of such a call at any moment is the same in the whole', () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomOf(seed);
    const call = stalledCall(random);
    const sent = call.slice(0, Math.floor((0.5 + random() / 2) * call.length));
    const part = new Stream();
    for (const { frame, atMs } of sent) part.send(frame, frame, atMs);
    const early = part.frames(0, call.length);
    const settled = part.placer.settledSample(sent.at(-1)!.atMs * 8) / 160;
    const whole = new Stream();
    for (const { frame, atMs } of call) whole.send(frame, frame, atMs);
    const late = whole.frames(0, call.length);
    const isSettled = (at: number | undefined): boolean => at !== undefined && at < settled;
    for (const [k, at] of late.entries())
      if (isSettled(at) || isSettled(early[k])) assert.equal(early[k], at, `seed ${seed}: packet ${k}`);
  }
});
