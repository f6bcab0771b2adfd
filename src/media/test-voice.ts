import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Resampler } from '../audio/resample.ts';
import type { Encoder } from '../codec/codec.ts';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
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

/** A phone that says something, packet by packet. */
class VoicePhone {
  readonly #phone: TestPhone;
  readonly #format: NegotiatedCodec;
  readonly #ptimeMs: number;
  readonly #encoder: Encoder;
  readonly #payload = new Uint8Array(maxPayloadBytes);

  constructor(phone: TestPhone, format: NegotiatedCodec, ptimeMs: number) {
    this.#phone = phone;
    this.#format = format;
    this.#ptimeMs = ptimeMs;
    this.#encoder = encoderFor(format);
  }

  get rateHz(): number {
    return this.#encoder.rateHz;
  }

  get packetSamples(): number {
    return (this.rateHz * this.#ptimeMs) / 1000;
  }

  async say(samples: Int16Array): Promise<void> {
    const bytes = this.#encoder.encode(samples, this.#payload);
    const { payloadType, clockRateHz } = this.#format;
    const ticks = (clockRateHz * this.#ptimeMs) / 1000;
    await this.#phone.send({ payload: this.#payload.slice(0, bytes), payloadType, ticks });
  }
}

/** An endless tone. */
export class HummingPhone {
  readonly #voice: VoicePhone;
  readonly #hertz: number;
  #at = 0;

  constructor(phone: TestPhone, format: NegotiatedCodec, hertz: number, ptimeMs = 20) {
    this.#voice = new VoicePhone(phone, format, ptimeMs);
    this.#hertz = hertz;
  }

  async hum(): Promise<void> {
    const { rateHz, packetSamples } = this.#voice;
    const samples = Int16Array.from(
      { length: packetSamples },
      (_, i) => 8000 * Math.sin((2 * Math.PI * this.#hertz * (this.#at + i)) / rateHz),
    );
    this.#at += samples.length;
    await this.#voice.say(samples);
  }
}

/** A phone that is muted, and sends its packets all the same. */
export class SilentPhone {
  readonly #voice: VoicePhone;

  constructor(phone: TestPhone, format: NegotiatedCodec) {
    this.#voice = new VoicePhone(phone, format, 20);
  }

  async send(): Promise<void> {
    await this.#voice.say(new Int16Array(this.#voice.packetSamples));
  }
}

/** Somebody reads, over and over. */
export class SpeakingPhone {
  readonly #voice: VoicePhone;
  readonly #speech: Int16Array;
  #at = 0;

  constructor(phone: TestPhone, format: NegotiatedCodec, voice: VoiceName, ptimeMs = 20) {
    this.#voice = new VoicePhone(phone, format, ptimeMs);
    this.#speech = speechOf(voice, this.#voice.rateHz);
  }

  async speak(): Promise<void> {
    const { packetSamples } = this.#voice;
    if (this.#at + packetSamples > this.#speech.length) this.#at = 0;
    await this.#voice.say(this.#speech.subarray(this.#at, (this.#at += packetSamples)));
  }
}

type VoiceName = 'english' | 'french' | 'spanish' | 'italian';

/** Of demo/audio. */
export function speechOf(name: VoiceName, rateHz: number): Int16Array {
  const wav = parseWav(readFileSync(new URL(`../../demo/audio/${name}.wav`, import.meta.url)));
  return resampled(pcm16Samples(wav.data), wav.rateHz, rateHz);
}

function resampled(samples: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return samples;
  const out = new Int16Array(Math.ceil((samples.length * toHz) / fromHz));
  return out.subarray(0, new Resampler(fromHz, toHz).push(samples, out));
}

/** Mean square. */
export function powerOf(samples: Int16Array): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
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

/** The last half of what was heard: the tone is there, and nearly nothing else. */
export function assertTone(phone: TestPhone, format: NegotiatedCodec, hertz: number, amplitude = 8000): void {
  const { rateHz } = decoderFor(format);
  const all = heardSamples(phone, format);
  const samples = all.subarray(all.length >> 1);
  const heard = amplitudeAt(samples, hertz, rateHz);
  assert.ok(Math.abs(heard - amplitude) < 0.2 * amplitude, `${format.codec}: ${heard} of ${amplitude}`);
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const rest = Math.sqrt(Math.max(0, power - heard ** 2 / 2));
  assert.ok(rest < 0.1 * heard, `${format.codec}: ${rest} beside ${heard}`);
}
