/** Where the bytes of a file go: each run with its place, in an order in which the file is never worse than before. */
export type WriteAt = (bytes: Uint8Array, at: number) => void;

/**
 * One audio file that grows, as bytes at positions. Whatever was written up to any moment is a file that plays.
 * Bytes passed to `WriteAt` are not touched again.
 */
export interface ContainerWriter {
  /** Samples of each channel that went in. */
  readonly samples: number;
  /** Equal numbers of samples for each channel; their memory may be used again. */
  append(channels: readonly Int16Array[]): void;
  /** Makes what went in playable, as far as the format can without ending. */
  settle(): void;
  /** The last bytes and the exact length. Nothing may follow. */
  finish(): void;
}

/** One channel after the other, sample by sample. A single channel is given back as it is. */
export function interleave(channels: readonly Int16Array[]): Int16Array {
  const [left, right] = channels;
  if (!left) return new Int16Array(0);
  if (!right) return left;
  const out = new Int16Array(2 * left.length);
  for (let k = 0; k < left.length; k += 1) {
    out[2 * k] = left[k]!;
    out[2 * k + 1] = right[k]!;
  }
  return out;
}
