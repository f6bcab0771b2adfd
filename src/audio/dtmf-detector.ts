/**
 * DTMF in audio (ITU-T Q.23, Q.24), for calls that negotiated no telephone-event. A window of 102 samples at 8 kHz,
 * moved on by half its length, is looked at with the Goertzel algorithm at the eight frequencies.
 */

const rowsHz = [697, 770, 852, 941] as const;
const columnsHz = [1209, 1336, 1477, 1633] as const;
const keys = ['123A', '456B', '789C', '*0#D'] as const;

/** 12.75 ms: its bins are 78 Hz wide, enough to tell the frequencies apart and to take those 1.5% off (Q.24). */
const windowSeconds = 102 / 8000;

/** Each of the two tones must have at least this level. Q.24 asks for -29 dBm0; a clean line brings more. */
const minToneDbov = -42;
/** Column above row by so much, row above column by so much (Q.24: 4 and 8 dB; telephones exceed it). */
const maxTwist = 10 ** 0.6;
const maxReverseTwist = 10 ** 1;
/** The strongest of its group against the next. */
const minLead = 10 ** 0.8;
/** Share of the block's energy that the two tones must have: speech has more beside them. */
const minPurity = 0.7;
/** What lies at twice the column's frequency, against it: voices have harmonics, keys none. */
const maxHarmonic = 10 ** -1.5;

/**
 * Windows in a row that agree make a key: a tone of 40 ms always fills four, one of 23 ms never does (Q.24 leaves open
 * what lies between). So many without it are its end: a pause of 40 ms gives six, a break of 10 ms does not.
 */
const windowsDown = 4;
const windowsUp = 6;

const silentKey = '';

/** Told when the key is up: where it went down, counted in samples given, and for how long. */
export type DigitSink = (digit: string, startSample: number, durationSamples: number) => void;

/** Told while the key is down, as soon as it is sure to be one. */
export type DigitDownSink = (digit: string, startSample: number) => void;

export class DtmfDetector {
  readonly #onDigit: DigitSink;
  readonly #onDown: DigitDownSink | undefined;
  /** Half a window. */
  readonly #hopSamples: number;
  readonly #tones: Tone[];
  readonly #minMeanSquare: number;
  /** Of the half window that fills, and the one before. */
  #energy = 0;
  #energyBefore = 0;
  #filled = 0;
  /** Samples given so far. */
  #position = 0;
  /** What the last windows showed, how many, and where the first of them began. */
  #shown = silentKey;
  #windows = 0;
  #shownFrom = 0;
  #pressed = silentKey;
  #pressedAt = 0;
  /** End of the last window that showed the pressed key. */
  #pressedTo = 0;

  constructor(rateHz: number, onDigit: DigitSink, onDown?: DigitDownSink) {
    this.#onDigit = onDigit;
    this.#onDown = onDown;
    this.#hopSamples = Math.round((windowSeconds * rateHz) / 2);
    const frequenciesHz = [...rowsHz, ...columnsHz, ...columnsHz.map((hertz) => 2 * hertz)];
    this.#tones = frequenciesHz.map((hertz) => new Tone(hertz / rateHz, this.#hopSamples));
    this.#minMeanSquare = (32_768 * 10 ** (minToneDbov / 20)) ** 2;
  }

  /** Takes the next samples; any number. */
  push(samples: Int16Array): void {
    for (let read = 0; read < samples.length; ) {
      const take = Math.min(samples.length - read, this.#hopSamples - this.#filled);
      for (let i = read; i < read + take; i++) this.#energy += samples[i]! * samples[i]!;
      for (const each of this.#tones) each.add(samples, read, read + take);
      read += take;
      this.#filled += take;
      this.#position += take;
      if (this.#filled === this.#hopSamples) this.#endHop();
    }
  }

  /** Nothing came for so many samples. */
  skip(samples: number): void {
    this.#position += samples;
    for (const each of this.#tones) each.clear();
    this.#energy = 0;
    this.#energyBefore = 0;
    this.#filled = 0;
    this.#release();
    this.#shown = silentKey;
  }

  #endHop(): void {
    for (const each of this.#tones) each.endHop();
    const key = this.#keyOfWindow();
    this.#energyBefore = this.#energy;
    this.#energy = 0;
    this.#filled = 0;
    if (key !== this.#shown) {
      this.#shown = key;
      this.#windows = 0;
      this.#shownFrom = Math.max(0, this.#position - 2 * this.#hopSamples);
    }
    this.#windows += 1;
    if (key === silentKey) {
      if (this.#windows === windowsUp) this.#release();
    } else if (key === this.#pressed) {
      this.#pressedTo = this.#position;
    } else if (this.#windows === windowsDown) {
      this.#release();
      this.#pressed = key;
      this.#pressedAt = this.#shownFrom;
      this.#pressedTo = this.#position;
      this.#onDown?.(key, this.#shownFrom);
    }
  }

  #release(): void {
    if (this.#pressed === silentKey) return;
    this.#onDigit(this.#pressed, this.#pressedAt, this.#pressedTo - this.#pressedAt);
    this.#pressed = silentKey;
  }

  #keyOfWindow(): string {
    const meanSquare = (this.#energy + this.#energyBefore) / (2 * this.#hopSamples);
    if (meanSquare < 2 * this.#minMeanSquare) return silentKey;
    const row = this.#leader(0);
    const column = this.#leader(rowsHz.length);
    if (row < 0 || column < 0) return silentKey;
    const rowPower = this.#tones[row]!.power;
    const columnPower = this.#tones[column]!.power;
    if (columnPower > rowPower * maxTwist || rowPower > columnPower * maxReverseTwist) return silentKey;
    if (rowPower + columnPower < minPurity * meanSquare) return silentKey;
    // Twice a row's frequency lies too close to a column's to tell anything.
    const harmonic = this.#tones[column + columnsHz.length]!.power;
    if (harmonic > maxHarmonic * columnPower) return silentKey;
    return keys[row]![column - rowsHz.length]!;
  }

  /** Index of the strongest of a group of four, where it is clearly that. */
  #leader(from: number): number {
    let best = from;
    for (let k = from + 1; k < from + 4; k++) if (this.#tones[k]!.power > this.#tones[best]!.power) best = k;
    const { power } = this.#tones[best]!;
    if (power < this.#minMeanSquare) return -1;
    for (let k = from; k < from + 4; k++)
      if (k !== best && this.#tones[k]!.power * minLead > power) return -1;
    return best;
  }
}

/** Goertzel's recursion at one frequency over half a window; the half before is turned on to the same phase. */
class Tone {
  /** Mean square of a sine of this frequency in the last two halves. */
  power = 0;
  readonly #coefficient: number;
  readonly #cosine: number;
  readonly #sine: number;
  readonly #turnCosine: number;
  readonly #turnSine: number;
  readonly #scale: number;
  #s1 = 0;
  #s2 = 0;
  #realBefore = 0;
  #imaginaryBefore = 0;

  /** @param turns of the frequency a sample */
  constructor(turns: number, hopSamples: number) {
    const angle = 2 * Math.PI * turns;
    this.#cosine = Math.cos(angle);
    this.#sine = Math.sin(angle);
    this.#coefficient = 2 * this.#cosine;
    this.#turnCosine = Math.cos(angle * hopSamples);
    this.#turnSine = Math.sin(angle * hopSamples);
    this.#scale = 2 / (2 * hopSamples) ** 2;
  }

  add(samples: Int16Array, from: number, to: number): void {
    const coefficient = this.#coefficient;
    let s1 = this.#s1;
    let s2 = this.#s2;
    for (let i = from; i < to; i++) {
      const s0 = samples[i]! + coefficient * s1 - s2;
      s2 = s1;
      s1 = s0;
    }
    this.#s1 = s1;
    this.#s2 = s2;
  }

  endHop(): void {
    const real = this.#s1 - this.#s2 * this.#cosine;
    const imaginary = this.#s2 * this.#sine;
    const wholeReal = real + this.#realBefore * this.#turnCosine - this.#imaginaryBefore * this.#turnSine;
    const wholeImaginary =
      imaginary + this.#realBefore * this.#turnSine + this.#imaginaryBefore * this.#turnCosine;
    this.power = this.#scale * (wholeReal * wholeReal + wholeImaginary * wholeImaginary);
    this.#realBefore = real;
    this.#imaginaryBefore = imaginary;
    this.#s1 = 0;
    this.#s2 = 0;
  }

  clear(): void {
    this.#s1 = 0;
    this.#s2 = 0;
    this.#realBefore = 0;
    this.#imaginaryBefore = 0;
  }
}
