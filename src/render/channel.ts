import { Resampler } from '../audio/resample.ts';
import type { PayloadSeries } from '../codec/codec.ts';
import type { FormatRecord } from '../spool/records.ts';
import type { ExactSpan } from '../timeline/placement.ts';
import { FollowedClock } from './followed-clock.ts';
import { maxConcealedSeconds } from './loss.ts';
import { followerOf, type PlacedPacket, PlacedPackets, payloadsOf } from './placed-packets.ts';
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
/**
 * What is decoded, of all channels of a thread as one is read at a time: each keeps only what lies behind the samples
 * that were asked for.
 */
let window = new Int16Array(0);
/** From here on there may be anything in it. */
let clearedTo = 0;
const nothing = new Int16Array(0);

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
  #position: number;
  /** Samples from `#position` on, so many of these, that were decoded with those before. */
  #ahead = nothing;
  #aheadSamples = 0;
  /** While it is read: so far the window is filled. */
  #filledTo = 0;
  #resampler: Resampler | undefined;
  #resampled = nothing;
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
  }

  read(out: Int16Array): void {
    this.#openWindow(out.length);
    const decodedTo = this.#position + out.length + this.#lookAheadSamples;
    for (;;) {
      const packet = this.#packets.before(decodedTo);
      if (!packet) break;
      if (packet.followers > 0) this.#decodeAll(packet);
      else this.#decode(packet);
    }
    // A loss behind the stretch may still be concealed, and continue it.
    if (this.#stretchEnd + this.#maxConcealedSamples < decodedTo) this.#endStretch();
    if (this.#followed && this.#followed.endSample + this.#maxConcealedSamples < decodedTo)
      this.#endFollowed();
    clear(out.length);
    out.set(window.subarray(0, out.length));
    this.#keepAhead(out.length);
    this.#position += out.length;
  }

  close(): void {
    this.#packets.close();
    this.#decoder.close();
  }

  #openWindow(samples: number): void {
    clearedTo = this.#aheadSamples;
    reserve(Math.max(samples + this.#lookAheadSamples, this.#aheadSamples));
    window.set(this.#ahead.subarray(0, this.#aheadSamples));
    this.#filledTo = this.#aheadSamples;
  }

  #keepAhead(samples: number): void {
    const kept = Math.max(0, this.#filledTo - samples);
    if (this.#ahead.length < kept) this.#ahead = new Int16Array(kept);
    this.#ahead.set(window.subarray(samples, samples + kept));
    this.#aheadSamples = kept;
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

  /** What only goes on is decoded to where it belongs. */
  #decodeAll(packet: PlacedPacket): void {
    const { durationSamples, strideBytes, payload, format } = packet;
    const payloadBytes = payload.length;
    const bytes = payloadsOf(packet);
    for (let index = 0; index <= packet.followers; ) {
      const atSample = packet.atSample + index * durationSamples;
      const count = packet.followers + 1 - index;
      const payloads = { bytes: bytes.subarray(index * strideBytes), count, payloadBytes, strideBytes };
      const decoded = this.#decodeSeries(atSample, payloads, format);
      if (decoded === 0) this.#decode(index === 0 ? packet : followerOf(packet, index));
      index += Math.max(1, decoded);
    }
  }

  /** @returns how many of them */
  #decodeSeries(atSample: number, payloads: PayloadSeries, format: FormatRecord): number {
    const offset = atSample - this.#position;
    const samples = payloads.count * payloads.payloadBytes;
    if (offset < 0 || this.#resampler || this.#followed) return 0;
    reserve(offset + samples);
    clear(offset);
    const decoded = this.#decoder.decodeSeries(atSample, payloads, format, window, offset);
    if (decoded === 0) return 0;
    const end = offset + decoded * payloads.payloadBytes;
    clearedTo = Math.max(clearedTo, end);
    this.#filledTo = Math.max(this.#filledTo, end);
    this.#keepTail(window.subarray(offset, end), this.#rateHz, atSample, this.#position + end);
    return decoded;
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
    tail.set(samples.subarray(samples.length - kept), tailSamples - kept);
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
    const end = offset + kept.length;
    reserve(end);
    clear(offset);
    window.set(kept, offset);
    clearedTo = Math.max(clearedTo, end);
    this.#filledTo = Math.max(this.#filledTo, end);
  }
}

function reserve(samples: number): void {
  if (samples <= window.length) return;
  const larger = new Int16Array(samples * 2);
  larger.set(window);
  window = larger;
}

function clear(toSample: number): void {
  if (toSample <= clearedTo) return;
  window.fill(0, clearedTo, toSample);
  clearedTo = toSample;
}
