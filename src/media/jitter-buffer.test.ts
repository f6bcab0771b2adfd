import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decoder } from '../codec/codec.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import { initialDelayFrames } from './playout-delay.ts';
import {
  decoder,
  expectedFrame,
  newBuffer,
  packet,
  plain,
  type Sender,
  take,
  takeMany,
} from './test-numbered-stream.ts';

/** Behind the last packet of a stream. */
const guessedFrames = 3;

/** Deterministic numbers in [0, 1): a failing seed can be run again. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Arrival {
  atMs: number;
  n: number;
}

/** 200 packets with less jitter than the buffer's delay, some of them twice, out of order where it comes so. */
function jitteryRun(seed: number): { sender: Sender; arrivals: Arrival[]; phaseMs: number } {
  const next = random(seed);
  const sender = {
    ssrc: seed,
    firstSequence: Math.floor(next() * 65536),
    firstTime: Math.floor(next() * 2 ** 32),
    packetSamples: [80, 160, 240, 320, 480][seed % 5]!,
  };
  const arrivals: Arrival[] = [];
  for (let n = 0; n < 200; n++) {
    const jitterMs = n === 0 ? 0 : next() * (initialDelayFrames - 1) * 20;
    const atMs = (n * sender.packetSamples) / 8 + jitterMs;
    arrivals.push({ atMs, n });
    if (next() < 0.1) arrivals.push({ atMs: atMs + next() * 200, n });
  }
  arrivals.sort((a, b) => a.atMs - b.atMs);
  return { sender, arrivals, phaseMs: next() * 20 };
}

/** All frames from the first sound on, with a hole (an empty frame) where a slot had nothing. */
function playOut(sender: Sender, arrivals: Arrival[], phaseMs: number): Int16Array[] {
  const buffer = newBuffer();
  const frames: Int16Array[] = [];
  let at = 0;
  for (let slotMs = phaseMs; at < arrivals.length || frames.at(-1)?.length; slotMs += 20) {
    for (; at < arrivals.length && arrivals[at]!.atMs <= slotMs; at++)
      buffer.put(packet(arrivals[at]!.n, sender), decoder);
    const frame = take(buffer) ?? new Int16Array(0);
    if (frames.length > 0 || frame.length > 0) frames.push(frame);
  }
  while (frames.at(-1)?.length === 0) frames.pop();
  return frames;
}

describe('JitterBuffer', () => {
  it('plays nothing before the first packet and begins after its initial delay', () => {
    const buffer = newBuffer();
    assert.equal(take(buffer), undefined);
    buffer.put(packet(0), decoder);
    const early = takeMany(buffer, initialDelayFrames);
    assert.ok(early.every((frame) => frame === undefined));
    assert.deepEqual(take(buffer), expectedFrame(0));
  });

  for (const firstSequence of [0, 1, 127, 128, 32767, 32768, 65407, 65534, 65535])
    for (const firstTime of [0, 2 ** 31 - 320, 2 ** 32 - 160, 2 ** 32 - 200])
      it(`keeps order from sequence ${firstSequence} and time ${firstTime} on, neighbours swapped`, () => {
        const sender = { ...plain, firstSequence, firstTime };
        const buffer = newBuffer();
        const heard: Int16Array[] = [];
        for (let n = 0; n < 40; n++) {
          buffer.put(packet(n ^ 1, sender), decoder);
          const frame = take(buffer);
          if (frame) heard.push(frame);
        }
        assert.equal(heard.length, 40 - initialDelayFrames + 1);
        for (const [n, frame] of heard.entries()) assert.deepEqual(frame, expectedFrame(n));
      });

  for (const packetSamples of [80, 160, 240, 320, 480])
    it(`makes frames of packets of ${packetSamples / 8} ms`, () => {
      const buffer = newBuffer();
      const sender = { ...plain, packetSamples };
      let sent = 0;
      const heard: (Int16Array | undefined)[] = [];
      for (let slot = 0; slot < 60; slot++) {
        while (sent * packetSamples < (slot + 1) * 160) buffer.put(packet(sent++, sender), decoder);
        heard.push(take(buffer));
      }
      const frames = heard.slice(initialDelayFrames);
      for (const [n, frame] of frames.entries()) assert.deepEqual(frame, expectedFrame(n));
      assert.equal(buffer.counters.latePackets, 0);
    });

  for (const [name, clockRateHz, rateHz] of [
    ['G.722', 8000, 16_000],
    ['Opus', 48_000, 48_000],
  ] as const)
    it(`works at the clock and the rate of ${name}`, () => {
      const buffer = new JitterBuffer({ clockRateHz, rateHz });
      const frameSamples = rateHz / 50;
      const numbered: Decoder = {
        rateHz,
        decode: ([n = 0], out) => {
          out.fill(n, 0, frameSamples);
          return frameSamples;
        },
      };
      const heard: number[] = [];
      for (let n = 0; n < 100; n++) {
        const rtpTime = toRtpTimestamp((n * clockRateHz) / 50);
        const sequenceNumber = toSequenceNumber(n);
        buffer.put({ ssrc: 1, sequenceNumber, rtpTime, payload: Uint8Array.of(n + 1) }, numbered);
        const out = new Int16Array(frameSamples);
        if (buffer.take(out)) heard.push(...new Set(out));
      }
      assert.deepEqual(
        heard,
        Array.from({ length: 100 - initialDelayFrames }, (_, n) => n + 1),
      );
    });

  it('goes on in time after a pause of the sender that its RTP time counted', () => {
    const buffer = newBuffer();
    buffer.put(packet(0), decoder);
    takeMany(buffer, initialDelayFrames + 1);
    takeMany(buffer, 100);
    buffer.put({ ...packet(103), sequenceNumber: toSequenceNumber(1) }, decoder);
    assert.equal(takeMany(buffer, 2)[1], undefined);
    assert.deepEqual(take(buffer), expectedFrame(103));
    assert.equal(buffer.counters.restarts, 1);
  });

  it('starts over after a pause during which the RTP time stood still', () => {
    const buffer = newBuffer();
    buffer.put(packet(0), decoder);
    takeMany(buffer, initialDelayFrames + 1);
    takeMany(buffer, 12);
    for (const n of [1, 2, 3]) buffer.put(packet(n), decoder);
    const frames = takeMany(buffer, initialDelayFrames + 3).slice(initialDelayFrames);
    assert.deepEqual(frames, [expectedFrame(1), expectedFrame(2), expectedFrame(3)]);
    assert.equal(buffer.counters.restarts, 2);
  });

  const jumps = {
    'another SSRC': { ...packet(900), ssrc: 7, sequenceNumber: toSequenceNumber(1) },
    'a jump of the RTP time': { ...packet(900), sequenceNumber: toSequenceNumber(1) },
    'a jump of the sequence number': { ...packet(1), sequenceNumber: toSequenceNumber(40_000) },
  };
  for (const [name, jumped] of Object.entries(jumps))
    it(`starts over at ${name}`, () => {
      const buffer = newBuffer();
      buffer.put(packet(0), decoder);
      takeMany(buffer, initialDelayFrames + 1);
      buffer.put(jumped, decoder);
      const frames = takeMany(buffer, initialDelayFrames + 1);
      assert.ok(frames.slice(0, -1).every((frame) => frame === undefined));
      assert.equal(frames.at(-1)?.[0], jumped.payload[0]! * 100);
      assert.equal(buffer.counters.restarts, 2);
    });

  it('deepens when packets keep coming late, within its bound', () => {
    const buffer = newBuffer();
    let heardLate = 0;
    const lagFrames = initialDelayFrames + 3;
    for (let slot = 0; slot < 600; slot++) {
      // Every fifth packet takes 100 ms longer than the others.
      if (slot % 5 !== 0 || slot === 0) buffer.put(packet(slot), decoder);
      const delayed = slot - lagFrames;
      if (delayed > 0 && delayed % 5 === 0) buffer.put(packet(delayed), decoder);
      if (slot === 300) heardLate = buffer.counters.latePackets;
      take(buffer);
    }
    assert.ok(buffer.counters.insertedFrames >= 3);
    assert.equal(buffer.counters.latePackets, heardLate, 'after a while none is late any more');
  });

  for (const ppm of [-400, 400])
    it(`follows a sender whose clock is off by ${ppm} ppm for 20 minutes`, () => {
      const buffer = newBuffer();
      const slots = 60_000;
      let sent = 0;
      let heard = 0;
      for (let slot = 0; slot < slots; slot++) {
        while (sent < slot * (1 + ppm / 1e6) + 0.5) buffer.put(packet(sent++), decoder);
        if (take(buffer)) heard++;
      }
      const { droppedFrames, insertedFrames, latePackets } = buffer.counters;
      const driftFrames = (slots * Math.abs(ppm)) / 1e6;
      const corrections = ppm > 0 ? droppedFrames : insertedFrames;
      assert.ok(Math.abs(corrections - driftFrames) <= 4, `${corrections} corrections of ${driftFrames}`);
      assert.ok(slots - heard <= initialDelayFrames + 4 * driftFrames);
      assert.ok(latePackets <= 3 * driftFrames + 3);
    });

  it('loses no sample and plays none twice under jitter below its delay, for any seed', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { sender, arrivals, phaseMs } = jitteryRun(seed);
      const frames = playOut(sender, arrivals, phaseMs);
      const whole = Math.floor((200 * sender.packetSamples) / 160);
      assert.equal(frames.length, whole + guessedFrames, `seed ${seed}`);
      for (const [n, frame] of frames.slice(0, whole).entries())
        assert.deepEqual(frame, expectedFrame(n), `seed ${seed}`);
    }
  });

  it('takes whatever a hostile sender numbers its packets', () => {
    const next = random(99);
    const buffer = newBuffer();
    for (let i = 0; i < 20_000; i++) {
      buffer.put(
        {
          ssrc: Math.floor(next() * 2),
          sequenceNumber: toSequenceNumber(Math.floor(next() * 65536)),
          rtpTime: toRtpTimestamp(Math.floor(next() * 2 ** 32)),
          payload: new Uint8Array(Math.floor(next() * 1460)),
        },
        decoder,
      );
      if (next() < 0.5) take(buffer);
    }
    buffer.clear();
    buffer.put(packet(0), decoder);
    takeMany(buffer, initialDelayFrames);
    assert.deepEqual(take(buffer), expectedFrame(0));
  });
});

it('plays a stream whose time lies between two samples', () => {
  const buffer = new JitterBuffer({ clockRateHz: 48_000, rateHz: 8000 });
  const wideband: Decoder = { rateHz: 8000, decode: (_payload, out) => out.fill(700, 0, 160).length && 160 };
  const put = (n: number, extraTicks: number) =>
    buffer.put({ ...packet(n), rtpTime: toRtpTimestamp(n * 960 + extraTicks) }, wideband);
  put(0, 0);
  take(buffer);
  // Not a multiple of the six ticks of a sample.
  for (let n = 1; n < 8; n++) put(n, 7);
  const frames = takeMany(buffer, 9);
  const voiced = frames.filter((frame) => frame?.every((sample) => sample === 700));
  assert.ok(voiced.length >= 6, `${voiced.length} whole frames`);
  assert.ok(
    frames.every((frame) => frame === undefined || frame.every((sample) => sample === 700 || sample === 0)),
  );
});
