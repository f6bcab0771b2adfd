import { Resampler } from '../audio/resample.ts';
import type { ExactSpan } from '../timeline/placement.ts';
import { FollowedClock } from './followed-clock.ts';
import { maxConcealedSeconds } from './loss.ts';
import { type PlacedPacket, PlacedPackets } from './placed-packets.ts';
import type { StreamDecoder } from './stream-decoder.ts';
import { TrackDecoder } from './track-decoder.ts';
import type { PauseView, RecordingView, SampleReader, TrackView } from './track-source.ts';

/**
 * What is decoded beyond the samples asked for, in seconds: a resampler's outputs depend on inputs up to 20 of the
 * slower rate's samples away (2.5 ms), and a loss is concealed when the packet behind it is known.
 */
export const lookAheadSeconds = 0.02 + maxConcealedSeconds;

/** What the samples of a clock that is followed depend on, before they begin. */
const tailSamples = 128;
/** It grows to what is read at once. */
const firstWindowSeconds = 0.2;

/** A packet of the largest datagram lasts a quarter of a second (2 kB of G.711), and may have a loss before it. */
const lookBackSeconds = 0.4;

/**
 * One track as PCM on the room's clock, silent where nothing was sent. Packets are decoded in the order of their
 * positions, each once; short losses are concealed, and every received sample stays as it is. Reading from the middle
 * gives the same samples as reading from the start.
 *
 *     records -> timeline -> order of position -> decoder -> (resampler, where the rates differ, or
 *                  the clocks: FollowedClock) -> window -> read
 */
export class ChannelReader implements SampleReader {
  readonly #packets: PlacedPackets;
  readonly #decoder: TrackDecoder;
  readonly #rateHz: number;
  readonly #lookAheadSamples: number;
  readonly #maxConcealedSamples: number;
  /** Samples from `#position` on. */
  #window: Int16Array;
  #position: number;
  #resampler: Resampler | undefined;
  #resampled = new Int16Array(0);
  /** Where the resampler's next output lies, and where the input it was given ends. */
  #resampledTo = 0;
  #stretchEnd = 0;
  /** While a drift is corrected. */
  #followed: FollowedClock | undefined;
  /** The last samples that were placed as they were decoded, their rate, and where they end. */
  readonly #tail = new Int16Array(tailSamples);
  #tailHz = 0;
  #tailEnd = 0;

  constructor(
    track: TrackView,
    view: Pick<RecordingView, 'rateHz' | 'onDamage' | 'lossConcealment'> & { pauses?: PauseView[] },
    fromSample: number,
    packets = new PlacedPackets(track, view),
  ) {
    const { rateHz, lossConcealment } = view;
    this.#packets = packets;
    const conceals = lossConcealment !== 'off';
    this.#decoder = new TrackDecoder({ rateHz, conceals }, fromSample - Math.ceil(lookBackSeconds * rateHz));
    this.#rateHz = rateHz;
    this.#lookAheadSamples = Math.ceil(lookAheadSeconds * rateHz);
    this.#maxConcealedSamples = Math.ceil(maxConcealedSeconds * rateHz);
    this.#position = fromSample;
    this.#window = new Int16Array(Math.ceil(firstWindowSeconds * rateHz));
  }

  read(out: Int16Array): void {
    const decodedTo = this.#position + out.length + this.#lookAheadSamples;
    for (;;) {
      const packet = this.#packets.before(decodedTo);
      if (!packet) break;
      this.#decode(packet);
    }
    // A loss behind the stretch may still be concealed, and continue it.
    if (this.#stretchEnd + this.#maxConcealedSamples < decodedTo) this.#endStretch();
    if (this.#followed && this.#followed.endSample + this.#maxConcealedSamples < decodedTo)
      this.#endFollowed();
    this.#reserve(out.length);
    out.set(this.#window.subarray(0, out.length));
    this.#window.copyWithin(0, out.length);
    this.#window.fill(0, this.#window.length - out.length);
    this.#position += out.length;
  }

  close(): void {
    this.#packets.close();
    this.#decoder.close();
  }

  #decode(packet: PlacedPacket): void {
    const decoder = this.#decoder.decode(packet);
    if (!decoder) return;
    if (packet.exact) {
      this.#follow(packet, packet.exact, decoder);
      return;
    }
    this.#endFollowed();
    const { samples, lostSamples, fromHz } = decoder;
    const { atSample, durationSamples } = packet;
    if (lostSamples.length > 0) {
      this.#place(atSample - packet.lostSamples, packet.lostSamples, lostSamples, fromHz);
      this.#keepTail(lostSamples, fromHz, atSample - packet.lostSamples, atSample);
    }
    this.#place(atSample, durationSamples, samples, fromHz);
    this.#keepTail(samples, fromHz, atSample, atSample + durationSamples);
  }

  /** Places what lies between the samples of the recording. */
  #follow(packet: PlacedPacket, exact: ExactSpan, { samples, lostSamples, fromHz }: StreamDecoder): void {
    const { atSample, durationSamples } = packet;
    const fromSample = lostSamples.length > 0 ? atSample - packet.lostSamples : atSample;
    if (this.#followed?.endSample !== fromSample || this.#followed.fromHz !== fromHz) {
      const begun = lostSamples.length > 0 ? lostSamples : samples;
      this.#beginFollowed(fromSample, begun, fromHz);
    }
    this.#followed!.pushLost(lostSamples, exact.fromSample, atSample);
    this.#followed!.push(samples, exact, atSample + durationSamples);
  }

  /** @param samples that it begins with: those before it go on into them */
  #beginFollowed(atSample: number, samples: Int16Array, fromHz: number): void {
    this.#endFollowed();
    const isContiguous = this.#tailEnd === atSample && this.#tailHz === fromHz;
    const before = isContiguous ? this.#tail : this.#tail.subarray(tailSamples);
    if (isContiguous && this.#resampler && this.#stretchEnd === atSample) {
      const room = this.#resampler.maxOutput(samples.length);
      if (this.#resampled.length < room) this.#resampled = new Int16Array(room);
      this.#emit(this.#resampler.push(samples, this.#resampled));
    }
    this.#endStretch();
    this.#followed = new FollowedClock({ fromHz, rateHz: this.#rateHz, atSample }, before, (...of) =>
      this.#write(...of),
    );
  }

  #endFollowed(): void {
    this.#followed?.finish();
    this.#followed = undefined;
  }

  #keepTail(samples: Int16Array, fromHz: number, atSample: number, endSample: number): void {
    if (this.#tailEnd !== atSample || this.#tailHz !== fromHz) this.#tail.fill(0);
    const kept = Math.min(samples.length, tailSamples);
    const tail = this.#tail;
    if (kept < tailSamples) tail.copyWithin(0, kept);
    const to = tailSamples - kept;
    const from = samples.length - kept;
    for (let k = 0; k < kept; k++) tail[to + k] = samples[from + k]!;
    this.#tailHz = fromHz;
    this.#tailEnd = endSample;
  }

  #place(atSample: number, durationSamples: number, samples: Int16Array, fromHz: number): void {
    if (this.#resampler && (atSample !== this.#stretchEnd || this.#resampler.fromHz !== fromHz))
      this.#endStretch();
    if (fromHz === this.#rateHz) {
      this.#write(atSample, samples);
      return;
    }
    if (!this.#resampler) {
      this.#resampler = new Resampler(fromHz, this.#rateHz);
      this.#resampledTo = atSample;
    }
    this.#stretchEnd = atSample + durationSamples;
    const room = this.#resampler.maxOutput(samples.length);
    if (this.#resampled.length < room) this.#resampled = new Int16Array(room);
    this.#emit(this.#resampler.push(samples, this.#resampled));
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
