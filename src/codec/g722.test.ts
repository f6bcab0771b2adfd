import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createG722Decoder, createG722Encoder, g722RateHz } from './g722.ts';

const data = new URL('../../test/data/g722/', import.meta.url);

function bytesOf(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, data)));
}

function samplesOf(name: string): Int16Array {
  return new Int16Array(bytesOf(name).buffer);
}

function decodeAll(bytes: Uint8Array, packet = 160): Int16Array {
  const decoder = createG722Decoder();
  const out = new Int16Array(2 * bytes.length);
  for (let at = 0; at < bytes.length; at += packet) {
    const payload = bytes.subarray(at, at + packet);
    assert.equal(decoder.decode(payload, out.subarray(2 * at)), 2 * payload.length);
  }
  return out;
}

function encodeAll(samples: Int16Array, frame: number): Uint8Array {
  const encoder = createG722Encoder();
  const out = new Uint8Array(samples.length >> 1);
  let bytes = 0;
  for (let at = 0; at < samples.length; at += frame)
    bytes += encoder.encode(samples.subarray(at, at + frame), out.subarray(bytes));
  assert.equal(bytes, out.length);
  return out;
}

function sine(hertz: number, amplitude: number, samples: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hertz * i) / g722RateHz)),
  );
}

/** RMS of `samples` at best alignment with `reference`, delayed by the filters' 22 samples. */
function signalToNoiseDb(reference: Int16Array, decoded: Int16Array): number {
  const delay = 22;
  let signal = 0;
  let noise = 0;
  for (let i = 800; i < reference.length - delay; i++) {
    signal += reference[i]! ** 2;
    noise += (decoded[i + delay]! - reference[i]!) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

describe('bit for bit what another implementation gives (test/data/g722/README.md)', () => {
  test('encoder', () => {
    assert.deepEqual(encodeAll(samplesOf('input.s16'), 320), bytesOf('encoded.g722'));
  });

  test('decoder', () => {
    assert.deepEqual(decodeAll(bytesOf('encoded.g722')), samplesOf('decoded.s16'));
  });

  test('decoder, of bytes no encoder makes', () => {
    assert.deepEqual(decodeAll(bytesOf('random.g722')), samplesOf('random.s16'));
  });
});

test('packets and frames of any size give the same, odd ones too', () => {
  const input = samplesOf('input.s16');
  for (const frame of [1, 3, 161, 8000]) assert.deepEqual(encodeAll(input, frame), bytesOf('encoded.g722'));
  for (const packet of [1, 7, 80])
    assert.deepEqual(decodeAll(bytesOf('encoded.g722'), packet), samplesOf('decoded.s16'));
});

test('tones of both bands come through', () => {
  for (const [hertz, leastDb] of [
    [300, 30],
    [1000, 30],
    [3400, 25],
    [6000, 12],
  ] as const) {
    const tone = sine(hertz, 8000, 16_000);
    const ratio = signalToNoiseDb(tone, decodeAll(encodeAll(tone, 320)));
    assert.ok(ratio > leastDb, `${hertz} Hz: ${ratio} dB`);
  }
});

test('silence stays silent, and full scale does not wrap', () => {
  const silent = decodeAll(encodeAll(new Int16Array(3200), 320));
  assert.ok(silent.every((sample) => Math.abs(sample) <= 4));
  const square = Int16Array.from({ length: 3200 }, (_, i) => (Math.floor(i / 40) % 2 ? 32_767 : -32_768));
  const loud = decodeAll(encodeAll(square, 320));
  for (let i = 1600; i < 3040; i += 80)
    assert.ok(loud[i + 22 + 20]! < -20_000 && loud[i + 22 + 60]! > 20_000);
});

test('nothing is written past the end of `out`', () => {
  const samples = new Int16Array(5).fill(7);
  assert.equal(createG722Decoder().decode(bytesOf('encoded.g722'), samples), 4);
  assert.equal(samples[4], 7);
  assert.equal(createG722Encoder().encode(sine(440, 1000, 320), new Uint8Array(3)), 3);
});

describe('towards another encoder', () => {
  const slots = (samples: Int16Array) =>
    Array.from({ length: samples.length / 320 }, (_, n) => samples.subarray(n * 320, (n + 1) * 320));
  const input = samplesOf('input.s16');
  const before = slots(sine(700, 9000, 320 * 20));

  test('both say the same in the end, and what is said until then is nearly as good as its own', () => {
    const said = Array.from({ length: 6 }, () => slots(input)).flat();
    const [first, second, alone] = [createG722Encoder(), createG722Encoder(), createG722Encoder()];
    const payload = new Uint8Array(160);
    for (const slot of before) for (const encoder of [second, alone]) encoder.encode(slot, payload);
    const [towards, apart] = [new Uint8Array(160), new Uint8Array(160)];
    const [sent, ownSent]: [number[], number[]] = [[], []];
    const isSame = said.map((slot) => {
      first.encode(slot, payload);
      second.encodeTowards!(slot, payload, towards);
      alone.encode(slot, apart);
      sent.push(...towards);
      ownSent.push(...apart);
      return Buffer.compare(payload, towards) === 0;
    });
    const settledAt = isSame.findIndex((_, n) => isSame.slice(n, n + 10).every((same) => same));
    assert.ok(settledAt > 0 && settledAt < said.length - 20, `at ${settledAt} of ${said.length}`);
    const reference = Int16Array.from(said.flatMap((slot) => [...slot]));
    const [heard, ownHeard] = [sent, ownSent].map((bytes) =>
      signalToNoiseDb(reference, decodeAll(Uint8Array.from(bytes))),
    );
    assert.ok(heard! > ownHeard! - 2, `${heard} dB, by itself ${ownHeard}`);
  });

  test('an encoder goes on where another one is', () => {
    const [first, second] = [createG722Encoder(), createG722Encoder()];
    const [payload, other] = [new Uint8Array(160), new Uint8Array(160)];
    for (const slot of before) first.encode(slot, payload);
    first.encode(Int16Array.of(300), payload);
    second.copyState!(first);
    for (const slot of slots(input).slice(0, 20)) {
      first.encode(slot, payload);
      second.encode(slot, other);
      assert.deepEqual(other, payload);
    }
  });
});
