import { Fft } from '../../src/quality/fft.ts';
import { type Random, seededRandom } from '../../src/testkit/random.ts';

type Place = readonly [number, number, number];

export interface Room {
  /** Metres. */
  size: Place;
  talker: Place;
  microphone: Place;
  /** What the six walls absorb of the energy (0..1), for each of the bands; floor and ceiling last. */
  absorption: readonly (readonly number[])[];
}

export interface RoomResponse {
  /** At 8 kHz, of unit energy, from the direct sound on. */
  taps: Float64Array;
  /** Measured on the taps: the decay from -5 to -35 dB of the backward integral (ISO 3382, T30). */
  rt60Seconds: number;
}

export const roomRateHz = 8000;
const soundMetresPerSecond = 343;
/** Borders between the bands in which walls absorb differently. */
const crossoverHz = [700, 1700];
const bands = crossoverHz.length + 1;
/** Sub-sample delays in the part that is heard as single echoes. */
const phases = 32;
const sincReach = 8;
const earlySamples = 0.08 * roomRateHz;
/** Echoes softer than this, against the direct sound, are left out. */
const leastAmplitude = 2e-5;

/** Image sources of a shoebox (Allen and Berkley 1979), in three bands of frequency. */
export function roomResponse(room: Room): RoomResponse {
  const heard = wholeResponse(room);
  const energy = heard.reduce((sum, tap) => sum + tap * tap, 0);
  const taps = heard.map((tap) => tap / Math.sqrt(energy));
  return { taps, rt60Seconds: measuredRt60(taps) };
}

/**
 * A hall without walls: noise that decays (Polack 1988), the high half of it sooner, behind a direct sound.
 * @param directDb energy of the direct sound over that of all the rest
 */
export function noiseHall(seed: number, rt60Seconds: number, directDb: number): RoomResponse {
  const random = seededRandom(seed);
  const highRt60Seconds = rt60Seconds * (0.6 + 0.4 * random());
  const length = Math.ceil(1.15 * rt60Seconds * roomRateHz);
  const taps = new Float64Array(length);
  let before = 0;
  let energy = 0;
  for (let i = Math.floor(0.005 * roomRateHz); i < length; i++) {
    const next = random() - 0.5;
    const low = (next + before) * 10 ** ((-3 * i) / (roomRateHz * rt60Seconds));
    const high = (next - before) * 10 ** ((-3 * i) / (roomRateHz * highRt60Seconds));
    taps[i] = low + high;
    energy += taps[i]! ** 2;
    before = next;
  }
  taps[0] = Math.sqrt(energy) * 10 ** (directDb / 20);
  const scale = 1 / Math.sqrt(energy + taps[0] ** 2);
  const scaled = taps.map((tap) => tap * scale);
  return { taps: scaled, rt60Seconds: measuredRt60(scaled) };
}

export interface RoomOptions {
  seed: number;
  /** What Eyring's formula shall give; the measured one is near it. */
  rt60Seconds: number;
  /** Talker to microphone. */
  distanceMetres?: number;
}

/** A room drawn at random: larger ones where the reverberation is longer. */
export function randomRoom({ seed, rt60Seconds, distanceMetres }: RoomOptions): Room {
  const random = seededRandom(seed);
  const between = (low: number, high: number) => low + (high - low) * random();
  const scale = rt60Seconds > 2 ? Math.min(3, rt60Seconds / 2) : 1;
  const size: Place = [
    between(2.5, 5 + 5 * random()) * scale,
    between(2.2, 4 + 4 * random()) * scale,
    between(2.3, 3 + 1.5 * random()) * scale,
  ];
  const wanted = distanceMetres ?? 0.3 + 2.7 * random() ** 1.5;
  const { talker, microphone } = places(size, wanted, random);
  return { size, talker, microphone, absorption: walls(size, rt60Seconds, random) };
}

function places(size: Place, distance: number, random: Random): { talker: Place; microphone: Place } {
  const margin = 0.3;
  const inside = (at: Place) => at.every((x, axis) => x > margin && x < size[axis]! - margin);
  let shrink = 1;
  for (;;) {
    const talker = size.map((length) => margin + (length - 2 * margin) * random()) as unknown as Place;
    const azimuth = 2 * Math.PI * random();
    const height = (random() - 0.5) * 0.6;
    const flat = Math.sqrt(1 - height * height) * distance * shrink;
    const microphone: Place = [
      talker[0] + flat * Math.cos(azimuth),
      talker[1] + flat * Math.sin(azimuth),
      talker[2] + height * distance * shrink,
    ];
    if (inside(microphone)) return { talker, microphone };
    shrink *= 0.99;
  }
}

function walls(size: Place, rt60Seconds: number, random: Random): number[][] {
  const [x, y, z] = size;
  const areas = [y * z, y * z, x * z, x * z, x * y, x * y];
  const surface = areas.reduce((sum, area) => sum + area, 0);
  const mean = 1 - Math.exp((-0.161 * x * y * z) / (surface * rt60Seconds));
  const raw = areas.map(() => 0.6 + 0.8 * random());
  const weighted = raw.reduce((sum, share, wall) => sum + share * areas[wall]!, 0) / surface;
  const tilt = 0.15 * (2 * random() - 1);
  const bandFactors = [1 - tilt, 1, 1 + tilt];
  return raw.map((share) => bandFactors.map((factor) => Math.min(0.99, (mean * factor * share) / weighted)));
}

function wholeResponse(room: Room): Float64Array {
  const longest = longestSeconds(room);
  const length = Math.ceil(longest * roomRateHz);
  const parts = Array.from({ length: bands }, () => new Float64Array(length + 2 * sincReach));
  addImages(room, parts, length);
  const whole = bandSum(parts);
  const direct = (distanceBetween(room.talker, room.microphone) / soundMetresPerSecond) * roomRateHz;
  return whole.subarray(Math.max(0, Math.floor(direct) - 2), length);
}

/** Until the slowest band has decayed by 70 dB or so. */
function longestSeconds({ size: [x, y, z], absorption }: Room): number {
  const areas = [y * z, y * z, x * z, x * z, x * y, x * y];
  const seconds = Array.from({ length: bands }, (_, band) => {
    const surface = areas.reduce((sum, area) => sum + area, 0);
    const absorbed = areas.reduce((sum, area, wall) => sum + area * absorption[wall]![band]!, 0);
    return (0.161 * x * y * z) / (surface * -Math.log(1 - absorbed / surface));
  });
  return 0.1 + 1.15 * Math.max(...seconds);
}

function addImages(room: Room, parts: Float64Array[], length: number): void {
  const { size, talker, microphone, absorption } = room;
  const reach = (length / roomRateHz) * soundMetresPerSecond;
  const reflection = absorption.map((wall) => wall.map((share) => Math.sqrt(1 - share)));
  const [xs, ys, zs] = size.map((side, axis) =>
    imagesOfAxis(
      side,
      talker[axis]!,
      microphone[axis]!,
      reach,
      reflection[2 * axis]!,
      reflection[2 * axis + 1]!,
    ),
  ) as [AxisImage[], AxisImage[], AxisImage[]];
  const direct = distanceBetween(talker, microphone);
  const kernels = sincKernels();
  const samplesPerMetre = roomRateHz / soundMetresPerSecond;
  const flatGains = new Float64Array(bands);
  for (const x of xs) {
    for (const y of ys) {
      const flat = x.offset * x.offset + y.offset * y.offset;
      let loudest = 0;
      for (let band = 0; band < bands; band++) {
        flatGains[band] = x.gains[band]! * y.gains[band]!;
        loudest = Math.max(loudest, flatGains[band]!);
      }
      if (flat > reach * reach || loudest < leastAmplitude) continue;
      for (const z of zs) {
        const distance = Math.sqrt(flat + z.offset * z.offset);
        if (distance > reach) continue;
        addEcho(parts, kernels, distance * samplesPerMetre, direct / distance, flatGains, z.gains);
      }
    }
  }
}

interface AxisImage {
  offset: number;
  gains: Float64Array;
}

/** Image positions along one axis, seen from the microphone, with what their reflections left. */
function imagesOfAxis(
  side: number,
  talker: number,
  microphone: number,
  reach: number,
  near: readonly number[],
  far: readonly number[],
): AxisImage[] {
  const images: AxisImage[] = [];
  const most = Math.ceil(reach / (2 * side)) + 1;
  for (let n = -most; n <= most; n++) {
    for (const mirrored of [0, 1]) {
      const offset = (mirrored ? -talker : talker) + 2 * n * side - microphone;
      if (Math.abs(offset) > reach) continue;
      const gains = Float64Array.from(
        near,
        (gain, band) => gain ** Math.abs(n - mirrored) * far[band]! ** Math.abs(n),
      );
      images.push({ offset, gains });
    }
  }
  return images;
}

function addEcho(
  parts: Float64Array[],
  kernels: Float64Array[],
  delay: number,
  gain: number,
  flat: Float64Array,
  high: Float64Array,
): void {
  if (delay > earlySamples) {
    const at = Math.round(delay);
    for (let band = 0; band < bands; band++) parts[band]![at]! += gain * flat[band]! * high[band]!;
    return;
  }
  const whole = Math.floor(delay);
  const kernel = kernels[Math.floor((delay - whole) * phases)]!;
  const first = whole - sincReach + 1;
  for (let tap = Math.max(0, -first); tap < kernel.length; tap++) {
    const value = gain * kernel[tap]!;
    for (let band = 0; band < bands; band++) parts[band]![first + tap]! += value * flat[band]! * high[band]!;
  }
}

function sincKernels(): Float64Array[] {
  return Array.from({ length: phases }, (_, phase) =>
    Float64Array.from({ length: 2 * sincReach }, (_unused, tap) => {
      const x = tap - sincReach + 1 - (phase + 0.5) / phases;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (sincReach + 1));
      return x === 0 ? 1 : (window * Math.sin(Math.PI * x)) / (Math.PI * x);
    }),
  );
}

/** Each part through its band of frequencies, with nothing below 80 Hz, where image sources pile up. */
function bandSum(parts: Float64Array[]): Float64Array {
  const length = 2 ** Math.ceil(Math.log2(parts[0]!.length + 1024));
  const fft = new Fft(length);
  const sumReal = new Float64Array(length);
  const sumImaginary = new Float64Array(length);
  parts.forEach((part, band) => {
    const real = new Float64Array(length);
    const imaginary = new Float64Array(length);
    real.set(part);
    fft.transform(real, imaginary);
    for (let bin = 0; bin < length; bin++) {
      const hz = (Math.min(bin, length - bin) * roomRateHz) / length;
      const weight = bandWeight(hz, band) * Math.min(1, Math.max(0, (hz - 50) / 60));
      sumReal[bin]! += weight * real[bin]!;
      sumImaginary[bin]! += weight * imaginary[bin]!;
    }
  });
  return inverse(fft, sumReal, sumImaginary).subarray(0, parts[0]!.length);
}

/** Cross-fades of half an octave; over the bands the weights sum to 1. */
function bandWeight(hz: number, band: number): number {
  const above = (border: number) => Math.min(1, Math.max(0, 0.5 + 2 * Math.log2(Math.max(1, hz) / border)));
  const low = band === 0 ? 1 : above(crossoverHz[band - 1]!);
  const high = band === bands - 1 ? 0 : above(crossoverHz[band]!);
  return low - high;
}

function inverse(fft: Fft, real: Float64Array, imaginary: Float64Array): Float64Array {
  fft.transform(imaginary, real);
  return real.map((value) => value / fft.length);
}

/** What is heard of it: with the direct sound counted to it, which a near microphone hears more of. */
export function heardRt60({ taps }: RoomResponse): number {
  const seconds = decayLevels(taps).findIndex((level) => level < -35) / roomRateHz;
  return (60 / 35) * seconds;
}

/** The backward integral, in dB of the whole. */
function decayLevels(taps: Float64Array): Float64Array {
  const decay = new Float64Array(taps.length);
  let left = 0;
  for (let i = taps.length - 1; i >= 0; i--) decay[i] = left += taps[i]! * taps[i]!;
  return decay.map((energy) => 10 * Math.log10(energy / left));
}

function measuredRt60(taps: Float64Array): number {
  const levels = decayLevels(taps);
  const from = levels.findIndex((level) => level < -5);
  const to = levels.findIndex((level) => level < -35);
  let n = 0;
  let x = 0;
  let y = 0;
  let xx = 0;
  let xy = 0;
  for (let i = from; i < to; i++) {
    n += 1;
    x += i;
    y += levels[i]!;
    xx += i * i;
    xy += i * levels[i]!;
  }
  const slope = (n * xy - x * y) / (n * xx - x * x);
  return -60 / (slope * roomRateHz);
}

/** The signal as it arrives at the microphone: as long as the signal. */
export function heardInRoom(signal: Float64Array, taps: Float64Array): Float64Array {
  const length = 2 ** Math.ceil(Math.log2(signal.length + taps.length));
  const fft = new Fft(length);
  const real = new Float64Array(length);
  const imaginary = new Float64Array(length);
  // Both are real: one transform serves for the two, its halves taken apart below.
  real.set(signal);
  imaginary.set(taps);
  fft.transform(real, imaginary);
  const outReal = new Float64Array(length);
  const outImaginary = new Float64Array(length);
  for (let k = 0; k < length; k++) {
    const mirror = (length - k) % length;
    const signalRe = (real[k]! + real[mirror]!) / 2;
    const signalIm = (imaginary[k]! - imaginary[mirror]!) / 2;
    const tapsRe = (imaginary[k]! + imaginary[mirror]!) / 2;
    const tapsIm = (real[mirror]! - real[k]!) / 2;
    outReal[k] = signalRe * tapsRe - signalIm * tapsIm;
    outImaginary[k] = signalRe * tapsIm + signalIm * tapsRe;
  }
  return inverse(fft, outReal, outImaginary).subarray(0, signal.length);
}

function distanceBetween(a: Place, b: Place): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
