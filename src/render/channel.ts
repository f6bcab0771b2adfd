import { Resampler } from '../audio/resample.ts';
import type { Decoder } from '../codec/codec.ts';
import { createDecoder } from '../codec/decoders.ts';
import { type PlacedPacket, PlacedPackets } from './placed-packets.ts';
import type { RecordingView, SampleReader, TrackView } from './track-source.ts';

/**
 * What is decoded beyond the samples asked for, in seconds: a resampler's outputs depend on inputs up to 20 of the
 * slower rate's samples away (2.5 ms), and a range begins as far ahead as it looks behind.
 */
const contextSeconds = 0.02;

/** No packet of any codec decodes to more (120 ms of Opus at 48 kHz); longer G.711 payloads get a larger buffer. */
const usualPacketSamples = 5760;

/**
 * One track as PCM on the room's clock, silent where nothing came. Packets are decoded in the order of their
 * positions, each once. Reading from the middle gives the same samples as reading from the start.
 *
 *     records -> timeline -> order of position -> decoder -> (resampler, where the rates differ) -> window -> read
 */
export class ChannelReader implements SampleReader {
  readonly #packets: PlacedPackets;
  readonly #rateHz: number;
  readonly #contextSamples: number;
  /** Packets that end before this are decoded only where the codec remembers them. */
  readonly #neededFrom: number;
  /** Samples from `#position` on. */
  #window: Int16Array;
  #position: number;
  #decoder: Decoder | undefined;
  #decoderKey = '';
  #decoded = new Int16Array(usualPacketSamples);
  #resampler: Resampler | undefined;
  #resampled = new Int16Array(0);
  /** Where the resampler's next output lies, and where the input it was given ends. */
  #resampledTo = 0;
  #stretchEnd = 0;

  constructor(
    track: TrackView,
    { rateHz, onDamage }: Pick<RecordingView, 'rateHz' | 'onDamage'>,
    fromSample: number,
  ) {
    this.#packets = new PlacedPackets(track, { rateHz, onDamage });
    this.#rateHz = rateHz;
    this.#contextSamples = Math.ceil(contextSeconds * rateHz);
    this.#neededFrom = fromSample - this.#contextSamples;
    this.#position = fromSample;
    this.#window = new Int16Array(2 * rateHz);
  }

  read(out: Int16Array): void {
    const neededTo = this.#position + out.length + this.#contextSamples;
    for (;;) {
      const packet = this.#packets.before(neededTo);
      if (!packet) break;
      this.#decode(packet);
    }
    if (this.#stretchEnd < neededTo) this.#endStretch();
    this.#reserve(out.length);
    out.set(this.#window.subarray(0, out.length));
    this.#window.copyWithin(0, out.length);
    this.#window.fill(0, this.#window.length - out.length);
    this.#position += out.length;
  }

  close(): void {
    this.#packets.close();
  }

  #decode(packet: PlacedPacket): void {
    const { codec, clockRateHz, ssrc } = packet.format;
    const isStateless = codec === 'PCMU' || codec === 'PCMA';
    if (isStateless && packet.atSample + packet.durationSamples <= this.#neededFrom) return;
    const key = `${codec} ${clockRateHz} ${ssrc}`;
    if (!this.#decoder || key !== this.#decoderKey) {
      this.#endStretch();
      this.#decoder = createDecoder(codec, clockRateHz, this.#rateHz);
      this.#decoderKey = key;
    }
    const decoder = this.#decoder;
    if (this.#decoded.length < packet.payload.length) this.#decoded = new Int16Array(packet.payload.length);
    const samples = decoder.decode(packet.payload, this.#decoded);
    if (decoder.rateHz === this.#rateHz) {
      const kept = Math.min(samples, packet.durationSamples);
      this.#write(packet.atSample, this.#decoded.subarray(0, kept));
    } else {
      this.#resample(packet, samples, decoder.rateHz);
    }
  }

  #resample(packet: PlacedPacket, samples: number, fromHz: number): void {
    if (packet.atSample !== this.#stretchEnd) this.#endStretch();
    if (!this.#resampler) {
      this.#resampler = new Resampler(fromHz, this.#rateHz);
      this.#resampledTo = packet.atSample;
    }
    // Exactly as many as the place is long, so that a stretch stays in step whatever a payload decodes to.
    const wanted = Math.round((packet.durationSamples * fromHz) / this.#rateHz);
    if (this.#decoded.length < wanted) {
      const larger = new Int16Array(wanted);
      larger.set(this.#decoded);
      this.#decoded = larger;
    }
    if (samples < wanted) this.#decoded.fill(0, samples, wanted);
    this.#stretchEnd = packet.atSample + packet.durationSamples;
    const room = this.#resampler.maxOutput(wanted);
    if (this.#resampled.length < room) this.#resampled = new Int16Array(room);
    this.#emit(this.#resampler.push(this.#decoded.subarray(0, wanted), this.#resampled));
  }

  /** Behind the stretch comes silence: what the resampler still holds belongs to it. */
  #endStretch(): void {
    if (!this.#resampler) return;
    const room = this.#resampler.maxOutput(0);
    if (this.#resampled.length < room) this.#resampled = new Int16Array(room);
    this.#emit(this.#resampler.flush(this.#resampled));
    this.#resampler = undefined;
  }

  #emit(samples: number): void {
    const kept = Math.max(0, Math.min(samples, this.#stretchEnd - this.#resampledTo));
    this.#write(this.#resampledTo, this.#resampled.subarray(0, kept));
    this.#resampledTo += samples;
  }

  #write(atSample: number, samples: Int16Array): void {
    const skipped = Math.max(0, this.#position - atSample);
    if (skipped >= samples.length) return;
    const offset = atSample + skipped - this.#position;
    const kept = skipped === 0 ? samples : samples.subarray(skipped);
    this.#reserve(offset + kept.length);
    this.#window.set(kept, offset);
  }

  #reserve(samples: number): void {
    if (samples <= this.#window.length) return;
    const larger = new Int16Array(samples * 2);
    larger.set(this.#window);
    this.#window = larger;
  }
}
