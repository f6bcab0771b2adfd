import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decoder } from '../codec/codec.ts';
import { toSequenceNumber } from '../rtp/sequence.ts';
import type { JitterBuffer } from './jitter-buffer.ts';
import { initialDelayFrames } from './playout-delay.ts';
import {
  decoder,
  expectedFrame,
  newBuffer,
  packet,
  plain,
  rms,
  take,
  takeMany,
} from './test-numbered-stream.ts';

describe('JitterBuffer, where packets are missing or late', () => {
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
});
