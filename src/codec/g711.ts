import type { Decoder, Encoder, PayloadSeries } from './codec.ts';
import { maxKernelStrideBytes, sampleKernel } from './sample-kernel.ts';

/**
 * ITU-T G.711, both laws, 16-bit linear samples (the recommendation's 14 and 13 bit values, left-aligned).
 * Encoding decides by the recommendation's decision values (tables 1a to 2b), so that a code decoded and encoded
 * again is the same code; only the negative zero of the mu-law (0x7F) comes back as the positive one (0xFF).
 */
export type G711Law = 'ulaw' | 'alaw';

/** To be read by whoever decodes or encodes on the way of the samples to something else. */
export interface LawTables {
  readonly toLinear: Int16Array;
  /** Indexed by the sample's 16-bit two's complement pattern, less the last bits that decide nothing. */
  readonly fromLinear: Uint8Array;
}

/** Every decision value of the mu-law is a multiple of 4; the A-law has them at multiples of 16. */
export const undecidedBits = 2;

const codesPerSign = 128;

/** Magnitude, in 16-bit samples, of code 0..127 before sign and bit inversion. */
function ulawMagnitude(code: number): number {
  return (((code & 0x0f) << 3) + 0x84) * 2 ** (code >> 4) - 0x84;
}

function ulawStep(code: number): number {
  return 8 << (code >> 4);
}

function alawMagnitude(code: number): number {
  const segment = code >> 4;
  const mantissa = (code & 0x0f) << 4;
  return segment === 0 ? mantissa + 8 : (mantissa + 0x108) << (segment - 1);
}

function alawStep(code: number): number {
  return 16 << Math.max(0, (code >> 4) - 1);
}

function buildTables(
  magnitude: (code: number) => number,
  step: (code: number) => number,
  positiveByte: (code: number) => number,
): LawTables {
  const toLinear = new Int16Array(256);
  const fromLinear = new Uint8Array(65_536 >> undecidedBits);
  for (let code = 0; code < codesPerSign; code++) {
    const byte = positiveByte(code);
    toLinear[byte] = magnitude(code);
    toLinear[byte ^ 0x80] = -magnitude(code);
    const decision = code === 0 ? 0 : magnitude(code) - step(code) / 2;
    const nextDecision = code === codesPerSign - 1 ? 32_768 : magnitude(code) + step(code) / 2;
    for (let sample = decision; sample < nextDecision; sample += 1 << undecidedBits) {
      fromLinear[sample >> undecidedBits] = byte;
      // Negative samples by their one's complement, as the reference code of G.191 does: both signs get equal ranges.
      fromLinear[(~sample & 0xffff) >> undecidedBits] = byte ^ 0x80;
    }
  }
  return { toLinear, fromLinear };
}

export const lawTables: Readonly<Record<G711Law, LawTables>> = {
  ulaw: buildTables(ulawMagnitude, ulawStep, (code) => 0xff ^ code),
  alaw: buildTables(alawMagnitude, alawStep, (code) => (0x80 | code) ^ 0x55),
};

const ulawToLinear = lawTables.ulaw.toLinear;
const alawToLinear = lawTables.alaw.toLinear;
const linearToUlaw = lawTables.ulaw.fromLinear;
const linearToAlaw = lawTables.alaw.fromLinear;

/** The byte that stands for silence on the wire (PCMU 0xFF, PCMA 0xD5). */
export const ulawSilence = 0xff;
export const alawSilence = 0xd5;

function decodeByTable(table: Int16Array, payload: Uint8Array, out: Int16Array, outOffset: number): number {
  const samples = Math.max(0, Math.min(payload.length, out.length - outOffset));
  for (let i = 0; i < samples; i++) out[outOffset + i] = table[payload[i]!]!;
  return samples;
}

/** A sample as the first and as the second half of a word. The machine is little-endian. */
interface WordTables {
  readonly first: Int32Array;
  readonly second: Int32Array;
}

function wordTables({ toLinear }: LawTables): WordTables {
  return {
    first: Int32Array.from(toLinear, (sample) => sample & 0xffff),
    second: Int32Array.from(toLinear, (sample) => sample << 16),
  };
}

const words: Readonly<Record<G711Law, WordTables>> = {
  ulaw: wordTables(lawTables.ulaw),
  alaw: wordTables(lawTables.alaw),
};

/** Fewer are decoded no faster by the kernel. */
const leastKernelSamples = 1600;

function decodeSeries(law: G711Law, payloads: PayloadSeries, out: Int16Array, outOffset: number): void {
  const { count, payloadBytes, strideBytes } = payloads;
  const samples = count * payloadBytes;
  if (outOffset + samples > out.length) throw new RangeError('no room for what is decoded');
  if (samples >= leastKernelSamples && strideBytes <= maxKernelStrideBytes)
    sampleKernel().decode(law, payloads, out, outOffset);
  else if (samples > 0) decodeSeriesByTable(words[law], payloads, out, outOffset);
}

/** Two samples at once, wherever they begin. */
function decodeSeriesByTable(
  { first, second }: WordTables,
  { bytes, count, payloadBytes, strideBytes }: PayloadSeries,
  out: Int16Array,
  outOffset: number,
): void {
  const samples = count * payloadBytes;
  const atByte = out.byteOffset + 2 * outOffset;
  const before = (atByte % 4) / 2;
  const pairs = new Int32Array(out.buffer, atByte - 2 * before, (samples + before) >> 1);
  let at = 0;
  // The first half of a word: what lies before the samples, or the last one of a payload.
  let hasHalf = before === 1;
  let half = hasHalf ? pairs[0]! & 0xffff : 0;
  for (let index = 0; index < count; index++) {
    let from = index * strideBytes;
    const end = from + payloadBytes;
    if (hasHalf && from < end) pairs[at++] = half | second[bytes[from++]!]!;
    for (; from + 1 < end; from += 2) pairs[at++] = first[bytes[from]!]! | second[bytes[from + 1]!]!;
    hasHalf = from < end;
    if (hasHalf) half = first[bytes[from]!]!;
  }
  if (hasHalf) out[outOffset + samples - 1] = half;
}

/** Encodes as many samples as `out` has room for from `outOffset`. @returns bytes written */
export function encodeByTable(
  table: Uint8Array,
  samples: Int16Array,
  out: Uint8Array,
  outOffset: number,
): number {
  const bytes = Math.max(0, Math.min(samples.length, out.length - outOffset));
  for (let i = 0; i < bytes; i++) out[outOffset + i] = table[(samples[i]! & 0xffff) >> undecidedBits]!;
  return bytes;
}

/** Decodes as much of `payload` as `out` has room for from `outOffset`. @returns samples written */
export function decodeUlaw(payload: Uint8Array, out: Int16Array, outOffset = 0): number {
  return decodeByTable(ulawToLinear, payload, out, outOffset);
}

/** Decodes as much of `payload` as `out` has room for from `outOffset`. @returns samples written */
export function decodeAlaw(payload: Uint8Array, out: Int16Array, outOffset = 0): number {
  return decodeByTable(alawToLinear, payload, out, outOffset);
}

/** Encodes as many samples as `out` has room for from `outOffset`. @returns bytes written */
export function encodeUlaw(samples: Int16Array, out: Uint8Array, outOffset = 0): number {
  return encodeByTable(linearToUlaw, samples, out, outOffset);
}

/** Encodes as many samples as `out` has room for from `outOffset`. @returns bytes written */
export function encodeAlaw(samples: Int16Array, out: Uint8Array, outOffset = 0): number {
  return encodeByTable(linearToAlaw, samples, out, outOffset);
}

const usualRateHz = 8000;
const usualDecoders: Readonly<Record<G711Law, Decoder>> = {
  ulaw: newDecoder('ulaw', usualRateHz),
  alaw: newDecoder('alaw', usualRateHz),
};

/**
 * Stateless, so that of the usual rate there is one for all; another rate serves the dynamic payload types that carry
 * G.711 at another clock rate.
 */
export function createG711Decoder(law: G711Law, rateHz = usualRateHz): Decoder {
  return rateHz === usualRateHz ? usualDecoders[law] : newDecoder(law, rateHz);
}

function newDecoder(law: G711Law, rateHz: number): Decoder {
  const table = lawTables[law].toLinear;
  return {
    rateHz,
    decode: (payload, out) => decodeByTable(table, payload, out, 0),
    decodeSeries: (payloads, out, outOffset) => decodeSeries(law, payloads, out, outOffset),
  };
}

/** Stateless. */
export function createG711Encoder(law: G711Law, rateHz = 8000): Encoder {
  const table = lawTables[law].fromLinear;
  return { rateHz, encode: (samples, out) => encodeByTable(table, samples, out, 0) };
}
