import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallreelError } from '../errors.ts';
import { decoderFor, encoderFor, silentSlot, slotSamples } from './codec-table.ts';

describe('codec table', () => {
  it('knows both laws of G.711', () => {
    for (const [codec, payloadType] of [
      ['PCMU', 0],
      ['PCMA', 8],
    ] as const) {
      const format = { codec, payloadType, clockRateHz: 8000 };
      const samples = new Int16Array(1);
      assert.equal(decoderFor(format).decode(Uint8Array.of(0x2a), samples), 1);
      const payload = new Uint8Array(1);
      assert.equal(encoderFor(format).encode(samples, payload), 1);
      assert.equal(payload[0], 0x2a);
    }
  });

  it('refuses a codec or a clock rate the mixer can not take', () => {
    const refused = (error: unknown) => error instanceof CallreelError && error.code === 'NO_COMMON_CODEC';
    assert.throws(() => decoderFor({ codec: 'OPUS', payloadType: 111, clockRateHz: 48_000 }), refused);
    assert.throws(() => encoderFor({ codec: 'PCMU', payloadType: 96, clockRateHz: 16_000 }), refused);
  });

  it('gives the silence of each law, one array for all', () => {
    assert.deepEqual(silentSlot('PCMU'), new Uint8Array(slotSamples).fill(0xff));
    assert.deepEqual(silentSlot('PCMA'), new Uint8Array(slotSamples).fill(0xd5));
    assert.equal(silentSlot('PCMA'), silentSlot('PCMA'));
  });
});
