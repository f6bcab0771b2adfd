/** A complex transform of one power-of-two length, its tables made once. In place: no allocation a transform. */
export class Fft {
  readonly length: number;
  readonly #cosine: Float64Array;
  readonly #sine: Float64Array;
  readonly #reversed: Uint32Array;

  /** @param length a power of two */
  constructor(length: number) {
    this.length = length;
    this.#cosine = Float64Array.from({ length: length / 2 }, (_, i) => Math.cos((2 * Math.PI * i) / length));
    this.#sine = Float64Array.from({ length: length / 2 }, (_, i) => -Math.sin((2 * Math.PI * i) / length));
    this.#reversed = new Uint32Array(length);
    for (let i = 1; i < length; i++)
      this.#reversed[i] = (this.#reversed[i >> 1]! >> 1) | (i & 1 ? length >> 1 : 0);
  }

  transform(real: Float64Array, imaginary: Float64Array): void {
    this.#reorder(real);
    this.#reorder(imaginary);
    for (let half = 1; half < this.length; half *= 2) {
      const stride = this.length / (2 * half);
      for (let start = 0; start < this.length; start += 2 * half) {
        for (let k = 0, twiddle = 0; k < half; k++, twiddle += stride) {
          const cosine = this.#cosine[twiddle]!;
          const sine = this.#sine[twiddle]!;
          const a = start + k;
          const b = a + half;
          const re = real[b]! * cosine - imaginary[b]! * sine;
          const im = real[b]! * sine + imaginary[b]! * cosine;
          real[b] = real[a]! - re;
          imaginary[b] = imaginary[a]! - im;
          real[a]! += re;
          imaginary[a]! += im;
        }
      }
    }
  }

  #reorder(values: Float64Array): void {
    for (let i = 0; i < this.length; i++) {
      const j = this.#reversed[i]!;
      if (j <= i) continue;
      const kept = values[i]!;
      values[i] = values[j]!;
      values[j] = kept;
    }
  }
}
