import { Limiter, limiterContext } from '../audio/limiter.ts';
import { ChannelReader } from './channel.ts';
import { silencePaused } from './pause-map.ts';
import { type RecordingView, type SampleReader, type TrackView, trackEnd } from './track-source.ts';

interface Part {
  fromSample: number;
  toSample: number;
  track: TrackView;
  reader: ChannelReader | undefined;
}

type OpenChannel = (track: TrackView, view: RecordingView, fromSample: number) => ChannelReader;

/** Takes the samples of one track as they go into the mix, each once and in order; they are valid during the call. */
export type ChannelTap = (trackId: string, samples: Int16Array) => void;

/** Sums are made in parts of this length at most. */
const partSeconds = 1;
/** So much of who is alone is read at once: 5 s of G.711. */
const aloneSamples = 40_000;
/** Of all mixes of a thread: nothing of them is kept from one part to the next. */
let channelSamples = new Int16Array(0);
let summedSamples = new Int32Array(0);
let limitedSamples = new Int16Array(0);
const none = new Int16Array(0);

/**
 * All tracks of a recording as one signal: their sum on the room's clock, through a limiter that changes nothing
 * where nothing clips. Reading from the middle gives the same samples as reading from the start. Paused spans are
 * silent.
 *
 *     ChannelReader of each track -> pauses silenced -+-> sum -> Limiter -+-> read
 *                                                     +--- one alone -----+
 */
export class MixReader implements SampleReader {
  readonly #openChannel: OpenChannel;
  readonly #tap: ChannelTap | undefined;
  #view: RecordingView;
  #endSample: number;
  /** What lies behind `#endSample` is not known yet. */
  #grows = false;
  readonly #parts: Part[];
  readonly #limiter: Limiter;
  readonly #partSamples: number;
  /** Limited samples that were not read yet, behind the last `read`. */
  #rest = none;
  #restFrom = 0;
  #restTo = 0;
  /** Samples to drop: they only gave the limiter its history. */
  #lead: number;
  #summedTo: number;

  /** @param endSample where the recording ends, or how far a growing one is settled; behind it is silence */
  constructor(
    view: RecordingView,
    endSample: number,
    fromSample: number,
    openChannel: OpenChannel = (...of) => new ChannelReader(...of),
    tap?: ChannelTap | undefined,
  ) {
    this.#openChannel = openChannel;
    this.#tap = tap;
    this.#view = view;
    this.#endSample = endSample;
    const context = limiterContext(view.rateHz, fromSample, fromSample);
    this.#summedTo = Math.max(view.startSample, context.firstSample);
    this.#lead = fromSample - this.#summedTo;
    this.#limiter = new Limiter(view.rateHz, this.#summedTo);
    this.#parts = view.tracks.map((track) => this.#part(track));
    this.#partSamples = this.#limiter.maxOutput(Math.round(partSeconds * view.rateHz));
    if (channelSamples.length < this.#partSamples) {
      channelSamples = new Int16Array(this.#partSamples);
      summedSamples = new Int32Array(this.#partSamples);
      limitedSamples = new Int16Array(this.#limiter.maxOutput(this.#partSamples));
    }
  }

  /**
   * Goes on with what there is of the recording by now: with more tracks, pauses and ends of tracks than before, none
   * of them before the last `endSample`.
   * @param endSample how far it is settled; `settledMixEnd` of it may be read, and all where it is complete
   */
  grow(view: RecordingView, endSample: number, complete: boolean): void {
    this.#view = view;
    this.#endSample = endSample;
    this.#grows = !complete;
    for (const track of view.tracks) {
      const part = this.#parts.find((each) => each.track.trackId === track.trackId);
      if (part) Object.assign(part, { track, toSample: trackEnd(track, endSample) });
      else this.#parts.push(this.#part(track));
    }
  }

  read(out: Int16Array): void {
    let written = this.#takeRest(out);
    while (written < out.length) {
      const alone = this.#samplesAlone(out.length - written);
      if (alone > 0) {
        written += this.#pass(out, written, alone);
        continue;
      }
      const made = this.#sumNext(out.length - written);
      if (made < 0) {
        out.fill(0, written);
        return;
      }
      const dropped = Math.min(made, this.#lead);
      this.#lead -= dropped;
      const wanted = Math.min(out.length - written, made - dropped);
      out.set(limitedSamples.subarray(dropped, dropped + wanted), written);
      written += wanted;
      if (dropped + wanted < made) this.#keepRest(limitedSamples.subarray(dropped + wanted, made));
    }
  }

  close(): void {
    for (const { reader } of this.#parts) reader?.close();
  }

  /** @returns how many */
  #takeRest(out: Int16Array): number {
    const taken = Math.min(out.length, this.#restTo - this.#restFrom);
    out.set(this.#rest.subarray(this.#restFrom, this.#restFrom + taken));
    this.#restFrom += taken;
    return taken;
  }

  #keepRest(samples: Int16Array): void {
    if (this.#rest.length < samples.length) this.#rest = new Int16Array(samples.length);
    this.#rest.set(samples);
    this.#restFrom = 0;
    this.#restTo = samples.length;
  }

  /**
   * @param wanted so many are, and little more is made: what is made beyond them is kept for each of many signals
   * @returns how many limited samples were made; -1 behind the end
   */
  #sumNext(wanted: number): number {
    if (this.#summedTo > this.#endSample || (this.#grows && this.#summedTo === this.#endSample)) return -1;
    const needed = this.#lead + this.#limiter.maxOutput(wanted);
    const samples = Math.min(this.#partSamples, needed, this.#endSample - this.#summedTo);
    let made = this.#sum(samples);
    this.#summedTo += samples;
    if (this.#summedTo === this.#endSample && !this.#grows) {
      made += this.#limiter.flush(limitedSamples, made);
      this.#summedTo += 1;
    }
    return made;
  }

  #part(track: TrackView): Part {
    const fromSample = Math.max(track.startSample, this.#summedTo);
    return { fromSample, toSample: trackEnd(track, this.#endSample), track, reader: undefined };
  }

  /**
   * One part alone is its own sum, and none is silence: nothing that the limiter looks at changes them.
   * @returns how many of the next samples are known to be such; 0 where the limiter is to tell
   */
  #samplesAlone(wanted: number): number {
    if (this.#lead > 0 || !this.#limiter.isIdle) return 0;
    const samples = Math.min(wanted, aloneSamples, this.#endSample - this.#summedTo);
    const { endSample } = limiterContext(this.#view.rateHz, this.#summedTo, this.#summedTo + samples);
    if (samples <= 0 || (this.#grows && endSample > this.#endSample)) return 0;
    return this.#partsHeard(endSample) <= 1 ? samples : 0;
  }

  #partsHeard(toSample: number): number {
    let heard = 0;
    for (const part of this.#parts)
      if (Math.max(part.fromSample, this.#summedTo) < Math.min(part.toSample, toSample)) heard += 1;
    return heard;
  }

  /** @returns how many were written: what the limiter holds still, or the next `samples` */
  #pass(out: Int16Array, at: number, samples: number): number {
    if (!this.#limiter.isEmpty) {
      const held = this.#limiter.drain(limitedSamples);
      const wanted = Math.min(held, out.length - at);
      out.set(limitedSamples.subarray(0, wanted), at);
      if (wanted < held) this.#keepRest(limitedSamples.subarray(wanted, held));
      return wanted;
    }
    const passed = out.subarray(at, at + samples);
    const endSample = this.#summedTo + samples;
    const isHeard = ({ fromSample, toSample }: Part) => fromSample <= this.#summedTo && toSample >= endSample;
    if (!this.#parts.some(isHeard)) passed.fill(0);
    for (const part of this.#parts) this.#channelOf(part, passed);
    this.#limiter.pass(samples);
    this.#summedTo = endSample;
    return samples;
  }

  #sum(samples: number): number {
    const sum = summedSamples.subarray(0, samples).fill(0);
    const memory = channelSamples.subarray(0, samples);
    for (const part of this.#parts) {
      const channel = this.#channelOf(part, memory);
      if (!channel) continue;
      const offset = Math.max(0, part.fromSample - this.#summedTo);
      addTo(offset === 0 ? sum : sum.subarray(offset), channel);
    }
    return this.#limiter.push(sum, limitedSamples);
  }

  /**
   * @param next as many as the next samples, of which it fills those that it has
   * @returns these, undefined for nothing
   */
  #channelOf(part: Part, next: Int16Array): Int16Array | undefined {
    const from = Math.max(part.fromSample, this.#summedTo);
    const to = Math.min(part.toSample, this.#summedTo + next.length);
    if (from >= to) {
      const end = this.#grows ? part.track.endSample : part.toSample;
      if (end !== undefined && end <= this.#summedTo) part.reader?.close();
      return undefined;
    }
    part.reader ??= this.#openChannel(part.track, this.#view, from);
    const channel = next.subarray(from - this.#summedTo, to - this.#summedTo);
    part.reader.read(channel);
    silencePaused(channel, from, this.#view.pauses);
    this.#tap?.(part.track.trackId, channel);
    return channel;
  }
}

/** Four at a time: half of what it takes one by one. */
function addTo(sum: Int32Array, channel: Int16Array): void {
  const samples = channel.length;
  let at = 0;
  for (; at < samples - 3; at += 4) {
    sum[at] = sum[at]! + channel[at]!;
    sum[at + 1] = sum[at + 1]! + channel[at + 1]!;
    sum[at + 2] = sum[at + 2]! + channel[at + 2]!;
    sum[at + 3] = sum[at + 3]! + channel[at + 3]!;
  }
  for (; at < samples; at++) sum[at] = sum[at]! + channel[at]!;
}
