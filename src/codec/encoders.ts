import { CallreelError } from '../errors.ts';
import type { CodecName, Encoder } from './codec.ts';
import { createG711Encoder } from './g711.ts';
import { createG722Encoder } from './g722.ts';
import { createL16Encoder } from './l16.ts';
import { createOpusEncoder, type OpusEncoding } from './opus.ts';

/** Codecs a stream of ours can be sent with, and decoded from. */
const clockRatesHz: Readonly<Record<CodecName, readonly number[]>> = {
  PCMU: [8000, 16_000],
  PCMA: [8000, 16_000],
  G722: [8000],
  OPUS: [48_000],
  CN: [],
  L16: [8000, 16_000, 48_000],
};

/**
 * A fresh encoder for one stream at the codec's natural rate: G.711 that of its RTP clock, G.722 16 kHz, Opus
 * `opus.rateHz`. The caller resamples.
 * @param clockRateHz the RTP clock rate of the payload type
 * @throws CallreelError CODEC_UNSUPPORTED
 */
export function createEncoder(codec: CodecName, clockRateHz: number, opus: OpusEncoding = {}): Encoder {
  if (!clockRatesHz[codec]?.includes(clockRateHz))
    throw new CallreelError('CODEC_UNSUPPORTED', `no codec ${codec}/${clockRateHz}`, { where: codec });
  switch (codec) {
    case 'PCMU':
      return createG711Encoder('ulaw', clockRateHz);
    case 'PCMA':
      return createG711Encoder('alaw', clockRateHz);
    case 'G722':
      return createG722Encoder();
    case 'OPUS':
      return createOpusEncoder(opus.rateHz ?? 48_000, opus);
    case 'L16':
      return createL16Encoder(clockRateHz);
    case 'CN':
      throw new CallreelError('CODEC_UNSUPPORTED', 'comfort noise is not encoded', { where: codec });
    default:
      throw new CallreelError('CODEC_UNSUPPORTED', `unknown codec ${codec satisfies never}`);
  }
}
