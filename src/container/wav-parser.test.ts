import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import { wavHeader } from './wav.ts';
import { parseWav, pcm16Samples } from './wav-parser.ts';

function chunk(tag: string, body: Uint8Array, size = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.write(tag, 'latin1');
  head.writeUInt32LE(size, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length & 1)]);
}

function riff(...chunks: Buffer[]): Buffer {
  const head = Buffer.from('RIFF\0\0\0\0WAVE', 'latin1');
  return Buffer.concat([head, ...chunks]);
}

function format(
  tag: number,
  channels: number,
  rateHz: number,
  bits: number,
  extra = Buffer.alloc(0),
): Buffer {
  const body = Buffer.alloc(16);
  body.writeUInt16LE(tag, 0);
  body.writeUInt16LE(channels, 2);
  body.writeUInt32LE(rateHz, 4);
  body.writeUInt16LE(bits, 14);
  return chunk('fmt ', Buffer.concat([body, extra]));
}

const audio = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]);

test('PCM and floating point of every width', () => {
  for (const [tag, bits, encoding] of [
    [1, 8, 'pcm8'],
    [1, 16, 'pcm16'],
    [1, 24, 'pcm24'],
    [1, 32, 'pcm32'],
    [3, 32, 'float32'],
    [3, 64, 'float64'],
  ] as const) {
    const parsed = parseWav(riff(format(tag, 1, 44_100, bits), chunk('data', audio)));
    assert.deepEqual([parsed.encoding, parsed.frames], [encoding, Math.floor((8 * 8) / bits)]);
  }
});

test('G.711 and extensible PCM, foreign chunks of odd length skipped', () => {
  const list = chunk('LIST', Buffer.from('odd'));
  for (const [tag, bits, encoding] of [
    [6, 8, 'alaw'],
    [7, 8, 'ulaw'],
    [1, 16, 'pcm16'],
  ] as const) {
    const parsed = parseWav(riff(list, format(tag, 1, 8000, bits), list, chunk('data', audio)));
    assert.equal(parsed.encoding, encoding);
    assert.equal(parsed.frames, (8 * 8) / bits);
    assert.deepEqual(parsed.data, audio);
  }
  const extension = Buffer.alloc(24);
  extension.writeUInt16LE(1, 8);
  const parsed = parseWav(riff(format(0xfffe, 2, 48_000, 16, extension), chunk('data', audio)));
  assert.deepEqual([parsed.encoding, parsed.channels, parsed.frames], ['pcm16', 2, 2]);
});

test('RF64 takes the length from ds64', () => {
  const header = wavHeader({ rateHz: 8000, channels: 1, dataBytes: 2 ** 32 });
  new DataView(header.buffer).setBigUint64(28, 6n, true);
  assert.equal(parseWav(Buffer.concat([header, audio])).frames, 3);
});

test('a length that was never filled in leads to the end of the file; audio that is really empty stays so', () => {
  const head = format(1, 1, 8000, 16);
  for (const size of [0, 0xffff_ffff, 0x7fff_ffff])
    assert.deepEqual(parseWav(riff(head, chunk('data', audio, size))).data, audio, `size ${size}`);
  const list = chunk('LIST', Buffer.from('INFOodd'));
  for (const behind of [[], [list], [list, list.subarray(0, -1)]])
    assert.equal(parseWav(riff(head, chunk('data', Buffer.alloc(0)), ...behind)).frames, 0);
});

test('samples are read at any alignment', () => {
  const shifted = new Uint8Array(Buffer.from([9, 0x34, 0x12, 0xff, 0xff, 7])).subarray(1);
  assert.deepEqual(pcm16Samples(shifted), Int16Array.of(0x1234, -1));
});

test('what is no audio is refused with its place', () => {
  const bad = [
    Buffer.alloc(0),
    Buffer.from('RIFF\0\0\0\0AVI ', 'latin1'),
    riff(),
    riff(chunk('data', audio)),
    riff(format(1, 1, 8000, 20), chunk('data', audio)),
    riff(format(2, 1, 8000, 4), chunk('data', audio)),
    riff(format(1, 0, 8000, 16), chunk('data', audio)),
    riff(format(1, 2000, 8000, 16), chunk('data', audio)),
    riff(format(1, 1, 0, 16), chunk('data', audio)),
    riff(chunk('fmt ', Buffer.alloc(4)), chunk('data', audio)),
    riff(format(1, 1, 8000, 16), chunk('LIST', Buffer.alloc(0), 0xffff_fff0), chunk('data', audio)),
    riff(...Array.from({ length: 1001 }, () => chunk('JUNK', Buffer.alloc(0))), format(1, 1, 8000, 16)),
  ];
  for (const [index, bytes] of bad.entries()) {
    assert.throws(
      () => parseWav(bytes),
      (error) =>
        error instanceof CallreelError && error.code === 'AUDIO_INVALID' && /^byte/.test(error.where ?? ''),
      `case ${index}`,
    );
  }
});

test('every single broken byte of a head parses or is refused, never anything else', () => {
  const whole = Buffer.concat([wavHeader({ rateHz: 8000, channels: 1, dataBytes: 8 }), audio]);
  for (let offset = 0; offset < whole.length; offset += 1) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
      const broken = Buffer.from(whole);
      broken[offset] = value;
      try {
        assert.ok(parseWav(broken.subarray(0, whole.length)).frames <= 8);
      } catch (error) {
        assert.ok(error instanceof CallreelError);
      }
    }
  }
});
