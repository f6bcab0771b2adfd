import type { Encoder } from '../codec/codec.ts';
import { decoderFor, encoderFor, maxPayloadBytes } from './codec-table.ts';
import type { LegNegotiate, NegotiatedCodec } from './control.ts';
import type { TestPhone } from './test-phone.ts';

export const formats = {
  pcmu: { payloadType: 0, codec: 'PCMU', clockRateHz: 8000 },
  pcma: { payloadType: 8, codec: 'PCMA', clockRateHz: 8000 },
  g722: { payloadType: 9, codec: 'G722', clockRateHz: 8000 },
  opus: { payloadType: 111, codec: 'OPUS', clockRateHz: 48_000 },
} as const satisfies Record<string, NegotiatedCodec>;

/** What a phone that speaks one codec only agrees to. */
export function only(format: NegotiatedCodec, overrides: Partial<LegNegotiate> = {}): Partial<LegNegotiate> {
  return { receive: [format], send: format, ...overrides };
}

/** A phone that hums: an endless tone, packet by packet. */
export class HummingPhone {
  readonly #phone: TestPhone;
  readonly #format: NegotiatedCodec;
  readonly #hertz: number;
  readonly #ptimeMs: number;
  readonly #encoder: Encoder;
  #at = 0;

  constructor(phone: TestPhone, format: NegotiatedCodec, hertz: number, ptimeMs = 20) {
    this.#phone = phone;
    this.#format = format;
    this.#hertz = hertz;
    this.#ptimeMs = ptimeMs;
    this.#encoder = encoderFor(format);
  }

  async hum(): Promise<void> {
    const { rateHz } = this.#encoder;
    const samples = Int16Array.from(
      { length: (rateHz * this.#ptimeMs) / 1000 },
      (_, i) => 8000 * Math.sin((2 * Math.PI * this.#hertz * (this.#at + i)) / rateHz),
    );
    this.#at += samples.length;
    const payload = new Uint8Array(maxPayloadBytes);
    const bytes = this.#encoder.encode(samples, payload);
    const { payloadType, clockRateHz } = this.#format;
    const ticks = (clockRateHz * this.#ptimeMs) / 1000;
    await this.#phone.send({ payload: payload.slice(0, bytes), payloadType, ticks });
  }
}

/** What a phone was sent, decoded one behind the other. */
export function heardSamples(phone: TestPhone, format: NegotiatedCodec): Int16Array {
  const decoder = decoderFor(format);
  const buffer = new Int16Array(maxPayloadBytes);
  const parts = phone.received
    .filter(({ payloadType }) => payloadType === format.payloadType)
    .map((packet) => buffer.slice(0, decoder.decode(packet.payload(), buffer)));
  const samples = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return samples;
}

/** Amplitude of a tone in samples. */
export function amplitudeAt(samples: Int16Array, hertz: number, rateHz: number): number {
  let cosine = 0;
  let sine = 0;
  for (let i = 0; i < samples.length; i++) {
    cosine += samples[i]! * Math.cos((2 * Math.PI * hertz * i) / rateHz);
    sine += samples[i]! * Math.sin((2 * Math.PI * hertz * i) / rateHz);
  }
  return (2 * Math.hypot(cosine, sine)) / samples.length;
}
