/** A complex transform of one power-of-two length, its tables made once. In place: no allocation a transform. */
export class Fft {
  readonly length: number;
  readonly #cosine: Float64Array;
  readonly #sine: Float64Array;
  /** Pairs of places to be exchanged. */
  readonly #exchanged: Uint32Array;

  /** @param length a power of two */
  constructor(length: number) {
    this.length = length;
    this.#cosine = Float64Array.from({ length: length / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / length));
    this.#sine = Float64Array.from({ length: length / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / length));
    const reversed = new Uint32Array(length);
    for (let i = 1; i < length; i++) reversed[i] = (reversed[i >> 1]! >> 1) | (i & 1 ? length >> 1 : 0);
    this.#exchanged = Uint32Array.from([...reversed].flatMap((j, i) => (j > i ? [i, j] : [])));
  }

  transform(real: Float64Array, imaginary: Float64Array): void {
    this.#reorder(real, imaginary);
    if (this.length > 1) this.#addPairs(real, imaginary);
    const { length } = this;
    const cosines = this.#cosine;
    const sines = this.#sine;
    for (let half = 2; half < length; half *= 2) {
      const stride = length / (2 * half);
      for (let k = 0, twiddle = 0; k < half; k++, twiddle += stride) {
        const cosine = cosines[twiddle]!;
        const sine = sines[twiddle]!;
        for (let a = k; a < length; a += 2 * half) {
          const b = a + half;
          const re = real[b]! * cosine - imaginary[b]! * sine;
          const im = real[b]! * sine + imaginary[b]! * cosine;
          const fromRe = real[a]!;
          const fromIm = imaginary[a]!;
          real[b] = fromRe - re;
          imaginary[b] = fromIm - im;
          real[a] = fromRe + re;
          imaginary[a] = fromIm + im;
        }
      }
    }
  }

  /** The first step, whose factors are 1. */
  #addPairs(real: Float64Array, imaginary: Float64Array): void {
    for (let a = 0; a < this.length; a += 2) {
      const re = real[a + 1]!;
      const im = imaginary[a + 1]!;
      real[a + 1] = real[a]! - re;
      imaginary[a + 1] = imaginary[a]! - im;
      real[a]! += re;
      imaginary[a]! += im;
    }
  }

  #reorder(real: Float64Array, imaginary: Float64Array): void {
    const exchanged = this.#exchanged;
    for (let pair = 0; pair < exchanged.length; pair += 2) {
      const i = exchanged[pair]!;
      const j = exchanged[pair + 1]!;
      const re = real[i]!;
      const im = imaginary[i]!;
      real[i] = real[j]!;
      imaginary[i] = imaginary[j]!;
      real[j] = re;
      imaginary[j] = im;
    }
  }
}
