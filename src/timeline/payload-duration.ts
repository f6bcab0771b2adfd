import type { CodecName } from '../codec/codec.ts';

/** The Opus RTP clock (RFC 7587 4.1), whatever rate the encoder works at. */
const opusClockHz = 48_000;

/** No Opus packet is longer (RFC 6716 3.2.5, requirement R5). */
const maxOpusMs = 120;

/**
 * Length of a payload in ticks of its RTP clock; 0 for an empty or an invalid one.
 * G.711 has one sample, and so one tick, a byte. G.722 has two samples a byte at 16 kHz, but its RTP clock runs at
 * 8 kHz (RFC 3551 4.5.2), so one tick a byte as well; L16 has two bytes. Opus says its length in its first one or two bytes. Comfort noise
 * has none of its own: it lasts until the next packet (RFC 3389).
 */
export function payloadDurationTicks(codec: CodecName, clockRateHz: number, payload: Uint8Array): number {
  if (codec === 'CN') return 0;
  if (codec === 'L16') return payload.length >> 1;
  if (codec !== 'OPUS') return payload.length;
  return Math.round((opusSamples(payload) * clockRateHz) / opusClockHz);
}

/** Frame sizes in samples at 48 kHz by TOC configuration (RFC 6716 3.1, table 2). */
const silkFrames = [480, 960, 1920, 2880];
const hybridFrames = [480, 960];
const celtFrames = [120, 240, 480, 960];

function opusSamples(payload: Uint8Array): number {
  const toc = payload[0];
  if (toc === undefined) return 0;
  const configuration = toc >> 3;
  const frames = frameCount(toc & 3, payload[1]);
  const samples = frames * frameSamples(configuration);
  return samples > (maxOpusMs * opusClockHz) / 1000 ? 0 : samples;
}

function frameSamples(configuration: number): number {
  if (configuration < 12) return silkFrames[configuration & 3] ?? 0;
  if (configuration < 16) return hybridFrames[configuration & 1] ?? 0;
  return celtFrames[configuration & 3] ?? 0;
}

/** RFC 6716 3.2: codes 0 to 2 hold one or two frames, code 3 counts them in its second byte. */
function frameCount(code: number, countByte: number | undefined): number {
  if (code === 0) return 1;
  if (code < 3) return 2;
  return countByte === undefined ? 0 : countByte & 0x3f;
}
