import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decoder } from '../codec/codec.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import { JitterBuffer } from './jitter-buffer.ts';
import { initialDelayFrames } from './playout-delay.ts';

/** One byte a sample, so that a frame says which samples of the sender it holds; never zero. */
const decoder: Decoder = {
  rateHz: 8000,
  decode(payload, out) {
    for (let i = 0; i < payload.length; i++) out[i] = payload[i]! * 100;
    return payload.length;
  },
};

const senderSample = (time: number): number => (time % 251) + 1;

interface Sender {
  ssrc: number;
  firstSequence: number;
  firstTime: number;
  packetSamples: number;
}

const plain: Sender = { ssrc: 1, firstSequence: 0, firstTime: 0, packetSamples: 160 };

/** The sender's n-th packet; the content depends on the sample's place in the stream only. */
function packet(n: number, { ssrc, firstSequence, firstTime, packetSamples }: Sender = plain) {
  const start = n * packetSamples;
  return {
    ssrc,
    sequenceNumber: toSequenceNumber(firstSequence + n),
    rtpTime: toRtpTimestamp(firstTime + start),
    payload: Uint8Array.from({ length: packetSamples }, (_, i) => senderSample(start + i)),
  };
}

function expectedFrame(n: number, from = 0, to = 160): Int16Array {
  return Int16Array.from({ length: 160 }, (_, i) =>
    i >= from && i < to ? senderSample(n * 160 + i) * 100 : 0,
  );
}

function newBuffer(): JitterBuffer {
  return new JitterBuffer({ clockRateHz: 8000, rateHz: 8000 });
}

/** Takes one slot; undefined where the buffer had nothing. */
function take(buffer: JitterBuffer): Int16Array | undefined {
  const out = new Int16Array(160);
  return buffer.take(out) ? out : undefined;
}

function takeMany(buffer: JitterBuffer, count: number): (Int16Array | undefined)[] {
  return Array.from({ length: count }, () => take(buffer));
}

function rms(frame: Int16Array): number {
  return Math.sqrt(frame.reduce((sum, sample) => sum + sample * sample, 0) / frame.length);
}

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

  it('conceals a lost packet and counts duplicates', () => {
    const buffer = newBuffer();
    for (const n of [0, 1, 1, 3, 4, 0]) buffer.put(packet(n), decoder);
    const frames = takeMany(buffer, initialDelayFrames + 6).slice(initialDelayFrames);
    assert.deepEqual(frames.slice(0, 2), [expectedFrame(0), expectedFrame(1)]);
    assert.ok(
      rms(frames[2]!) > 0.3 * rms(expectedFrame(2)),
      `made up ${rms(frames[2]!)} of ${rms(expectedFrame(2))}`,
    );
    assert.notDeepEqual(frames[2], expectedFrame(2));
    assert.deepEqual(frames[4], expectedFrame(4));
    assert.equal(buffer.counters.concealedSamples, 160);
    assert.equal(buffer.counters.duplicatePackets, 2);
    buffer.put(packet(1), decoder);
    assert.equal(buffer.counters.duplicatePackets, 3, 'also after it was played');
  });

  it('makes up no more than 60 ms of a longer loss, and nothing of a pause', () => {
    const buffer = newBuffer();
    for (const n of [0, 8, 9]) buffer.put(packet(n), decoder);
    takeMany(buffer, initialDelayFrames + 1);
    const lost = takeMany(buffer, 7);
    assert.deepEqual(
      lost.map((frame) => frame !== undefined),
      [true, true, true, false, false, false, false],
    );
    assert.equal(buffer.counters.concealedSamples, 3 * 160);
    const paused = newBuffer();
    paused.put(packet(0), decoder);
    paused.put({ ...packet(3), sequenceNumber: toSequenceNumber(1) }, decoder);
    const frames = takeMany(paused, initialDelayFrames + 4).slice(initialDelayFrames);
    assert.deepEqual(frames, [expectedFrame(0), undefined, undefined, expectedFrame(3)]);
    assert.equal(paused.counters.concealedSamples, 0);
  });

  it('asks a codec that can to conceal, with the packet behind the loss', () => {
    const asked: { samples: number; next: number | undefined }[] = [];
    const clever: Decoder = {
      ...decoder,
      conceal(out, samples, next) {
        asked.push({ samples, next: next?.[0] });
        out.fill(77, 0, samples);
        return samples;
      },
    };
    const buffer = newBuffer();
    for (const n of [0, 3]) buffer.put(packet(n), clever);
    const frames = takeMany(buffer, initialDelayFrames + 4).slice(initialDelayFrames);
    assert.deepEqual(frames, [
      expectedFrame(0),
      new Int16Array(160).fill(77),
      new Int16Array(160).fill(77),
      expectedFrame(3),
    ]);
    assert.deepEqual(asked, [
      { samples: 160, next: undefined },
      { samples: 160, next: packet(3).payload[0] },
    ]);
  });

  it('makes noise of the level told from comfort noise on until audio comes again', () => {
    const buffer = newBuffer();
    buffer.put(packet(0), decoder);
    const noise = { ...packet(1), payload: Uint8Array.of(40) };
    buffer.put(noise, undefined);
    takeMany(buffer, initialDelayFrames + 1);
    const frames = takeMany(buffer, 200);
    for (const frame of frames.slice(10)) {
      const levelDbov = 20 * Math.log10(rms(frame!) / 32_768);
      assert.ok(Math.abs(levelDbov + 40) < 3, `${levelDbov}`);
    }
    assert.equal(buffer.counters.concealedSamples, 0);
    for (const n of [2, 3]) buffer.put({ ...packet(203 + n), sequenceNumber: toSequenceNumber(n) }, decoder);
    const heard = takeMany(buffer, 8).filter((frame) => frame !== undefined);
    assert.ok(
      heard.some(
        (frame) => Buffer.compare(Buffer.from(frame.buffer), Buffer.from(expectedFrame(205).buffer)) === 0,
      ),
    );
    takeMany(buffer, 3);
    assert.ok(rms(take(buffer)!) < 2000, 'where nothing comes it is heard again');
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

  it('plays what is left of a packet that comes while its turn runs', () => {
    const sender = { ...plain, packetSamples: 320 };
    const buffer = newBuffer();
    buffer.put(packet(0, sender), decoder);
    takeMany(buffer, initialDelayFrames + 2);
    assert.ok(rms(take(buffer)!) > 0, 'packet 1 is not here: a guess');
    buffer.put(packet(1, sender), decoder);
    const frame = take(buffer)!;
    assert.deepEqual(frame.subarray(100), expectedFrame(3).subarray(100), 'blended at its beginning only');
    assert.equal(buffer.counters.concealedSamples, 160);
    assert.equal(buffer.counters.latePackets, 0);
  });

  it('conceals the first frame of a burst that is longer than its delay', () => {
    const buffer = newBuffer();
    const lost = new Set([10, 11, 12]);
    const levels: number[] = [];
    for (let slot = 0; slot < 30; slot++) {
      if (!lost.has(slot)) buffer.put(packet(slot), decoder);
      const frame = take(buffer);
      if (frame) levels.push(rms(frame));
    }
    assert.equal(levels.length, 30 - initialDelayFrames + 1 - 1, 'not one slot without sound');
    assert.ok(Math.min(...levels) > 0.2 * rms(expectedFrame(0)), `${levels.slice(9, 14)}`);
    assert.equal(buffer.counters.concealedSamples, 3 * 160);
  });

  it('guesses for 60 ms where nothing comes, fading out, and counts nothing of a pause', () => {
    const buffer = newBuffer();
    buffer.put(packet(0), decoder);
    takeMany(buffer, initialDelayFrames + 1);
    const frames = takeMany(buffer, 6);
    assert.deepEqual(
      frames.map((frame) => frame !== undefined),
      [true, true, true, false, false, false],
    );
    const [first, , last] = frames;
    assert.ok(rms(last!) < 0.3 * rms(first!));
    assert.ok(Math.abs(last!.at(-1)!) < 500, 'it ends in silence');
    buffer.put({ ...packet(20), sequenceNumber: toSequenceNumber(1) }, decoder);
    assert.deepEqual(takeMany(buffer, 14).at(-1), expectedFrame(20));
    assert.equal(buffer.counters.concealedSamples, 0);
  });

  it('plays a late packet from where it is due, and no sample twice', () => {
    const tone: Decoder = {
      rateHz: 8000,
      decode([n = 0], out) {
        for (let i = 0; i < 160; i++) out[i] = 8000 * Math.sin((2 * Math.PI * 200 * (n * 160 + i)) / 8000);
        return 160;
      },
    };
    const buffer = newBuffer();
    const heard: number[] = [];
    for (let slot = 0; slot < 40; slot++) {
      // Packet 10 comes when its turn is over, and holds up those behind it.
      const isHeldUp = slot >= 10 && slot < 13;
      const arrived = slot === 13 ? [10, 11, 12, 13] : [slot];
      for (const n of isHeldUp ? [] : arrived) buffer.put({ ...packet(n), payload: Uint8Array.of(n) }, tone);
      const frame = take(buffer);
      if (frame) heard.push(...frame);
    }
    const steepest = (8000 * 2 * Math.PI * 200) / 8000;
    const steps = heard.slice(1).map((sample, i) => Math.abs(sample - heard[i]!));
    assert.ok(Math.max(...steps) < 1.5 * steepest, `a step at ${steps.indexOf(Math.max(...steps))}`);
    assert.ok(buffer.counters.insertedFrames <= 1);
  });

  it('tells a codec that remembers of what was lost, and not of what was late', () => {
    const calls: string[] = [];
    const clever: Decoder = {
      rateHz: 8000,
      decode(payload, out) {
        calls.push(`decode ${payload[0]}`);
        return decoder.decode(payload.subarray(1), out);
      },
      conceal(out, samples, next) {
        calls.push(`conceal ${samples}${next ? ` before ${next[0]}` : ''}`);
        out.fill(0, 0, samples);
        return samples;
      },
    };
    const put = (buffer: JitterBuffer, n: number): void =>
      buffer.put({ ...packet(n), payload: Uint8Array.of(n, ...packet(n).payload) }, clever);
    const late = newBuffer();
    put(late, 0);
    takeMany(late, initialDelayFrames + 2);
    put(late, 1);
    put(late, 2);
    takeMany(late, 1);
    assert.deepEqual(calls, ['decode 0', 'decode 1', 'decode 2']);
    calls.length = 0;
    const lost = newBuffer();
    put(lost, 0);
    takeMany(lost, initialDelayFrames + 2);
    put(lost, 3);
    takeMany(lost, 2);
    assert.deepEqual(calls, ['decode 0', 'conceal 160', 'conceal 160 before 3', 'decode 3']);
  });

  it('goes on with the noise of the stream where nothing comes', () => {
    const buffer = newBuffer();
    buffer.put(packet(0), decoder);
    buffer.put({ ...packet(1), payload: Uint8Array.of(50) }, undefined);
    buffer.put(packet(2), decoder);
    const frames = takeMany(buffer, initialDelayFrames + 100);
    for (const frame of frames.slice(20)) {
      const levelDbov = 20 * Math.log10(rms(frame!) / 32_768);
      assert.ok(Math.abs(levelDbov + 50) < 3, `${levelDbov}`);
    }
    buffer.put({ ...packet(0), ssrc: 9 }, decoder);
    takeMany(buffer, initialDelayFrames + 4);
    assert.equal(take(buffer), undefined, 'another stream told nothing');
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
