import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wavHeader, wavHeaderBytes } from './wav.ts';
import { parseWav } from './wav-parser.ts';

function ascii(bytes: Uint8Array, offset: number): string {
  return Buffer.from(bytes.subarray(offset, offset + 4)).toString('latin1');
}

test('a known length: RIFF, JUNK placeholder, fmt, data, every field in its place', () => {
  const header = wavHeader({ rateHz: 8000, channels: 1, dataBytes: 320 });
  const view = new DataView(header.buffer);
  assert.equal(header.length, wavHeaderBytes);
  assert.deepEqual(
    [0, 8, 12, 48, 72].map((offset) => ascii(header, offset)),
    ['RIFF', 'WAVE', 'JUNK', 'fmt ', 'data'],
  );
  assert.equal(view.getUint32(4, true), 72 + 320);
  assert.equal(view.getUint32(16, true), 28);
  assert.deepEqual(header.subarray(20, 48), new Uint8Array(28));
  assert.equal(view.getUint32(60, true), 8000);
  assert.equal(view.getUint32(64, true), 16_000);
  assert.equal(view.getUint16(68, true), 2);
  assert.equal(view.getUint32(76, true), 320);
});

test('RF64 only where 32 bits do not reach, with the same length of head', () => {
  const last = 0xffff_ffff - 72;
  assert.equal(ascii(wavHeader({ rateHz: 48_000, channels: 2, dataBytes: last }), 0), 'RIFF');
  const header = wavHeader({ rateHz: 48_000, channels: 2, dataBytes: last + 1 });
  const view = new DataView(header.buffer);
  assert.equal(header.length, wavHeaderBytes);
  assert.deepEqual([ascii(header, 0), ascii(header, 12)], ['RF64', 'ds64']);
  assert.equal(view.getUint32(4, true), 0xffff_ffff);
  assert.equal(view.getBigUint64(20, true), 2n ** 32n);
  assert.equal(view.getBigUint64(28, true), BigInt(last + 1));
  assert.equal(view.getBigUint64(36, true), BigInt(Math.floor((last + 1) / 4)));
  assert.equal(view.getUint32(76, true), 0xffff_ffff);
});

test('what is written can be read; a growing file ends where it ends', () => {
  const audio = Uint8Array.from({ length: 400 }, (_, k) => k & 0xff);
  for (const dataBytes of [400, undefined]) {
    const parsed = parseWav(Buffer.concat([wavHeader({ rateHz: 16_000, channels: 2, dataBytes }), audio]));
    assert.deepEqual(parsed, {
      encoding: 'pcm16',
      rateHz: 16_000,
      channels: 2,
      frames: 100,
      data: Buffer.from(audio),
    });
  }
});

test('more than two channels need WAVE_FORMAT_EXTENSIBLE, and are read back', () => {
  const audio = Uint8Array.from({ length: 60 }, (_, k) => k);
  const head = wavHeader({ rateHz: 8000, channels: 3, dataBytes: 60 });
  const view = new DataView(head.buffer);
  assert.equal(view.getUint32(4, true), head.length - 8 + 60);
  assert.equal(view.getUint16(56, true), 0xfffe);
  assert.equal(view.getUint16(68, true), 6);
  assert.equal(ascii(head, head.length - 8), 'data');
  const parsed = parseWav(Buffer.concat([head, audio]));
  assert.deepEqual(parsed, {
    encoding: 'pcm16',
    rateHz: 8000,
    channels: 3,
    frames: 10,
    data: Buffer.from(audio),
  });
});
