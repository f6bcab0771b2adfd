import { doubtAbout } from './doubtful-text.ts';
import { recognizerRateHz, type SpeechPiece, splitPiece } from './speech-segmenter.ts';
import type { SpokenText, TextSpan } from './spoken-text.ts';

/** What a recogniser makes of one piece. Positions are samples of the piece, 16 kHz; its own times where it has any. */
export interface Recognition {
  text: string;
  parts: (Partial<TextSpan> & Omit<SpokenText, keyof TextSpan>)[];
}

export interface SpeechRecognizer {
  /** @throws CallreelError TRANSCRIPTION_* */
  recognize(samples: Int16Array<ArrayBuffer>): Promise<Recognition>;
}

/** Positions count from the beginning of the channel, 16 kHz. */
export interface PieceText {
  utterances: SpokenText[];
  unrecognized: TextSpan[];
}

/** A shorter piece is not split: a word would be cut through. */
const leastSplitSamples = 2 * recognizerRateHz;
const maxSplits = 3;

/** The text of a piece; what cannot be right is asked for again in halves, and left out where that does not help. */
export async function recognizePiece(
  piece: SpeechPiece,
  recognizer: SpeechRecognizer,
  splits = 0,
): Promise<PieceText> {
  const recognition = await recognizer.recognize(piece.samples);
  const seconds = piece.samples.length / recognizerRateHz;
  // What is kept is judged: a server may tell something else of the whole.
  const doubt = doubtAbout(recognition.parts.map(({ text }) => text.trim()).join(' '), seconds);
  if (doubt === undefined) return { utterances: placed(recognition, piece), unrecognized: [] };
  if (splits < maxSplits && piece.samples.length >= leastSplitSamples) {
    const halves: PieceText = { utterances: [], unrecognized: [] };
    for (const half of splitPiece(piece)) {
      const { utterances, unrecognized } = await recognizePiece(half, recognizer, splits + 1);
      halves.utterances.push(...utterances);
      halves.unrecognized.push(...unrecognized);
    }
    return halves;
  }
  const { speechFrom, speechTo } = piece;
  return {
    utterances: [],
    unrecognized: [{ fromSample: speechFrom, toSample: Math.max(speechFrom, speechTo) }],
  };
}

function placed({ parts }: Recognition, piece: SpeechPiece): SpokenText[] {
  const end = piece.startSample + piece.samples.length;
  const clamp = (sample: number) => Math.min(end, Math.max(piece.startSample, piece.startSample + sample));
  let least = piece.startSample;
  return parts.flatMap(({ text, fromSample, toSample, confidence, words }) => {
    if (text.trim() === '') return [];
    const from = fromSample === undefined ? piece.speechFrom : clamp(fromSample);
    const to = toSample === undefined ? piece.speechTo : clamp(toSample);
    const placedPart: SpokenText = {
      fromSample: Math.max(least, from),
      toSample: Math.max(least, from, to),
      text: text.trim(),
      ...(confidence === undefined ? {} : { confidence }),
      ...(words === undefined
        ? {}
        : {
            words: words.map((word) => ({
              ...word,
              fromSample: clamp(word.fromSample),
              toSample: clamp(word.toSample),
            })),
          }),
    };
    least = placedPart.toSample;
    return [placedPart];
  });
}
