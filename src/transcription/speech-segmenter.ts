import { quietestPoint } from './quietest-point.ts';

/** What recognisers and the voice activity detector take. */
export const recognizerRateHz = 16_000;
/** Of the voice activity detector: 32 ms. */
export const windowSamples = 512;

/** Without it, first words are lost; with 0.8 s of silence in front some recognisers say nothing. */
const preRollSamples = 0.3 * recognizerRateHz;
const postRollSamples = 0.2 * recognizerRateHz;
const maxPieceSamples = 20 * recognizerRateHz;
/** A piece that grew too long is cut in its second half. */
const cutFromSamples = maxPieceSamples / 2;

/** Audio that somebody speaks in, at 16 kHz, at most 20 s. Positions count from the beginning of the channel. */
export interface SpeechPiece {
  samples: Int16Array<ArrayBuffer>;
  startSample: number;
  /** Where the speech in it begins and ends; the rest is the silence around it. */
  speechFrom: number;
  speechTo: number;
}

export interface SegmenterOptions {
  /** So far behind the beginning of speech the detector tells it, at the end of a window. */
  onsetSamples: number;
  /** So far behind the end of speech the detector tells it; more than 0.2 s. */
  hangSamples: number;
}

/** Turns the detector's answers, window by window, into pieces of the recording. Holds at most one piece. */
export class SpeechSegmenter {
  readonly #onsetSamples: number;
  readonly #hangSamples: number;
  /** Audio from `#heldFrom` up to `#position`. */
  readonly #held = new Int16Array(maxPieceSamples + 4 * recognizerRateHz);
  #heldFrom = 0;
  #position = 0;
  /** Where the piece that grows begins; -1 while nobody speaks. */
  #pieceFrom = -1;
  #speechFrom = -1;
  #lastPieceTo = 0;

  constructor({ onsetSamples, hangSamples }: SegmenterOptions) {
    this.#onsetSamples = onsetSamples;
    this.#hangSamples = hangSamples;
  }

  /**
   * @param window the last one may be shorter
   * @param isSpeech what the detector says at its end
   */
  push(window: Int16Array, isSpeech: boolean): SpeechPiece[] {
    this.#hold(window);
    const isSpeaking = this.#pieceFrom >= 0;
    if (isSpeech && !isSpeaking) this.#begin();
    else if (!isSpeech && isSpeaking)
      return this.#finish(Math.max(this.#speechFrom, this.#position - this.#hangSamples));
    if (isSpeech && this.#position - this.#pieceFrom > maxPieceSamples) return [this.#cut()];
    return [];
  }

  /** The channel has no more audio. */
  end(): SpeechPiece[] {
    return this.#pieceFrom >= 0 ? this.#finish(this.#position) : [];
  }

  #begin(): void {
    this.#speechFrom = Math.max(this.#lastPieceTo, this.#position - this.#onsetSamples, 0);
    this.#pieceFrom = Math.max(this.#lastPieceTo, this.#speechFrom - preRollSamples, 0);
  }

  #finish(speechTo: number): SpeechPiece[] {
    const pieceTo = Math.min(this.#position, speechTo + postRollSamples);
    const piece = this.#piece(pieceTo, speechTo);
    this.#pieceFrom = -1;
    return piece.speechTo > piece.speechFrom ? [piece] : [];
  }

  /** Without pause for too long: what comes behind the cut is the next piece. */
  #cut(): SpeechPiece {
    const at = this.#pieceFrom - this.#heldFrom;
    const cutAt = quietestPoint(this.#held, recognizerRateHz, at + cutFromSamples, at + maxPieceSamples);
    const cut = this.#heldFrom + cutAt;
    const piece = this.#piece(cut, cut);
    this.#pieceFrom = cut;
    this.#speechFrom = cut;
    return piece;
  }

  #piece(to: number, speechTo: number): SpeechPiece {
    const samples = this.#held.slice(this.#pieceFrom - this.#heldFrom, to - this.#heldFrom);
    this.#lastPieceTo = to;
    return { samples, startSample: this.#pieceFrom, speechFrom: this.#speechFrom, speechTo };
  }

  #hold(window: Int16Array): void {
    const room = this.#held.length - (this.#position - this.#heldFrom);
    if (window.length > room) this.#forget();
    this.#held.set(window, this.#position - this.#heldFrom);
    this.#position += window.length;
  }

  /** Keeps what a piece may still want. */
  #forget(): void {
    const wanted =
      this.#pieceFrom >= 0
        ? this.#pieceFrom
        : Math.max(this.#heldFrom, this.#position - this.#onsetSamples - preRollSamples - windowSamples);
    this.#held.copyWithin(0, wanted - this.#heldFrom, this.#position - this.#heldFrom);
    this.#heldFrom = wanted;
  }
}

/** A piece as two, at the quietest point of its middle 40 %. */
export function splitPiece(piece: SpeechPiece): [SpeechPiece, SpeechPiece] {
  const { samples, startSample, speechFrom, speechTo } = piece;
  const cutAt = quietestPoint(samples, recognizerRateHz, samples.length * 0.3, samples.length * 0.7);
  const cut = startSample + cutAt;
  return [
    {
      samples: samples.slice(0, cutAt),
      startSample,
      speechFrom: Math.min(speechFrom, cut),
      speechTo: Math.min(speechTo, cut),
    },
    {
      samples: samples.slice(cutAt),
      startSample: cut,
      speechFrom: Math.max(speechFrom, cut),
      speechTo: Math.max(speechTo, cut),
    },
  ];
}
