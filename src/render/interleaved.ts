import { ChannelReader } from './channel.ts';
import { type RecordingView, type SampleReader, type TrackView, trackEnd } from './track-source.ts';

interface Part {
  fromSample: number;
  toSample: number;
  track: TrackView;
  reader: ChannelReader | undefined;
}

/**
 * All tracks of a recording side by side on the room's clock, in the order they joined: one channel each, silent where
 * the party was not there. Reading from the middle gives the same samples as reading from the start.
 */
export class InterleavedReader implements SampleReader {
  readonly #view: RecordingView;
  readonly #parts: Part[];
  #channel = new Int16Array(0);
  #position: number;

  /** @param endSample where the recording ends, or how far a growing one is settled; behind it is silence */
  constructor(view: RecordingView, endSample: number, fromSample: number) {
    this.#view = view;
    this.#position = fromSample;
    this.#parts = view.tracks.map((track) => ({
      fromSample: Math.max(view.startSample, track.startSample),
      toSample: trackEnd(track, endSample),
      track,
      reader: undefined,
    }));
  }

  /** @param out interleaved: as many values for each sample as there are tracks */
  read(out: Int16Array): void {
    const samples = out.length / this.#parts.length;
    if (this.#channel.length < samples) this.#channel = new Int16Array(samples);
    out.fill(0);
    this.#parts.forEach((part, index) => {
      this.#readPart(part, index, samples, out);
    });
    this.#position += samples;
  }

  close(): void {
    for (const { reader } of this.#parts) reader?.close();
  }

  #readPart(part: Part, index: number, samples: number, out: Int16Array): void {
    const from = Math.max(part.fromSample, this.#position);
    const to = Math.min(part.toSample, this.#position + samples);
    if (from >= to) {
      if (part.toSample <= this.#position) part.reader?.close();
      return;
    }
    part.reader ??= new ChannelReader(part.track, this.#view, from);
    const channel = this.#channel.subarray(0, to - from);
    part.reader.read(channel);
    const channels = this.#parts.length;
    let at = (from - this.#position) * channels + index;
    for (const sample of channel) {
      out[at] = sample;
      at += channels;
    }
  }
}
