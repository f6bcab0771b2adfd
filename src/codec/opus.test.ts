import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { Decoder } from './codec.ts';
import { createOpusDecoder, createOpusEncoder, type OpusEncoding, opusMaxPacketMs } from './opus.ts';
import { opusInstance } from './opus-module.ts';

const frequencyHz = 440;

function sine(rateHz: number, firstSample: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) =>
    Math.round(8000 * Math.sin((2 * Math.PI * frequencyHz * (firstSample + i)) / rateHz)),
  );
}

function encodeTone(packets: number, ptimeMs = 20): Uint8Array[] {
  const encoder = createOpusEncoder(48_000);
  const samples = 48 * ptimeMs;
  const out = new Uint8Array(4000);
  return Array.from({ length: packets }, (_, i) =>
    out.slice(0, encoder.encode(sine(48_000, i * samples, samples), out)),
  );
}

function lastDecoded(decoder: Decoder, payloads: Uint8Array[]): Int16Array {
  const out = new Int16Array(160);
  for (const payload of payloads) decoder.decode(payload, out);
  return out;
}

function upwardZeroCrossings(samples: Int16Array): number {
  let crossings = 0;
  for (let i = 1; i < samples.length; i++) if (samples[i - 1]! < 0 && samples[i]! >= 0) crossings++;
  return crossings;
}

describe('decoder', () => {
  for (const rateHz of [8000, 16_000, 48_000]) {
    test(`gives 20 ms at ${rateHz} Hz for each packet, and the tone that was coded`, () => {
      const decoder = createOpusDecoder(rateHz);
      assert.equal(decoder.rateHz, rateHz);
      const out = new Int16Array((rateHz * opusMaxPacketMs) / 1000);
      const track: number[] = [];
      for (const payload of encodeTone(60)) {
        assert.equal(decoder.decode(payload, out), rateHz / 50);
        track.push(...out.subarray(0, rateHz / 50));
      }
      const lastSecond = Int16Array.from(track.slice(-rateHz));
      assert.ok(Math.abs(upwardZeroCrossings(lastSecond) - frequencyHz) <= 1);
      const rms = Math.sqrt(lastSecond.reduce((sum, s) => sum + s * s, 0) / rateHz);
      assert.ok(Math.abs(20 * Math.log10((rms * Math.SQRT2) / 8000)) < 1, `${rms}`);
    });
  }

  test('follows packets of other lengths', () => {
    const decoder = createOpusDecoder(16_000);
    const out = new Int16Array(16 * opusMaxPacketMs);
    assert.equal(decoder.decode(encodeTone(1, 60)[0]!, out), 960);
    assert.equal(decoder.decode(encodeTone(1, 10)[0]!, out), 160);
  });

  test('a rate libopus does not know falls back to 48 kHz', () => {
    assert.equal(createOpusDecoder(44_100).rateHz, 48_000);
  });

  test('hostile payloads give nothing and leave the decoder usable', () => {
    const decoder = createOpusDecoder(8000);
    const out = new Int16Array(960);
    const bad = [
      new Uint8Array(0),
      new Uint8Array(5).fill(255),
      new Uint8Array(9000),
      new Uint8Array(2000).fill(255),
    ];
    for (const payload of bad) assert.equal(decoder.decode(payload, out), 0);
    assert.equal(decoder.decode(encodeTone(1)[0]!, out), 160);
  });

  test('never writes past the end of `out`', () => {
    const out = new Int16Array(100);
    assert.equal(createOpusDecoder(8000).decode(encodeTone(1)[0]!, out), 100);
  });

  test('a closed decoder begins anew', () => {
    const decoder = createOpusDecoder(8000);
    const out = new Int16Array(960);
    const [payload] = encodeTone(1);
    decoder.decode(payload!, out);
    const first = out.slice();
    decoder.decode(payload!, out);
    decoder.close();
    assert.equal(decoder.decode(payload!, out), 160);
    assert.deepEqual(out, first);
  });

  test('hundreds in one instance do not disturb each other, and closing gives the memory back', () => {
    const payloads = encodeTone(10);
    const expected = lastDecoded(createOpusDecoder(8000), payloads);
    const { memory } = opusInstance().exports;
    let bytes = 0;
    for (let round = 0; round < 5; round++) {
      const decoders = Array.from({ length: 300 }, () => createOpusDecoder(8000));
      for (const decoder of decoders) assert.deepEqual(lastDecoded(decoder, payloads), expected);
      for (const decoder of decoders) decoder.close();
      if (round === 0) bytes = memory.buffer.byteLength;
    }
    assert.equal(memory.buffer.byteLength, bytes);
  });

  test('an instance that broke is given up; its coders go on in a new one', () => {
    const decoder = createOpusDecoder(8000);
    const encoder = createOpusEncoder(8000);
    const payload = new Uint8Array(400);
    const bytes = encoder.encode(sine(8000, 0, 160), payload);
    const out = new Int16Array(160);
    decoder.decode(payload.subarray(0, bytes), out);
    const before = opusInstance();
    // A handle that points nowhere traps, as a fault of libopus would.
    assert.equal(
      before.call(0x7fff_0000, 1, ({ exports }, handle, size) => exports.decode(handle, size)),
      -1,
    );
    assert.notEqual(opusInstance(), before);
    const again = new Int16Array(160);
    assert.equal(decoder.decode(payload.subarray(0, bytes), again), 160);
    assert.deepEqual(again, out);
    assert.ok(encoder.encode(sine(8000, 0, 160), payload) > 0);
  });
});

/** Syllables of a gliding voice: what encoders take for speech. */
function voice(rateHz: number, seconds: number): Int16Array {
  let phase = 0;
  return Int16Array.from({ length: seconds * rateHz }, (_, i) => {
    const second = i / rateHz;
    phase += (2 * Math.PI * (130 + 30 * Math.sin(4 * second))) / rateHz;
    const envelope = Math.max(0, Math.sin(2 * Math.PI * 2.7 * second)) ** 0.5;
    let sum = 0;
    for (let k = 1; k <= 12; k++) sum += Math.sin(k * phase) / (1 + Math.abs(k - 4));
    return Math.round(4000 * envelope * sum + 20 * Math.sin(i * i));
  });
}

function encodeVoice(rateHz: number, encoding: OpusEncoding, signal = voice(rateHz, 4)): Uint8Array[] {
  const encoder = createOpusEncoder(rateHz, encoding);
  const samples = rateHz / 50;
  const out = new Uint8Array(1500);
  return Array.from({ length: Math.floor(signal.length / samples) }, (_, k) =>
    out.slice(0, encoder.encode(signal.subarray(k * samples, (k + 1) * samples), out)),
  );
}

const bytesIn = (payloads: Uint8Array[]): number => payloads.reduce((sum, each) => sum + each.length, 0);

/** Of every tenth frame, lost: how much it differs from what the packet would have given. */
function concealmentDb(payloads: Uint8Array[], useNext: boolean): number {
  const rateHz = 16_000;
  const whole = createOpusDecoder(rateHz);
  const lossy = createOpusDecoder(rateHz);
  const expected = new Int16Array(320);
  const out = new Int16Array(320);
  let signal = 0;
  let noise = 0;
  for (const [k, payload] of payloads.entries()) {
    whole.decode(payload, expected);
    if (k % 10 !== 5) {
      lossy.decode(payload, out);
      continue;
    }
    assert.equal(lossy.conceal(out, 320, useNext ? payloads[k + 1] : undefined), 320);
    signal += expected.reduce((sum, sample) => sum + sample ** 2, 0);
    noise += expected.reduce((sum, sample, i) => sum + (sample - out[i]!) ** 2, 0);
  }
  return 10 * Math.log10(signal / noise);
}

describe('concealment', () => {
  test('a lost packet is made up for; with forward error correction it is nearly restored', () => {
    const plain = encodeVoice(16_000, {});
    const protectedOnes = encodeVoice(16_000, {
      useInbandFec: true,
      packetLossPercent: 25,
      maxAverageBitrate: 32_000,
    });
    const made = concealmentDb(plain, true);
    const restored = concealmentDb(protectedOnes, true);
    const ignored = concealmentDb(protectedOnes, false);
    assert.ok(made > 1, `${made} dB`);
    assert.ok(restored > 10 && restored > ignored + 6, `${restored} ${ignored} dB`);
  });

  test('any length is filled to the sample, at every rate, and never past the end', () => {
    for (const rateHz of [8000, 16_000, 48_000]) {
      const decoder = createOpusDecoder(rateHz);
      const [payload, next] = encodeTone(2);
      decoder.decode(payload!, new Int16Array(5760));
      for (const samples of [1, 159, rateHz / 50, rateHz / 10 + 7, rateHz / 2]) {
        const out = new Int16Array(samples + 10).fill(77);
        assert.equal(decoder.conceal(out, samples, next), samples);
        assert.ok(out.subarray(samples).every((sample) => sample === 77));
        assert.equal(decoder.conceal(out.subarray(0, 3), samples), Math.min(3, samples));
      }
      assert.equal(decoder.conceal(new Int16Array(10), 0), 0);
    }
  });

  test('a hostile packet behind the loss does no harm', () => {
    const decoder = createOpusDecoder(16_000);
    const [payload] = encodeTone(1);
    const out = new Int16Array(320);
    for (const next of [new Uint8Array(5).fill(255), new Uint8Array(0), new Uint8Array(9000)]) {
      decoder.decode(payload!, out);
      assert.ok(decoder.conceal(out, 320, next) >= 0);
      assert.equal(decoder.decode(payload!, out), 320);
    }
  });

  test('arbitrary and damaged payloads never trap', () => {
    const before = opusInstance();
    const good = encodeVoice(16_000, { useInbandFec: true });
    const decoders = [8000, 16_000, 48_000].map(createOpusDecoder);
    const out = new Int16Array(5760);
    let seed = 3;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
      return (seed >>> 8) % below;
    };
    for (let round = 0; round < 6000; round++) {
      const payload = round % 2 ? good[random(good.length)]!.slice() : new Uint8Array(random(400));
      for (let k = round % 2 ? 3 : payload.length; k > 0; k--) payload[random(payload.length)] = random(256);
      const decoder = decoders[round % 3]!;
      assert.ok(decoder.decode(payload.subarray(0, random(payload.length + 1)), out) <= 5760);
      if (round % 5 === 0) assert.ok(decoder.conceal(out, 1 + random(3000), payload) >= 0);
    }
    assert.equal(opusInstance(), before);
  });
});

describe('encoder', () => {
  test('keeps to the bit rate', () => {
    for (const maxAverageBitrate of [8000, 16_000, 32_000]) {
      const bitrate = (bytesIn(encodeVoice(16_000, { maxAverageBitrate })) * 8) / 4;
      assert.ok(bitrate < maxAverageBitrate * 1.1, `${bitrate} for ${maxAverageBitrate}`);
    }
    // What no encoder can do is taken for the nearest it can.
    assert.ok(bytesIn(encodeVoice(16_000, { maxAverageBitrate: 1 })) > 0);
  });

  test('keeps to the bandwidth a receiver can play', () => {
    // RFC 6716 table 2: configurations 0 to 3, 16 to 19: narrowband; 8 to 11, 20 to 23: wideband.
    const bandwidthOf = (payload: Uint8Array): string => {
      const configuration = payload[0]! >> 3;
      if (configuration < 4 || (configuration > 15 && configuration < 20)) return 'narrow';
      return (configuration > 7 && configuration < 12) || (configuration > 19 && configuration < 24)
        ? 'wide'
        : 'other';
    };
    const bandwidths = (encoding: OpusEncoding): Set<string> =>
      new Set(encodeVoice(48_000, encoding).map(bandwidthOf));
    assert.deepEqual(bandwidths({ maxPlaybackRateHz: 8000 }), new Set(['narrow']));
    assert.ok(!bandwidths({ maxPlaybackRateHz: 16_000 }).has('other'));
    assert.ok(bandwidths({ maxAverageBitrate: 64_000 }).has('other'));
  });

  test('with discontinuous transmission silence is not sent', () => {
    const signal = new Int16Array(64_000);
    signal.set(voice(16_000, 1));
    const sent = encodeVoice(16_000, { useDtx: true }, signal).map((payload) => payload.length > 0);
    assert.ok(sent.slice(0, 10).every(Boolean));
    assert.ok(sent.slice(100).filter(Boolean).length < 15);
    assert.ok(encodeVoice(16_000, {}, signal).every((payload) => payload.length > 0));
  });

  test('goes on where another one is; behind a broken instance both begin anew', () => {
    const [first, second] = [createOpusEncoder(16_000), createOpusEncoder(16_000)];
    const other = createOpusEncoder(48_000);
    const [payload, expected] = [new Uint8Array(1500), new Uint8Array(1500)];
    const slots = Array.from({ length: 40 }, (_, n) => voice(16_000, 1).subarray(n * 320, (n + 1) * 320));
    for (const slot of slots.slice(0, 25)) first.encode(slot, expected);
    second.copyState(other);
    second.copyState(first);
    for (const slot of slots.slice(25)) {
      const bytes = first.encode(slot, expected);
      assert.equal(second.encode(slot, payload), bytes);
      assert.deepEqual(payload.subarray(0, bytes), expected.subarray(0, bytes));
    }
    opusInstance().call(0x7fff_0000, 1, ({ exports }, handle, size) => exports.decode(handle, size));
    second.copyState(first);
    assert.ok(second.encode(slots[0]!, payload) > 0);
  });

  test('a length or a rate that Opus does not have is refused', () => {
    assert.throws(
      () => createOpusEncoder(16_000).encode(new Int16Array(321), new Uint8Array(1500)),
      RangeError,
    );
    assert.throws(
      () => createOpusEncoder(48_000).encode(new Int16Array(9000), new Uint8Array(1500)),
      RangeError,
    );
    assert.throws(
      () => createOpusEncoder(44_100),
      (error) => error instanceof CallreelError && error.code === 'CODEC_UNSUPPORTED',
    );
  });
});
