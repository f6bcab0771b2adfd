import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOpusEncoder } from './opus.ts';
import { holdsRedundancy } from './opus-redundancy.ts';

/** Share of the packets of something like a voice that hold the one before once more. */
function share(useInbandFec: boolean): number {
  const encoder = createOpusEncoder(16_000, {
    ...{ useInbandFec, packetLossPercent: useInbandFec ? 25 : 0, maxAverageBitrate: 24_000 },
  });
  const out = new Uint8Array(1500);
  let holding = 0;
  for (let packet = 0; packet < 50; packet++) {
    const samples = Int16Array.from({ length: 320 }, (_, i) => {
      const t = (packet * 320 + i) / 16_000;
      return 6000 * Math.sin(2 * Math.PI * 140 * t + 3 * Math.sin(2 * Math.PI * 3 * t)) * ((t * 140) % 1);
    });
    if (holdsRedundancy(out.subarray(0, encoder.encode(samples, out)))) holding++;
  }
  encoder.close?.();
  return holding / 50;
}

test('packets with in-band error correction are known, and those without', () => {
  assert.equal(share(false), 0);
  assert.ok(share(true) > 0.5, `${share(true)}`);
});

test('the first frame is found behind every kind of framing', () => {
  const lbrr = 0x40;
  const mono20 = 1 << 3;
  assert.equal(holdsRedundancy(Uint8Array.of(mono20 | 1, lbrr, 0)), true);
  assert.equal(holdsRedundancy(Uint8Array.of(mono20 | 2, 3, lbrr)), true);
  assert.equal(holdsRedundancy(Uint8Array.of(mono20 | 2, 252, 1, lbrr)), true);
  assert.equal(holdsRedundancy(Uint8Array.of(mono20 | 3, 2, lbrr)), true);
  assert.equal(holdsRedundancy(Uint8Array.of(mono20 | 3, 0x83, 5, 253, 1, lbrr)), true);
  assert.equal(holdsRedundancy(Uint8Array.of(mono20 | 3, 0x42, 255, 3, lbrr)), true);
});

test('the bit is behind one for each SILK frame, and of either channel', () => {
  const config = (number: number, stereo = false) => (number << 3) | (stereo ? 4 : 0);
  assert.equal(holdsRedundancy(Uint8Array.of(config(3), 0x10)), true, '60 ms');
  assert.equal(holdsRedundancy(Uint8Array.of(config(3), 0xe0)), false);
  assert.equal(holdsRedundancy(Uint8Array.of(config(2), 0x20)), true, '40 ms');
  assert.equal(holdsRedundancy(Uint8Array.of(config(13), 0x40)), true, 'hybrid');
  assert.equal(holdsRedundancy(Uint8Array.of(config(9, true), 0x10)), true, 'the side channel');
  assert.equal(holdsRedundancy(Uint8Array.of(config(16), 0xff)), false, 'CELT');
});

test('what is no packet holds none', () => {
  assert.equal(holdsRedundancy(new Uint8Array(0)), false);
  assert.equal(holdsRedundancy(Uint8Array.of(8)), false);
  assert.equal(holdsRedundancy(Uint8Array.of(8 | 3)), false);
  assert.equal(holdsRedundancy(Uint8Array.of(8 | 3, 0xff, 255, 255)), false);
});
