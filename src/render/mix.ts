import { Limiter, limiterContext } from '../audio/limiter.ts';
import { ChannelReader } from './channel.ts';
import { PauseMap } from './pause-map.ts';
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

/** Sums are made in parts of this length, which bounds the memory of each of many signals. */
const partSeconds = 0.1;
/** Of all mixes of a thread: nothing of them is kept from one part to the next. */
let channelSamples = new Int16Array(0);
let summedSamples = new Int32Array(0);

/**
 * All tracks of a recording as one signal: their sum on the room's clock, through a limiter that changes nothing
 * where nothing clips. Reading from the middle gives the same samples as reading from the start. Paused spans are
 * silent.
 *
 *     ChannelReader of each track -> pauses silenced -> sum -> Limiter -> read
 */
export class MixReader implements SampleReader {
  readonly #openChannel: OpenChannel;
  readonly #tap: ChannelTap | undefined;
  #view: RecordingView;
  #endSample: number;
  /** What lies behind `#endSample` is not known yet. */
  #grows = false;
  #pauses: PauseMap;
  readonly #parts: Part[];
  readonly #limiter: Limiter;
  readonly #partSamples: number;
  /** Limited samples not read yet. */
  #ready: Int16Array;
  #readyFrom = 0;
  #readyTo = 0;
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
    this.#pauses = new PauseMap({ fromSample: view.startSample, toSample: endSample }, view.pauses);
    const context = limiterContext(view.rateHz, fromSample, fromSample);
    this.#summedTo = Math.max(view.startSample, context.firstSample);
    this.#lead = fromSample - this.#summedTo;
    this.#limiter = new Limiter(view.rateHz, this.#summedTo);
    this.#parts = view.tracks.map((track) => this.#part(track));
    this.#partSamples = Math.round(partSeconds * view.rateHz);
    if (channelSamples.length < this.#partSamples) {
      channelSamples = new Int16Array(this.#partSamples);
      summedSamples = new Int32Array(this.#partSamples);
    }
    this.#ready = new Int16Array(this.#limiter.maxOutput(this.#partSamples));
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
    this.#pauses = new PauseMap({ fromSample: view.startSample, toSample: endSample }, view.pauses);
    for (const track of view.tracks) {
      const part = this.#parts.find((each) => each.track.trackId === track.trackId);
      if (part) Object.assign(part, { track, toSample: trackEnd(track, endSample) });
      else this.#parts.push(this.#part(track));
    }
  }

  read(out: Int16Array): void {
    let written = 0;
    while (written < out.length) {
      if (this.#readyFrom === this.#readyTo && !this.#sumNext()) {
        out.fill(0, written);
        return;
      }
      const samples = Math.min(out.length - written, this.#readyTo - this.#readyFrom);
      out.set(this.#ready.subarray(this.#readyFrom, this.#readyFrom + samples), written);
      this.#readyFrom += samples;
      written += samples;
    }
  }

  close(): void {
    for (const { reader } of this.#parts) reader?.close();
  }

  /** @returns false behind the end */
  #sumNext(): boolean {
    if (this.#summedTo > this.#endSample || (this.#grows && this.#summedTo === this.#endSample)) return false;
    const samples = Math.min(this.#partSamples, this.#endSample - this.#summedTo);
    const sum = summedSamples.subarray(0, samples).fill(0);
    for (const part of this.#parts) this.#add(part, sum);
    let made = this.#limiter.push(sum, this.#ready);
    this.#summedTo += samples;
    if (this.#summedTo === this.#endSample && !this.#grows) {
      made += this.#limiter.flush(this.#ready, made);
      this.#summedTo += 1;
    }
    this.#readyFrom = Math.min(made, this.#lead);
    this.#lead -= this.#readyFrom;
    this.#readyTo = made;
    return true;
  }

  #part(track: TrackView): Part {
    const fromSample = Math.max(track.startSample, this.#summedTo);
    return { fromSample, toSample: trackEnd(track, this.#endSample), track, reader: undefined };
  }

  #add(part: Part, sum: Int32Array): void {
    const from = Math.max(part.fromSample, this.#summedTo);
    const to = Math.min(part.toSample, this.#summedTo + sum.length);
    if (from >= to) {
      const end = this.#grows ? part.track.endSample : part.toSample;
      if (end !== undefined && end <= this.#summedTo) part.reader?.close();
      return;
    }
    part.reader ??= this.#openChannel(part.track, this.#view, from);
    const channel = channelSamples.subarray(0, to - from);
    part.reader.read(channel);
    this.#pauses.silence(channel, from);
    this.#tap?.(part.track.trackId, channel);
    const offset = from - this.#summedTo;
    for (let k = 0; k < channel.length; k += 1) sum[offset + k]! += channel[k]!;
  }
}
