import { CallreelError } from '../errors.ts';
import type { Decoder, Encoder } from './codec.ts';
import { OpusCoder } from './opus-coder.ts';
import { type OpusInstance, opusMaxPayloadBytes, opusMaxSamples } from './opus-module.ts';

/** Rates libopus decodes to and encodes from by itself (RFC 6716 section 2.1.1 has the same list as bandwidths). */
const directRatesHz: readonly number[] = [8000, 12_000, 16_000, 24_000, 48_000];

/** RFC 7587: the RTP clock of Opus always runs at this rate, whatever is coded. */
export const opusClockRateHz = 48_000;

/** The longest packet libopus decodes, 120 ms (RFC 6716 section 3.2.5). */
export const opusMaxPacketMs = 120;

/** How to encode; what is not there is left to the encoder. The names are those of RFC 7587 section 6.1. */
export interface OpusEncoding {
  /** Rate of the samples given: 8, 12, 16, 24 or 48 kHz. */
  rateHz?: number;
  maxPlaybackRateHz?: number;
  maxAverageBitrate?: number;
  useInbandFec?: boolean;
  useDtx?: boolean;
  /** The loss that forward error correction is made for. */
  packetLossPercent?: number;
  /** 0 to 10. */
  complexity?: number;
}

/**
 * Decodes to mono at `targetRateHz` where libopus can, else at 48 kHz: see `rateHz`. A payload that is no Opus
 * packet, or an empty one, gives 0 samples; what `out` has no room for is cut.
 */
export function createOpusDecoder(targetRateHz: number): Required<Omit<Decoder, 'decodeSeries'>> {
  const rateHz = directRatesHz.includes(targetRateHz) ? targetRateHz : opusClockRateHz;
  return new OpusDecoder(rateHz);
}

class OpusDecoder implements Required<Omit<Decoder, 'decodeSeries'>> {
  readonly rateHz: number;
  readonly #coder: OpusCoder;

  constructor(rateHz: number) {
    this.rateHz = rateHz;
    this.#coder = new OpusCoder('decoder', ({ exports }) => exports.createDecoder(rateHz));
  }

  decode(payload: Uint8Array, out: Int16Array): number {
    // An empty payload would be taken for a loss.
    if (payload.length === 0 || payload.length > opusMaxPayloadBytes) return 0;
    const { instance, handle } = this.#coder.acquire();
    instance.payload.set(payload);
    const samples = instance.call(handle, payload.length, decodeCall);
    return copied(instance, samples, out, 0);
  }

  /** libopus conceals whole multiples of 2.5 ms, 120 ms at most in one go. */
  conceal(out: Int16Array, samples: number, next?: Uint8Array): number {
    const { instance, handle } = this.#coder.acquire();
    const wanted = Math.min(samples, out.length);
    const unit = this.rateHz / 400;
    const most = (this.rateHz * opusMaxPacketMs) / 1000;
    let written = 0;
    while (written < wanted) {
      const frame = Math.min(most, Math.ceil((wanted - written) / unit) * unit);
      const isLast = written + frame >= wanted;
      const usable = isLast && next && next.length <= opusMaxPayloadBytes ? next : undefined;
      if (usable) instance.payload.set(usable);
      const made = instance.call(handle, usable?.length ?? 0, concealCall, frame);
      const kept = copied(instance, made, out.subarray(0, wanted), written);
      if (kept <= 0) break;
      written += kept;
    }
    return written;
  }

  close(): void {
    this.#coder.close();
  }
}

function decodeCall({ exports }: OpusInstance, handle: number, payloadBytes: number): number {
  return exports.decode(handle, payloadBytes);
}

function concealCall({ exports }: OpusInstance, handle: number, bytes: number, frame: number): number {
  return exports.conceal(handle, bytes, frame);
}

function copied(instance: OpusInstance, made: number, out: Int16Array, offset: number): number {
  const samples = Math.min(made, out.length - offset);
  if (samples <= 0) return 0;
  out.set(instance.samples.subarray(0, samples), offset);
  return samples;
}

/** Requests of `opus_encoder_ctl` (opus_defines.h). */
const request = {
  bitrate: 4002,
  maxBandwidth: 4004,
  complexity: 4010,
  inbandFec: 4012,
  packetLossPercent: 4014,
  dtx: 4016,
} as const;

/** Twice the CPU time of this buys little for speech: 100 us for 20 ms of 16 kHz against 200 at 9. */
const defaultComplexity = 5;

/** Redundancy is only made for an expected loss; what RFC 7587 says of `useinbandfec` has no figure. */
const defaultFecLossPercent = 10;

/** Bounds of RFC 7587 section 6.1, `maxaveragebitrate`. */
const minBitrate = 6000;
const maxBitrate = 510_000;

/** `OPUS_BANDWIDTH_NARROWBAND` and upward, by the highest playback rate each serves. */
const bandwidths = [
  [8000, 1101],
  [12_000, 1102],
  [16_000, 1103],
  [24_000, 1104],
] as const;
const fullBandwidth = 1105;

type RememberingEncoder = Required<Omit<Encoder, 'encodeTowards'>>;

/**
 * Mono, for speech. `encode` takes 2.5, 5, 10, 20, 40 or 60 ms of samples, and gives 0 bytes where nothing needs to be
 * sent (discontinuous transmission). Any other length throws a RangeError.
 * @throws CallreelError CODEC_UNSUPPORTED for a rate that Opus does not have
 */
export function createOpusEncoder(rateHz: number, encoding: OpusEncoding = {}): RememberingEncoder {
  if (!directRatesHz.includes(rateHz))
    throw new CallreelError('CODEC_UNSUPPORTED', `Opus does not encode ${rateHz} Hz`, { where: 'OPUS' });
  return new OpusEncoder(rateHz, encoding);
}

class OpusEncoder implements RememberingEncoder {
  readonly rateHz: number;
  readonly #coder: OpusCoder;
  readonly #useDtx: boolean;

  constructor(rateHz: number, encoding: OpusEncoding) {
    this.rateHz = rateHz;
    this.#useDtx = encoding.useDtx ?? false;
    const settings = encoderSettings(encoding);
    this.#coder = new OpusCoder('encoder', ({ exports }) => {
      const handle = exports.createEncoder(rateHz);
      if (handle !== 0) for (const [name, value] of settings) exports.setEncoder(handle, name, value);
      return handle;
    });
  }

  encode(samples: Int16Array, out: Uint8Array): number {
    const { instance, handle } = this.#coder.acquire();
    if (samples.length <= opusMaxSamples) instance.samples.set(samples);
    const bytes = instance.call(handle, samples.length, encodeCall, out.length);
    if (bytes < 0 && !instance.isBroken) throw new RangeError(`no Opus packet has ${samples.length} samples`);
    // libopus says so: a packet of two bytes or less need not be sent.
    if (bytes <= 0 || (this.#useDtx && bytes <= 2)) return 0;
    out.set(instance.payload.subarray(0, bytes));
    return bytes;
  }

  copyState(from: Encoder): void {
    if (!(from instanceof OpusEncoder) || from.rateHz !== this.rateHz) return;
    const { instance, handle } = this.#coder.acquire();
    const other = from.#coder.acquire();
    // One that is left of another instance has its memory there.
    if (other.instance === instance) instance.exports.copyEncoder(handle, other.handle);
  }

  close(): void {
    this.#coder.close();
  }
}

function encodeCall({ exports }: OpusInstance, handle: number, samples: number, maxBytes: number): number {
  return exports.encode(handle, samples, maxBytes);
}

function encoderSettings(encoding: OpusEncoding): [number, number][] {
  const { maxPlaybackRateHz, maxAverageBitrate, useInbandFec, useDtx } = encoding;
  const settings: [number, number][] = [[request.complexity, encoding.complexity ?? defaultComplexity]];
  if (maxAverageBitrate !== undefined)
    settings.push([request.bitrate, Math.max(minBitrate, Math.min(maxBitrate, maxAverageBitrate))]);
  if (maxPlaybackRateHz !== undefined) settings.push([request.maxBandwidth, bandwidthFor(maxPlaybackRateHz)]);
  if (useInbandFec) {
    settings.push([request.inbandFec, 1]);
    settings.push([request.packetLossPercent, encoding.packetLossPercent ?? defaultFecLossPercent]);
  }
  if (useDtx) settings.push([request.dtx, 1]);
  return settings;
}

function bandwidthFor(maxPlaybackRateHz: number): number {
  return bandwidths.find(([rateHz]) => maxPlaybackRateHz <= rateHz)?.[1] ?? fullBandwidth;
}
