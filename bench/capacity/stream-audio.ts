import { decodeUlaw, encodeUlaw } from '../../src/codec/g711.ts';
import { type SpeechName, speech, speechNames } from '../../src/testkit/speech.ts';

/** Of every stream: mu-law, 8 kHz, 20 ms. */
export const packetSamples = 160;
/** Where a stream's audio begins, in samples behind that of the stream before: as in `reference/load.c`. */
const strideSamples = 7919;
/** Of the noise beneath the words, so that no two packets are alike. */
const noiseAmplitude = 24;

/**
 * What the streams of the load generator say: people who talk without a pause, over a little noise, repeated without
 * end. Each stream begins elsewhere in it, so that every packet of every stream is known.
 */
export class StreamAudio {
  readonly ulaw: Uint8Array;
  /** As `ulaw` is decoded. */
  readonly samples: Int16Array;
  /** `samples`, and once more. */
  readonly #twice: Int16Array;
  readonly #bytes: Buffer;

  /** @param ulaw whole packets */
  constructor(ulaw: Uint8Array) {
    this.ulaw = ulaw;
    this.samples = new Int16Array(ulaw.length);
    decodeUlaw(ulaw, this.samples);
    this.#twice = new Int16Array(ulaw.length * 2);
    this.#twice.set(this.samples);
    this.#twice.set(this.samples, ulaw.length);
    this.#bytes = Buffer.from(this.#twice.buffer);
  }

  static async load(names: readonly SpeechName[] = speechNames): Promise<StreamAudio> {
    const words = await Promise.all(names.map((name) => speech(name)));
    const samples = words.flatMap((each) => [...each]);
    samples.length -= samples.length % packetSamples;
    let state = 1;
    const noisy = Int16Array.from(samples, (sample) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.max(
        -32_000,
        Math.min(32_000, sample + ((state >>> 16) % (2 * noiseAmplitude)) - noiseAmplitude),
      );
    });
    const ulaw = new Uint8Array(noisy.length);
    encodeUlaw(noisy, ulaw);
    return new StreamAudio(ulaw);
  }

  /** Packets until it begins anew. */
  get packets(): number {
    return this.samples.length / packetSamples;
  }

  /** Place in `samples` of a stream's packet. */
  placeOf(stream: number, packet: number): number {
    return (stream * strideSamples + packet * packetSamples) % this.samples.length;
  }

  /** Samples of so many packets, no more than there are, from one on. */
  said(stream: number, firstPacket: number, packets: number): Int16Array {
    const place = this.placeOf(stream, firstPacket);
    return this.#twice.subarray(place, place + packets * packetSamples);
  }

  /** @returns the place of the first sample of `excerpt`; -1 where it is nowhere */
  find(excerpt: Int16Array): number {
    const wanted = Buffer.from(excerpt.buffer, excerpt.byteOffset, excerpt.byteLength);
    for (let at = this.#bytes.indexOf(wanted); at >= 0; at = this.#bytes.indexOf(wanted, at + 1))
      if (at % 2 === 0) return (at / 2) % this.samples.length;
    return -1;
  }
}
