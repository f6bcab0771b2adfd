import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  alawSilence,
  createG711Decoder,
  createG711Encoder,
  decodeAlaw,
  decodeUlaw,
  encodeAlaw,
  encodeUlaw,
  ulawSilence,
} from './g711.ts';

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);

function decodeAll(decode: typeof decodeUlaw): Int16Array {
  const out = new Int16Array(256);
  assert.equal(decode(everyByte, out), 256);
  return out;
}

function encodeOne(encode: typeof encodeUlaw, sample: number): number {
  const out = new Uint8Array(1);
  encode(Int16Array.of(sample), out);
  return out[0]!;
}

/** Closed form of the mu-law in 14-bit units: (2m + 33) * 2^e - 33. */
function ulawByFormula(byte: number): number {
  const code = 255 - byte;
  const magnitude = (2 * (code % 16) + 33) * 2 ** (Math.floor(code / 16) % 8) - 33;
  return (code >= 128 ? -4 : 4) * magnitude + 0;
}

/** Closed form of the A-law in 13-bit units: 2m + 1 in the first segment, (2m + 33) * 2^(e - 1) above. */
function alawByFormula(byte: number): number {
  const code = byte ^ 0x55;
  const exponent = Math.floor(code / 16) % 8;
  const magnitude = exponent === 0 ? 2 * (code % 16) + 1 : (2 * (code % 16) + 33) * 2 ** (exponent - 1);
  return (code >= 128 ? 8 : -8) * magnitude;
}

describe('G.711 mu-law', () => {
  test('all 256 codes decode as the closed form says', () => {
    assert.deepEqual(decodeAll(decodeUlaw), Int16Array.from(everyByte, ulawByFormula));
  });

  test('every code survives decode and encode, negative zero becomes zero', () => {
    const encoded = new Uint8Array(256);
    encodeUlaw(decodeAll(decodeUlaw), encoded);
    const expected = everyByte.slice();
    expected[0x7f] = 0xff;
    assert.deepEqual(encoded, expected);
  });

  test('values of ITU-T G.711 table 2a', () => {
    const decoded = decodeAll(decodeUlaw);
    const table = [
      [0x80, 8031],
      [0x8f, 4191],
      [0x9f, 2079],
      [0xaf, 1023],
      [0xbf, 495],
      [0xcf, 231],
      [0xdf, 99],
      [0xef, 33],
      [0xfe, 2],
      [0xff, 0],
    ] as const;
    for (const [byte, value] of table) {
      assert.equal(decoded[byte], value * 4);
      assert.equal(decoded[byte ^ 0x80], -value * 4 + 0);
    }
  });

  test('a sample on a decision value belongs to the larger code, one below to the smaller', () => {
    for (const [decision, above, below] of [
      [4, 0xfe, 0xff],
      [124, 0xef, 0xf0],
      [380, 0xdf, 0xe0],
      [16_252, 0x8f, 0x90],
    ] as const) {
      assert.equal(encodeOne(encodeUlaw, decision), above);
      assert.equal(encodeOne(encodeUlaw, decision - 1), below);
      assert.equal(encodeOne(encodeUlaw, -decision - 1), above ^ 0x80);
      assert.equal(encodeOne(encodeUlaw, -decision), below ^ 0x80);
    }
  });

  test('overload and silence', () => {
    assert.equal(encodeOne(encodeUlaw, 32_767), 0x80);
    assert.equal(encodeOne(encodeUlaw, -32_768), 0x00);
    assert.equal(encodeOne(encodeUlaw, 0), ulawSilence);
  });
});

describe('G.711 A-law', () => {
  test('all 256 codes decode as the closed form says', () => {
    assert.deepEqual(decodeAll(decodeAlaw), Int16Array.from(everyByte, alawByFormula));
  });

  test('every code survives decode and encode', () => {
    const encoded = new Uint8Array(256);
    encodeAlaw(decodeAll(decodeAlaw), encoded);
    assert.deepEqual(encoded, everyByte);
  });

  test('values of ITU-T G.711 table 1a, with the even bits inverted', () => {
    const decoded = decodeAll(decodeAlaw);
    const table = [
      [0xff, 4032],
      [0xf0, 2112],
      [0xe0, 1056],
      [0xd0, 528],
      [0xc0, 264],
      [0xb0, 132],
      [0xa0, 66],
      [0x81, 3],
      [0x80, 1],
    ] as const;
    for (const [code, value] of table) {
      assert.equal(decoded[code ^ 0x55], value * 8);
      assert.equal(decoded[code ^ 0x55 ^ 0x80], -value * 8);
    }
  });

  test('decision values, overload and silence', () => {
    assert.equal(encodeOne(encodeAlaw, 16), 0x81 ^ 0x55);
    assert.equal(encodeOne(encodeAlaw, 15), 0x80 ^ 0x55);
    assert.equal(encodeOne(encodeAlaw, -16), 0x00 ^ 0x55);
    assert.equal(encodeOne(encodeAlaw, -17), 0x01 ^ 0x55);
    assert.equal(encodeOne(encodeAlaw, 32_767), 0xff ^ 0x55);
    assert.equal(encodeOne(encodeAlaw, -32_768), 0x7f ^ 0x55);
    assert.equal(encodeOne(encodeAlaw, 0), alawSilence);
  });
});

describe('digital milliwatt', () => {
  const rms = (samples: Int16Array): number =>
    Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length);

  // G.711 tables 5 and 6: the sequence has a nominal level of 0 dBm0; overload lies at 3.17 and 3.14 dBm0.
  test('decodes to the nominal level in both laws', () => {
    const ulaw = new Int16Array(8);
    decodeUlaw(Uint8Array.of(0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e), ulaw);
    const alaw = new Int16Array(8);
    decodeAlaw(Uint8Array.of(0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4), alaw);
    const ulawLevel = 20 * Math.log10((rms(ulaw) * Math.SQRT2) / (8159 * 4)) + 3.17;
    const alawLevel = 20 * Math.log10((rms(alaw) * Math.SQRT2) / (4096 * 8)) + 3.14;
    assert.ok(Math.abs(ulawLevel) < 0.1, `${ulawLevel} dBm0`);
    assert.ok(Math.abs(alawLevel) < 0.1, `${alawLevel} dBm0`);
  });
});

describe('bounds', () => {
  test('quantisation error stays within half a step over the whole range', () => {
    const samples = Int16Array.from({ length: 65_536 }, (_, i) => i - 32_768);
    const bytes = new Uint8Array(65_536);
    const back = new Int16Array(65_536);
    for (const [encode, decode, top] of [
      [encodeUlaw, decodeUlaw, 32_124 + 512],
      [encodeAlaw, decodeAlaw, 32_256 + 512],
    ] as const) {
      encode(samples, bytes);
      decode(bytes, back);
      for (let i = 0; i < samples.length; i++) {
        const sample = samples[i]!;
        if (Math.abs(sample) > top) continue;
        const half = Math.max(8, Math.abs(sample) / 32 + 4.2);
        assert.ok(Math.abs(back[i]! - sample) <= half, `${sample} became ${back[i]}`);
      }
    }
  });

  test('an offset is honoured and nothing is written past the end', () => {
    const out = new Int16Array(4);
    assert.equal(decodeUlaw(Uint8Array.of(0x80, 0x80, 0x80), out, 2), 2);
    assert.deepEqual(out, Int16Array.of(0, 0, 32_124, 32_124));
    assert.equal(decodeUlaw(Uint8Array.of(0x80), out, 9), 0);
    const bytes = new Uint8Array(3);
    assert.equal(encodeAlaw(Int16Array.of(0, 0, 0), bytes, 2), 1);
    assert.deepEqual(bytes, Uint8Array.of(0, 0, alawSilence));
  });

  test('the codec objects give the same as the functions', () => {
    const decoder = createG711Decoder('alaw');
    const encoder = createG711Encoder('alaw');
    assert.equal(decoder.rateHz, 8000);
    assert.equal(createG711Decoder('ulaw', 16_000).rateHz, 16_000);
    assert.equal(createG711Decoder('alaw'), decoder, 'one for all streams');
    assert.notEqual(createG711Decoder('ulaw'), decoder);
    const out = new Int16Array(256);
    assert.equal(decoder.decode(everyByte, out), 256);
    assert.deepEqual(out, decodeAll(decodeAlaw));
    const bytes = new Uint8Array(256);
    assert.equal(encoder.encode(out, bytes), 256);
    assert.deepEqual(bytes, everyByte);
  });
});

test('payloads one behind the other decode as each by itself, wherever they lie', () => {
  for (const law of ['ulaw', 'alaw'] as const)
    for (const payloadBytes of [1, 160, 161])
      for (const outOffset of [0, 1, 2, 7, -1]) {
        const decoder = createG711Decoder(law);
        const [count, strideBytes] = [5, payloadBytes + 15];
        const bytes = Uint8Array.from({ length: count * strideBytes }, (_, at) => (at * 37) & 0xff);
        const memory = new Int16Array(outOffset + count * payloadBytes + 4).fill(7);
        // -1: what they are decoded to begins between two words itself.
        const begin = outOffset === -1 ? 1 : 0;
        const at0 = Math.max(0, outOffset);
        const expected = memory.slice();
        const out = memory.subarray(begin);
        for (let index = 0; index < count; index++) {
          const payload = bytes.subarray(index * strideBytes, index * strideBytes + payloadBytes);
          const at = begin + at0 + index * payloadBytes;
          decoder.decode(payload, expected.subarray(at, at + payloadBytes));
        }
        decoder.decodeSeries!({ bytes, count, payloadBytes, strideBytes }, out, at0);
        assert.deepEqual(memory, expected, `${law} ${payloadBytes} ${outOffset}`);
        const small = out.subarray(0, count * payloadBytes - 1);
        const tooMany = () =>
          decoder.decodeSeries!({ bytes, count: count + 1, payloadBytes, strideBytes }, small, 0);
        if (payloadBytes > 10) assert.throws(tooMany, RangeError);
      }
});
