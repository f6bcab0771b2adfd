/** Samples `fromSample` up to, without, `toSample`. */
export interface TextSpan {
  fromSample: number;
  toSample: number;
}

/** Something that was said, and where. */
export interface SpokenText extends TextSpan {
  text: string;
  /** 0 to 1; undefined where the engine tells none. */
  confidence?: number | undefined;
  /** Undefined where the engine tells no times of words. */
  words?: SpokenWord[] | undefined;
}

export interface SpokenWord extends TextSpan {
  text: string;
  confidence?: number | undefined;
}
