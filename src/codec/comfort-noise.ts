/**
 * Comfort noise of discontinuous transmission (RFC 3389): what is played while a sender is silent. The spectrum a
 * payload may describe behind its first byte is not used, which section 3 allows.
 */

/** Where the sender gave no level; a quiet room on a telephone. */
export const defaultComfortNoiseDbov = -60;

/** RFC 3389 section 3.1: the level in -dBov in the lower seven bits; the highest bit is to be ignored. */
export function comfortNoiseDbov(payload: Uint8Array): number | undefined {
  const first = payload[0];
  return first === undefined ? undefined : -(first & 0x7f);
}

const fullScale = 32_768;
/** The least that seven bits can say; taken for silence. */
const leastDbov = -127;
/** A uniform distribution from -1 to 1 has the mean square 1/3. */
const peakOverRms = Math.sqrt(3);

/** White noise of a level that glides to a new one, so that no step is heard. Repeatable. */
export class ComfortNoise {
  #target: number;
  #amplitude: number;
  #seed = 1;

  constructor(levelDbov = defaultComfortNoiseDbov) {
    this.#target = amplitudeOf(levelDbov);
    this.#amplitude = this.#target;
  }

  /** RMS level from here on. */
  set levelDbov(levelDbov: number) {
    this.#target = amplitudeOf(levelDbov);
  }

  /** Fills `out[start..end)`. */
  write(out: Int16Array, start = 0, end = out.length): void {
    for (let i = start; i < end; i++) {
      this.#amplitude += (this.#target - this.#amplitude) / glideSamples;
      this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) | 0;
      out[i] = Math.max(
        -fullScale,
        Math.min(fullScale - 1, Math.round(this.#amplitude * (this.#seed / 2 ** 31))),
      );
    }
  }
}

/** Time constant of the glide: 32 ms at 8 kHz. */
const glideSamples = 256;

function amplitudeOf(levelDbov: number): number {
  const level = Math.max(leastDbov, Math.min(0, levelDbov));
  return level === leastDbov ? 0 : fullScale * 10 ** (level / 20) * peakOverRms;
}
