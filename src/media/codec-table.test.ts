import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CodecName } from '../codec/codec.ts';
import { CallreelError } from '../errors.ts';
import { audioRateHzOf, decoderFor, encoderFor, silentSlot } from './codec-table.ts';
import type { NegotiatedCodec } from './control.ts';

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

  it('knows the rate of the samples of each codec, whatever its RTP clock', () => {
    const rateOf = (codec: CodecName, clockRateHz: number, opus?: NegotiatedCodec['opus']) =>
      audioRateHzOf({ codec, payloadType: 96, clockRateHz, ...(opus && { opus }) });
    assert.equal(rateOf('PCMA', 8000), 8000);
    assert.equal(rateOf('PCMU', 16_000), 16_000);
    assert.equal(rateOf('G722', 8000), 16_000);
    assert.equal(rateOf('OPUS', 48_000), 48_000);
    assert.equal(rateOf('OPUS', 48_000, { maxPlaybackRateHz: 12_000 }), 16_000);
    assert.equal(rateOf('OPUS', 48_000, { maxPlaybackRateHz: 8000 }), 8000);
  });

  it('gives decoders and encoders of that rate', () => {
    for (const [codec, clockRateHz, rateHz] of [
      ['PCMU', 8000, 8000],
      ['G722', 8000, 16_000],
      ['OPUS', 48_000, 48_000],
    ] as const) {
      const format = { codec, payloadType: 96, clockRateHz };
      assert.equal(decoderFor(format).rateHz, rateHz);
      assert.equal(encoderFor(format).rateHz, rateHz);
    }
  });

  it('refuses a codec or a clock rate the mixer can not take', () => {
    const refused = (error: unknown) => error instanceof CallreelError && error.code === 'NO_COMMON_CODEC';
    assert.throws(() => decoderFor({ codec: 'CN', payloadType: 13, clockRateHz: 8000 }), refused);
    assert.throws(() => encoderFor({ codec: 'PCMU', payloadType: 96, clockRateHz: 11_025 }), refused);
  });

  it('gives the silence of each law, one array for all', () => {
    const pcmu = { codec: 'PCMU', clockRateHz: 8000 } as const;
    const pcma = { codec: 'PCMA', clockRateHz: 8000 } as const;
    assert.deepEqual(silentSlot(pcmu), new Uint8Array(160).fill(0xff));
    assert.deepEqual(silentSlot(pcma), new Uint8Array(160).fill(0xd5));
    assert.equal(silentSlot(pcma), silentSlot({ ...pcma }));
  });
});
