import assert from 'node:assert/strict';
import { test } from 'node:test';
import { payloadDurationTicks } from './payload-duration.ts';

test('G.711 and G.722 have one tick a byte', () => {
  assert.equal(payloadDurationTicks('PCMU', 8000, new Uint8Array(160)), 160);
  assert.equal(payloadDurationTicks('PCMA', 8000, new Uint8Array(240)), 240);
  assert.equal(payloadDurationTicks('G722', 8000, new Uint8Array(160)), 160);
  assert.equal(payloadDurationTicks('PCMU', 8000, new Uint8Array(0)), 0);
});

/** Frame length in milliseconds for each of the 32 configurations, as printed in RFC 6716 table 2. */
const frameMs = [
  ...[10, 20, 40, 60, 10, 20, 40, 60, 10, 20, 40, 60],
  ...[10, 20, 10, 20],
  ...[2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20, 2.5, 5, 10, 20],
];

test('Opus: every configuration of the table, one and two frames', () => {
  for (const [configuration, ms] of frameMs.entries()) {
    const one = Uint8Array.of(configuration << 3);
    const two = Uint8Array.of((configuration << 3) | 1, 0);
    assert.equal(payloadDurationTicks('OPUS', 48_000, one), ms * 48, `configuration ${configuration}`);
    assert.equal(payloadDurationTicks('OPUS', 48_000, two), ms * 96);
    assert.equal(payloadDurationTicks('OPUS', 48_000, Uint8Array.of((configuration << 3) | 2, 1)), ms * 96);
  }
});

test('Opus: code 3 counts its frames; nothing longer than 120 ms, nothing without a count', () => {
  const celt20ms = (19 << 3) | 3;
  assert.equal(payloadDurationTicks('OPUS', 48_000, Uint8Array.of(celt20ms, 0x80 | 6)), 5760);
  assert.equal(payloadDurationTicks('OPUS', 48_000, Uint8Array.of(celt20ms, 7)), 0);
  assert.equal(payloadDurationTicks('OPUS', 48_000, Uint8Array.of(celt20ms, 0)), 0);
  assert.equal(payloadDurationTicks('OPUS', 48_000, Uint8Array.of(celt20ms)), 0);
  assert.equal(payloadDurationTicks('OPUS', 48_000, new Uint8Array()), 0);
});
