import { SpeechSearch } from '../quality/speech-search.ts';
import type { ExcerptReader } from '../render/excerpt-reader.ts';
import { PauseMap } from '../render/pause-map.ts';
import type { PauseView } from '../render/track-source.ts';
import { MeasuredSignal } from './measured-signal.ts';

/** [fromSample, toSample) on the room's clock. */
export interface Span {
  fromSample: number;
  toSample: number;
}

/** One track of a recording that is measured. */
export class MeasuredTrack {
  readonly reader: ExcerptReader;
  readonly signal: MeasuredSignal;
  readonly #rateHz: number;
  /** As long as it was hardly heard. */
  #search: SpeechSearch | undefined;

  constructor(reader: ExcerptReader, rateHz: number, fromSample: number) {
    this.reader = reader;
    this.signal = new MeasuredSignal(rateHz, fromSample);
    this.#rateHz = rateHz;
  }

  /** Fills `out` from `fromSample` on, and measures it. @throws as `ExcerptReader.read` */
  measure(fromSample: number, out: Int16Array, pauses: readonly PauseView[]): void {
    this.#read(fromSample, out, pauses);
    this.signal.push(out, fromSample, pauses);
  }

  /** As `measure`, of what was found. */
  measureFound(fromSample: number, out: Int16Array, pauses: readonly PauseView[]): void {
    this.#read(fromSample, out, pauses);
    this.signal.pushFound(out, fromSample, pauses);
  }

  /** Where somebody may have spoken within [fromSample, toSample). @throws as `ExcerptReader.read` */
  search(fromSample: number, toSample: number): Span[] {
    this.#search ??= new SpeechSearch();
    const search = this.#search;
    search.begin((fromSample * 1_000_000) / this.#rateHz);
    this.reader.listen(toSample, (arrivalUs, meanSquare) => search.hear(arrivalUs, meanSquare));
    const found = search.end((toSample * 1_000_000) / this.#rateHz);
    if (found.length > 0) this.reader.goBack();
    return found.map(({ fromUs, toUs }) => ({
      fromSample: Math.max(fromSample, Math.round((fromUs * this.#rateHz) / 1_000_000)),
      toSample: Math.min(toSample, Math.round((toUs * this.#rateHz) / 1_000_000)),
    }));
  }

  #read(fromSample: number, out: Int16Array, pauses: readonly PauseView[]): void {
    this.reader.read(fromSample, out);
    if (pauses.length === 0) return;
    const toSample = fromSample + out.length;
    new PauseMap({ fromSample, toSample }, pauses).silence(out, fromSample);
  }
}
