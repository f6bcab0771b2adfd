import { CallreelError } from '../errors.ts';
import type { CodecName, Decoder } from './codec.ts';
import { createG711Decoder } from './g711.ts';
import { createG722Decoder } from './g722.ts';
import { createL16Decoder } from './l16.ts';
import { createOpusDecoder } from './opus.ts';

/**
 * A fresh decoder for one stream.
 * @param clockRateHz the RTP clock rate of the payload type
 * @param targetRateHz the rate the samples are wanted at; the decoder's `rateHz` says what it gives (G.711 always
 *   its own rate, G.722 16 kHz), the caller resamples the rest
 * @throws CallreelError CODEC_UNSUPPORTED
 */
export function createDecoder(codec: CodecName, clockRateHz: number, targetRateHz: number): Decoder {
  switch (codec) {
    case 'PCMU':
      return createG711Decoder('ulaw', clockRateHz);
    case 'PCMA':
      return createG711Decoder('alaw', clockRateHz);
    case 'OPUS':
      return createOpusDecoder(targetRateHz);
    case 'G722':
      return createG722Decoder();
    case 'L16':
      return createL16Decoder(clockRateHz);
    case 'CN':
      throw new CallreelError('CODEC_UNSUPPORTED', 'comfort noise is made, not decoded', { where: codec });
    default:
      throw new CallreelError('CODEC_UNSUPPORTED', `unknown codec ${codec satisfies never}`);
  }
}
