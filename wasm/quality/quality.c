/* What is counted of a signal for its quality figures: src/quality/kernel.ts says who calls it. Nothing of it allocates,
 * and all of it is for one thread: one signal after the other. */
#include <stdint.h>
#include <wasm_simd128.h>

#define MATH(name) __attribute__((import_module("math"), import_name(#name))) extern double name
#define EXPORT(name) __attribute__((export_name(#name)))

MATH(cos)(double);
MATH(sin)(double);
MATH(exp)(double);
MATH(log)(double);
MATH(log10)(double);

/* 10 s at 48 kHz. */
#define MAX_SAMPLES 480000
#define FRAME 256
#define HALF (FRAME / 2)
#define HOP 80
#define MAX_ROWS 1024
#define BANDS 9
#define ROW (BANDS + 1)
#define FINE_BANDS 48
#define FIRST_FINE_BIN 4
#define MAX_FINE_ROWS (MAX_ROWS / 2)
#define MAX_LEVELS 8192
#define LEAST_DBOV (-120.0)
#define PI 3.14159265358979323846

static int16_t samples[MAX_SAMPLES + FRAME + 8 * HOP];
static uint8_t rows[MAX_ROWS * ROW];
static uint8_t fine_rows[MAX_FINE_ROWS * FINE_BANDS];
static double levels[MAX_LEVELS + 2];

EXPORT(samples) int16_t *samples_at(void) { return samples; }
EXPORT(rows) uint8_t *rows_at(void) { return rows; }
EXPORT(fineRows) uint8_t *fine_rows_at(void) { return fine_rows; }
EXPORT(levels) double *levels_at(void) { return levels; }

static double power_of(double base, double exponent) { return exp(exponent * log(base)); }

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

/* ---- A transform of 128 complex values, of four signals side by side ---- */

static v128_t re[HALF], im[HALF];
static float cosines[HALF], sines[HALF];
static uint8_t reversed[HALF];

static void init_transform(void) {
  for (int i = 0; i < HALF; i++) {
    cosines[i] = (float)cos(2 * PI * i / HALF);
    sines[i] = (float)-sin(2 * PI * i / HALF);
    int bits = 0;
    for (int bit = 0; bit < 7; bit++) bits |= ((i >> bit) & 1) << (6 - bit);
    reversed[i] = (uint8_t)bits;
  }
}

#define ADD wasm_f32x4_add
#define SUB wasm_f32x4_sub
#define MUL wasm_f32x4_mul

/* Two steps at once, of `half` and of twice as much. */
static inline void two_steps(int half) {
  for (int k = 0; k < half; k++) {
    int near = k * (HALF / (2 * half));
    int far = near / 2;
    v128_t c1 = wasm_v128_load32_splat(&cosines[near]), s1 = wasm_v128_load32_splat(&sines[near]);
    v128_t c2 = wasm_v128_load32_splat(&cosines[far]), s2 = wasm_v128_load32_splat(&sines[far]);
    for (int a = k; a < HALF; a += 4 * half) {
      int b = a + half, c = b + half, d = c + half;
      v128_t br = SUB(MUL(re[b], c1), MUL(im[b], s1)), bi = ADD(MUL(re[b], s1), MUL(im[b], c1));
      v128_t dr = SUB(MUL(re[d], c1), MUL(im[d], s1)), di = ADD(MUL(re[d], s1), MUL(im[d], c1));
      v128_t ar = re[a], ai = im[a], cr = re[c], ci = im[c];
      v128_t ar1 = ADD(ar, br), ai1 = ADD(ai, bi), br1 = SUB(ar, br), bi1 = SUB(ai, bi);
      v128_t cr1 = ADD(cr, dr), ci1 = ADD(ci, di), dr1 = SUB(cr, dr), di1 = SUB(ci, di);
      v128_t cr2 = SUB(MUL(cr1, c2), MUL(ci1, s2)), ci2 = ADD(MUL(cr1, s2), MUL(ci1, c2));
      /* The factor of the other pair is -i times this one. */
      v128_t dr2 = ADD(MUL(dr1, s2), MUL(di1, c2)), di2 = SUB(MUL(di1, s2), MUL(dr1, c2));
      re[a] = ADD(ar1, cr2), im[a] = ADD(ai1, ci2);
      re[c] = SUB(ar1, cr2), im[c] = SUB(ai1, ci2);
      re[b] = ADD(br1, dr2), im[b] = ADD(bi1, di2);
      re[d] = SUB(br1, dr2), im[d] = SUB(bi1, di2);
    }
  }
}

/* Of `re` and `im`, whose values stand at `reversed`. */
static void transform(void) {
  for (int a = 0; a < HALF; a += 4) {
    v128_t ar = ADD(re[a], re[a + 1]), ai = ADD(im[a], im[a + 1]);
    v128_t br = SUB(re[a], re[a + 1]), bi = SUB(im[a], im[a + 1]);
    v128_t cr = ADD(re[a + 2], re[a + 3]), ci = ADD(im[a + 2], im[a + 3]);
    v128_t dr = SUB(re[a + 2], re[a + 3]), di = SUB(im[a + 2], im[a + 3]);
    re[a] = ADD(ar, cr), im[a] = ADD(ai, ci);
    re[a + 2] = SUB(ar, cr), im[a + 2] = SUB(ai, ci);
    re[a + 1] = ADD(br, di), im[a + 1] = SUB(bi, dr);
    re[a + 3] = SUB(br, di), im[a + 3] = ADD(bi, dr);
  }
  two_steps(4);
  two_steps(16);
  for (int k = 0; k < HALF / 2; k++) {
    v128_t c = wasm_v128_load32_splat(&cosines[k]), s = wasm_v128_load32_splat(&sines[k]);
    int b = k + HALF / 2;
    v128_t br = SUB(MUL(re[b], c), MUL(im[b], s)), bi = ADD(MUL(re[b], s), MUL(im[b], c));
    v128_t ar = re[k], ai = im[k];
    re[k] = ADD(ar, br), im[k] = ADD(ai, bi);
    re[b] = SUB(ar, br), im[b] = SUB(ai, bi);
  }
}

/* ---- Levels of bands: src/quality/band-levels.ts ---- */

static const int edges[BANDS + 1] = {1, 4, 10, 16, 24, 34, 47, 64, 87, 119};
#define LAST_BIN 119
static float window[FRAME], turn_cos[HALF], turn_sin[HALF];
static float level_scale;
static v128_t powers[HALF + 1];
static uint8_t step_of_bits[1 << 15];
static float start_of_step[258];

static double mean_square_of(double step) { return power_of(10, (LEAST_DBOV + step / 2) / 10) - 1e-13; }

static void init_levels(void) {
  double energy = 0;
  for (int i = 0; i < FRAME; i++) {
    double weight = 0.5 - 0.5 * cos(2 * PI * (i + 0.5) / FRAME);
    window[i] = (float)weight;
    energy += weight * weight;
  }
  for (int k = 0; k < HALF; k++) {
    turn_cos[k] = (float)cos(2 * PI * k / FRAME);
    turn_sin[k] = (float)sin(2 * PI * k / FRAME);
  }
  /* Both halves of the spectrum, as a share of full scale; the powers are four times what they are. */
  level_scale = (float)(2 / (FRAME * energy * 32768.0 * 32768.0) / 4);
  for (int step = 0; step < 256; step++) start_of_step[step] = (float)mean_square_of(step - 0.5);
  start_of_step[256] = start_of_step[257] = __builtin_inff();
  int step = 0;
  for (uint32_t first = 0; first < 1 << 15; first++) {
    union { uint32_t bits; float value; } least_of = {first << 16};
    while (step < 255 && least_of.value >= start_of_step[step + 1]) step++;
    step_of_bits[first] = (uint8_t)step;
  }
}

static inline uint8_t level_step(float mean_square) {
  union { float value; uint32_t bits; } of = {mean_square};
  int step = step_of_bits[of.bits >> 16];
  return (uint8_t)(mean_square >= start_of_step[step + 1] ? step + 1 : step);
}

/* Eight samples of each of four frames. */
static inline void load_eight(const int16_t *from, int at) {
  v128_t a = wasm_v128_load(from + at), b = wasm_v128_load(from + HOP + at);
  v128_t c = wasm_v128_load(from + 2 * HOP + at), d = wasm_v128_load(from + 3 * HOP + at);
#define LOW32(x, y) wasm_i32x4_shuffle(x, y, 0, 4, 1, 5)
#define HIGH32(x, y) wasm_i32x4_shuffle(x, y, 2, 6, 3, 7)
#define LOW64(x, y) wasm_i64x2_shuffle(x, y, 0, 2)
#define HIGH64(x, y) wasm_i64x2_shuffle(x, y, 1, 3)
  v128_t ab = LOW32(a, b), cd = LOW32(c, d), ab2 = HIGH32(a, b), cd2 = HIGH32(c, d);
  /* In each lane an even sample, and the odd one behind it in the upper half. */
  v128_t pairs[4] = {LOW64(ab, cd), HIGH64(ab, cd), LOW64(ab2, cd2), HIGH64(ab2, cd2)};
  /* `reversed[at / 2 + pair]`: the last two bits become the first. */
  static const int first_bits[4] = {0, HALF / 2, HALF / 4, HALF / 2 + HALF / 4};
  int rest = reversed[at / 2];
#pragma clang loop unroll(full)
  for (int pair = 0; pair < 4; pair++) {
    int place = rest + first_bits[pair];
    v128_t even = wasm_f32x4_convert_i32x4(wasm_i32x4_shr(wasm_i32x4_shl(pairs[pair], 16), 16));
    v128_t odd = wasm_f32x4_convert_i32x4(wasm_i32x4_shr(pairs[pair], 16));
    re[place] = MUL(even, wasm_v128_load32_splat(&window[at + 2 * pair]));
    im[place] = MUL(odd, wasm_v128_load32_splat(&window[at + 2 * pair + 1]));
  }
}

/* Even samples are the real parts, odd ones the imaginary parts: both spectra are told apart by their symmetry. */
static void find_powers(void) {
  for (int k = 1; k <= HALF / 2; k++) {
    int other = HALF - k;
    v128_t even_re = ADD(re[k], re[other]), even_im = SUB(im[k], im[other]);
    v128_t odd_re = ADD(im[k], im[other]), odd_im = SUB(re[other], re[k]);
    v128_t c = wasm_v128_load32_splat(&turn_cos[k]), s = wasm_v128_load32_splat(&turn_sin[k]);
    v128_t turned_re = ADD(MUL(c, odd_re), MUL(s, odd_im)), turned_im = SUB(MUL(c, odd_im), MUL(s, odd_re));
    v128_t sum_re = ADD(even_re, turned_re), sum_im = ADD(even_im, turned_im);
    v128_t less_re = SUB(even_re, turned_re), less_im = SUB(even_im, turned_im);
    powers[k] = ADD(MUL(sum_re, sum_re), MUL(sum_im, sum_im));
    powers[other] = ADD(MUL(less_re, less_re), MUL(less_im, less_im));
  }
}

static v128_t power_between(int from, int to) {
  v128_t sum = powers[from];
  for (int k = from + 1; k < to; k++) sum = ADD(sum, powers[k]);
  return sum;
}

static int is_silent(const int16_t *from, int count) {
  v128_t any = wasm_i16x8_splat(0);
  for (int i = 0; i < count; i += 8) any = wasm_v128_or(any, wasm_v128_load(from + i));
  return !wasm_v128_any_true(any);
}

/* Levels of `count` samples at 8 kHz. Returns the number of rows; of fine rows there are half as many, rounded up. */
EXPORT(bandLevels) int band_levels(int count) {
  int total = count < FRAME ? 0 : (count - FRAME) / HOP + 1;
  v128_t scale = wasm_f32x4_splat(level_scale);
  for (int first = 0; first < total; first += 4) {
    const int16_t *from = samples + first * HOP;
    int here = total - first < 4 ? total - first : 4;
    if (is_silent(from, FRAME + 3 * HOP)) {
      for (int at = 0; at < here * ROW; at++) rows[first * ROW + at] = 0;
      for (int at = 0; at < (here + 1) / 2 * FINE_BANDS; at++) fine_rows[first / 2 * FINE_BANDS + at] = 0;
      continue;
    }
    for (int at = 0; at < FRAME; at += 8) load_eight(from, at);
    transform();
    find_powers();
    float lanes[4];
    v128_t whole = wasm_f32x4_splat(0);
    for (int band = 0; band <= BANDS; band++) {
      v128_t energy = band < BANDS ? power_between(edges[band], edges[band + 1]) : whole;
      whole = ADD(whole, energy);
      wasm_v128_store(lanes, MUL(energy, scale));
      /* Rows behind the last one are room. */
      uint8_t *row = rows + first * ROW + band;
      row[0] = level_step(lanes[0]), row[ROW] = level_step(lanes[1]);
      row[2 * ROW] = level_step(lanes[2]), row[3 * ROW] = level_step(lanes[3]);
    }
    for (int band = 0; band < FINE_BANDS; band++) {
      int bin = FIRST_FINE_BIN + 2 * band;
      wasm_v128_store(lanes, MUL(ADD(powers[bin], powers[bin + 1]), scale));
      uint8_t *row = fine_rows + (first / 2) * FINE_BANDS + band;
      row[0] = level_step(lanes[0]), row[FINE_BANDS] = level_step(lanes[2]);
    }
  }
  return total;
}

/* ---- Histograms: src/quality/histogram.ts ---- */

static double percentile(const double *counts, int bins, double low, double step, double percent, double fallback) {
  double total = 0;
  for (int bin = 0; bin < bins; bin++) total += counts[bin];
  if (total < 5) return fallback;
  double wanted = percent / 100 * total, below = 0;
  for (int bin = 0; bin < bins; bin++) {
    if (counts[bin] > 0 && below + counts[bin] >= wanted)
      return low + step * (bin + most(0, wanted - below) / counts[bin]);
    below += counts[bin];
  }
  return low + step * bins;
}

/* ---- How levels are distributed: src/quality/level-statistics.ts ---- */

#define LEVEL_BINS 120
#define LEVELS_STATE (ROW * LEVEL_BINS + 3)
/* -85 dBov. */
#define LEAST_AUDIO_STEP 70
static double power_of_step[256];

static double dbov(int step) { return LEAST_DBOV + step / 2.0; }

EXPORT(addLevels) void add_levels(double *state, int count) {
  double *sums = state + ROW * LEVEL_BINS;
  const double *whole_counts = state + BANDS * LEVEL_BINS;
  for (int i = 0; i < count; i++) {
    const uint8_t *row = rows + i * ROW;
    if (row[BANDS] <= LEAST_AUDIO_STEP) continue;
    for (int band = 0; band < ROW; band++) {
      int bin = row[band] >> 1;
      state[band * LEVEL_BINS + (bin < LEVEL_BINS ? bin : LEVEL_BINS - 1)] += 1;
    }
    sums[0] += power_of_step[row[BANDS]];
  }
  double soft = percentile(whole_counts, LEVEL_BINS, LEAST_DBOV, 1, 20, LEAST_DBOV);
  for (int i = 1; i < count; i++) {
    int whole = rows[i * ROW + BANDS], before = rows[(i - 1) * ROW + BANDS];
    if (dbov(whole) > soft || whole <= LEAST_AUDIO_STEP || before <= LEAST_AUDIO_STEP) continue;
    double step = (whole - before) / 2.0;
    sums[1] += step * step;
    sums[2] += 1;
  }
}

/* ---- How fast levels fall and rise: src/quality/slope-statistics.ts ---- */

#define SPANS 5
#define SLOPE_BINS 64
#define SLOPE_PART (SLOPE_BINS + 4)
#define SLOPES_STATE (SPANS * SLOPE_PART)
#define SLOPE_SIDE (SLOPE_BINS / 2)
#define SLOPE_KNEE 20.0
static const int spans[SPANS] = {5, 10, 20, 40, 80};
/* By the first bits of the size of a slope, and 20. */
static uint8_t slope_bin_of_bits[1 << 15];
static double start_of_slope_bin[SLOPE_SIDE + 2];

static void init_slopes(void) {
  for (int bin = 0; bin <= SLOPE_SIDE; bin++) start_of_slope_bin[bin] = SLOPE_KNEE * exp(bin / 8.0);
  start_of_slope_bin[SLOPE_SIDE + 1] = __builtin_inf();
  int bin = 0;
  for (uint32_t first = 0; first < 1 << 15; first++) {
    union { uint32_t bits; float value; } least_of = {first << 16};
    while (bin < SLOPE_SIDE && least_of.value >= start_of_slope_bin[bin + 1]) bin++;
    slope_bin_of_bits[first] = (uint8_t)bin;
  }
}

static inline int slope_bin(double slope) {
  double size = __builtin_fabs(slope) + SLOPE_KNEE;
  union { float value; uint32_t bits; } of = {(float)size};
  int bin = slope_bin_of_bits[of.bits >> 16];
  if (size >= start_of_slope_bin[bin + 1]) bin++;
  if (bin > SLOPE_SIDE - 1) bin = SLOPE_SIDE - 1;
  return slope < 0 ? SLOPE_SIDE - 1 - bin : SLOPE_SIDE + bin;
}

static inline void add_span(double *part, int span, int count) {
  double middle = (span - 1) / 2.0, factor = 100 / (span * (span * span - 1.0) / 12);
  double *sums = part + SLOPE_BINS;
  double sum = 0, moment = 0, falling = 0, falls = 0, rising = 0, rises = 0;
  double least_sum = -30.0 * span;
  for (int i = 0; i < count; i++) {
    if (i >= span) {
      sum -= levels[i - span];
      moment += (span - 1) * levels[i] - sum;
      sum += levels[i];
    } else {
      moment += i * levels[i];
      sum += levels[i];
      if (i < span - 1) continue;
    }
    if (sum < least_sum) continue;
    double slope = (moment - middle * sum) * factor;
    part[slope_bin(slope)] += 1;
    if (slope < 0) falling += slope * slope, falls += 1;
    else rising += slope * slope, rises += 1;
  }
  sums[0] += falling, sums[1] += falls, sums[2] += rising, sums[3] += rises;
}

/* Of `count` levels in dB against the top, as all of these. */
EXPORT(addSlopes) void add_slopes(double *state, int count) {
  for (int at = 0; at < SPANS; at++) add_span(state + at * SLOPE_PART, spans[at], count);
}

/* ---- How long levels take to fall: src/quality/fall-statistics.ts ---- */

#define FALLS 5
#define TIME_BINS 24
#define FALLS_STATE (FALLS * TIME_BINS + 1)
#define QUIET_AFTER 25
#define LONGEST_FALL 300
#define LONGEST_DROP 100
static uint8_t fall_bin[LONGEST_FALL + 1], drop_bin[LONGEST_DROP + 1];

static uint8_t time_bin(double rows_passed, int longest) {
  int bin = (int)(log(rows_passed) / (log(longest) / TIME_BINS));
  return (uint8_t)(bin < TIME_BINS ? bin : TIME_BINS - 1);
}

static void init_times(void) {
  for (int i = 1; i <= LONGEST_FALL; i++) fall_bin[i] = time_bin(i + 0.5, LONGEST_FALL);
  for (int i = 1; i <= LONGEST_DROP; i++) drop_bin[i] = time_bin(i, LONGEST_DROP);
}

static int is_loudest(int at) {
  for (int i = at + 1; i <= at + QUIET_AFTER; i++)
    if (levels[i] >= levels[at]) return 0;
  return 1;
}

EXPORT(addFalls) void add_falls(double *state, int count) {
  for (int from = 1; from + QUIET_AFTER < count; from++) {
    if (levels[from] < -12 || levels[from] < levels[from - 1] || !is_loudest(from)) continue;
    state[FALLS * TIME_BINS] += 1;
    double lowest = levels[from];
    int end = from + LONGEST_FALL < count ? from + LONGEST_FALL : count;
    for (int i = from + 1, at = 0; i < end && at < FALLS; i++) {
      double level = levels[i];
      if (level > lowest + 6) break;
      lowest = least(lowest, level);
      for (; at < FALLS && level <= levels[from] - 6 * (at + 1); at++) state[at * TIME_BINS + fall_bin[i - from]] += 1;
    }
  }
}

/* ---- How levels go up and down: src/quality/modulation-statistics.ts ---- */

#define LAGS 8
#define RATES 6
#define MODULATIONS_STATE (2 * LAGS + 2 + RATES)
static const int rate_edges[RATES + 1] = {1, 3, 6, 12, 24, 44, 64};
static float rate_window[HALF];
/* By quarters of a decibel. */
#define QUARTERS 512
static float amplitude[2 * QUARTERS];

static void init_modulations(void) {
  for (int i = 0; i < HALF; i++) rate_window[i] = (float)(0.5 - 0.5 * cos(2 * PI * (i + 0.5) / HALF));
  for (int i = 0; i < 2 * QUARTERS; i++) amplitude[i] = (float)power_of(10, (i - QUARTERS) / 80.0);
}

static float amplitude_of(double level) {
  int quarter = (int)__builtin_floor(level * 4 + 0.5) + QUARTERS;
  return amplitude[quarter < 0 ? 0 : quarter < 2 * QUARTERS ? quarter : 2 * QUARTERS - 1];
}

/* Four of them are the real parts, four the imaginary parts. */
static void add_rates(double *rates, int from, int frames) {
  float *parts[2] = {(float *)re, (float *)im};
  for (int frame = 0; frame < 8; frame++) {
    float *part = parts[frame / 4] + frame % 4;
    if (frame >= frames) {
      for (int i = 0; i < HALF; i++) part[4 * i] = 0;
      continue;
    }
    const double *of = levels + from + frame * (HALF / 2);
    float values[HALF];
    double mean = 0;
    for (int i = 0; i < HALF; i++) mean += values[i] = amplitude_of(of[i]);
    mean /= HALF;
    for (int i = 0; i < HALF; i++) part[4 * reversed[i]] = (float)(values[i] - mean) * rate_window[i];
  }
  transform();
  for (int rate = 0; rate < RATES; rate++) {
    v128_t sum = wasm_f32x4_splat(0);
    for (int k = rate_edges[rate]; k < rate_edges[rate + 1]; k++) {
      /* Of both together: |x|^2 + |y|^2 is half of |z(k)|^2 + |z(-k)|^2. */
      v128_t here = ADD(MUL(re[k], re[k]), MUL(im[k], im[k]));
      v128_t there = ADD(MUL(re[HALF - k], re[HALF - k]), MUL(im[HALF - k], im[HALF - k]));
      sum = ADD(sum, ADD(here, there));
    }
    rates[rate] += ((double)wasm_f32x4_extract_lane(sum, 0) + wasm_f32x4_extract_lane(sum, 1) +
                    wasm_f32x4_extract_lane(sum, 2) + wasm_f32x4_extract_lane(sum, 3)) / 2;
  }
}

static double centred[MAX_LEVELS];

static double centre(int count) {
  double mean = 0, squares = 0;
  for (int i = 0; i < count; i++) mean += levels[i];
  mean /= count;
  for (int i = 0; i < count; i++) {
    centred[i] = levels[i] - mean;
    squares += centred[i] * centred[i];
  }
  return squares;
}

static double lanes_of(v128_t pair) { return wasm_f64x2_extract_lane(pair, 0) + wasm_f64x2_extract_lane(pair, 1); }

EXPORT(addModulations) void add_modulations(double *state, int count) {
  double *products = state, *pairs = state + LAGS, *variance = state + 2 * LAGS;
  variance[0] += centre(count);
  variance[1] += count;
  for (int at = 0; at < LAGS; at++) {
    int lag = 1 << at, i = lag;
    if (lag >= count) continue;
    v128_t sum = wasm_f64x2_splat(0);
    for (; i + 1 < count; i += 2)
      sum = wasm_f64x2_add(sum, wasm_f64x2_mul(wasm_v128_load(centred + i), wasm_v128_load(centred + i - lag)));
    products[at] += lanes_of(sum) + (i < count ? centred[i] * centred[i - lag] : 0);
    pairs[at] += count - lag;
  }
  int frames = count < HALF ? 0 : (count - HALF) / (HALF / 2) + 1;
  for (int first = 0; first < frames; first += 8)
    add_rates(state + 2 * LAGS + 2, first * (HALF / 2), frames - first < 8 ? frames - first : 8);
}

/* ---- What stands above the noise of a narrow band: src/quality/above-noise.ts ---- */

#define QUIET_ROWS 8
#define EVERY_MEAN 4
#define MAX_RANK 32

/* In dBov; `steps` has one value for each row. */
static double noise_level(const uint8_t *steps, int count) {
  int means = (count - QUIET_ROWS + 1 + EVERY_MEAN - 1) / EVERY_MEAN;
  int rank = (int)(0.05 * means);
  if (rank >= MAX_RANK) rank = MAX_RANK - 1;
  double lowest[MAX_RANK];
  for (int i = 0; i <= rank; i++) lowest[i] = __builtin_inf();
#define POWER_OF_FOUR(at) \
  ((power_of_step[steps[at]] + power_of_step[steps[(at) + 1]]) + (power_of_step[steps[(at) + 2]] + power_of_step[steps[(at) + 3]]))
  double before = count < QUIET_ROWS ? 0 : POWER_OF_FOUR(0);
  for (int row = 0; row + QUIET_ROWS <= count; row += EVERY_MEAN) {
    double after = POWER_OF_FOUR(row + EVERY_MEAN);
    double mean = (before + after) / QUIET_ROWS;
    before = after;
    if (mean >= lowest[rank]) continue;
    int place = rank;
    for (; place > 0 && lowest[place - 1] > mean; place--) lowest[place] = lowest[place - 1];
    lowest[place] = mean;
  }
  return most(LEAST_DBOV, 10 * log10(most(0, lowest[rank]) + 1e-13));
}

/* How many reach `step`, of rows that are 0 behind the last one, to the next sixteen. */
static int rows_from(const uint8_t *steps, int count, int step) {
  v128_t least_step = wasm_u8x16_splat((uint8_t)step), lanes = wasm_i8x16_splat(0);
  for (int row = 0; row < count; row += 16)
    lanes = wasm_i8x16_sub(lanes, wasm_u8x16_ge(wasm_v128_load(steps + row), least_step));
  v128_t pairs = wasm_u16x8_extadd_pairwise_u8x16(lanes);
  v128_t fours = wasm_u32x4_extadd_pairwise_u16x8(pairs);
  return wasm_i32x4_extract_lane(fours, 0) + wasm_i32x4_extract_lane(fours, 1) + wasm_i32x4_extract_lane(fours, 2) +
         wasm_i32x4_extract_lane(fours, 3);
}

/* The highest step that more than 3 in a hundred reach; rows are 0 behind the last one, to the next sixteen. */
static double top_level(const uint8_t *steps, int count) {
  int above = (int)(count * (1 - 97.0 / 100)), step = 0;
  for (int bit = 128; bit > 0; bit >>= 1)
    if (rows_from(steps, count, step + bit) > above) step += bit;
  return dbov(step);
}

/* Of `fineRows` as one band. */
EXPORT(noiseLevel) double noise_level_of(int count) { return noise_level(fine_rows, count); }
EXPORT(topLevel) double top_level_of(int count) {
  for (int row = count; row % 16 != 0; row++) fine_rows[row] = 0;
  return top_level(fine_rows, count);
}

/* ---- How envelopes are like themselves: src/quality/envelope-statistics.ts ---- */

#define REACHES 6
#define ENVELOPE_STATE (2 + 2 * (REACHES - 1))

#define LONGEST_REACH (1 << (REACHES - 1))

/* Levels less their mean; 0 before the first and behind the last, so that no reach has ends of its own. */
static double around_mean[LONGEST_REACH + MAX_LEVELS + 2];

EXPORT(addEnvelope) void add_envelope(double *state, int count) {
  double *products = state + 2, *asymmetries = state + 2 + REACHES - 1, *from = around_mean + LONGEST_REACH;
  if (count == 0) return;
  v128_t sum = wasm_f64x2_splat(0), squares = sum, alike[REACHES], falling[REACHES - 1];
  from[count] = levels[count] = 0;
  for (int i = 0; i < count; i += 2) sum = wasm_f64x2_add(sum, wasm_v128_load(levels + i));
  v128_t mean = wasm_f64x2_splat(lanes_of(sum) / count);
  for (int i = 0; i < count; i += 2) wasm_v128_store(from + i, wasm_f64x2_sub(wasm_v128_load(levels + i), mean));
  from[count] = 0;
  for (int at = 0; at < REACHES; at++) alike[at] = wasm_f64x2_splat(0);
  for (int at = 0; at < REACHES - 1; at++) falling[at] = wasm_f64x2_splat(0);
  for (int i = 0; i < count; i += 2) {
    v128_t now = wasm_v128_load(from + i);
    squares = wasm_f64x2_add(squares, wasm_f64x2_mul(now, now));
#pragma clang loop unroll(full)
    for (int at = 0; at < REACHES; at++) {
      v128_t before = wasm_v128_load(from + i - (1 << at));
      v128_t product = wasm_f64x2_mul(now, before);
      if (at > 0) alike[at] = wasm_f64x2_add(alike[at], product);
      if (at < REACHES - 1) falling[at] = wasm_f64x2_add(falling[at], wasm_f64x2_mul(product, wasm_f64x2_sub(before, now)));
    }
  }
  state[0] += lanes_of(squares);
  state[1] += count;
  for (int at = 1; at < REACHES; at++) products[at - 1] += lanes_of(alike[at]);
  for (int at = 0; at < REACHES - 1; at++) asymmetries[at] += lanes_of(falling[at]);
}

/* ---- How soon peaks drop: src/quality/drop-statistics.ts ---- */

#define DROPS 6
#define DROPS_STATE (DROPS * (TIME_BINS + 1))
static const int drops_db[DROPS] = {3, 6, 9, 12, 18, 24};

#define LEAST_PEAK 9
#define LEAST_REST 3
/* All of these in steps. */
#define RISE (2 * 5)

/* The first step that lies so much above the noise, or more; 256 where none does. */
static int step_above(double noise, double by) {
  int step = (int)(2 * (noise + by - LEAST_DBOV)) - 1;
  if (step < 0) step = 0;
  while (step < 256 && dbov(step) - noise < by) step++;
  return step;
}

/* Sixteen rows at a time. No step of `steps` is below the noise. */
static void add_drop(double *state, const uint8_t *steps, int from, int count, int least_rest) {
  int peak = steps[from], shown = 0;
  while (shown < DROPS && peak - 2 * drops_db[shown] >= least_rest) state[DROPS * TIME_BINS + shown++] += 1;
  v128_t before = wasm_u8x16_splat((uint8_t)peak), none = wasm_u8x16_splat(255);
  int end = from + LONGEST_DROP < count ? from + LONGEST_DROP : count;
  for (int first = from + 1, at = 0; first < end && at < shown; first += 16) {
    v128_t here = wasm_v128_load(steps + first), lowest = here;
#define SHIFT(v, by, in) wasm_i8x16_shuffle(in, v, 16 - by, 17 - by, 18 - by, 19 - by, 20 - by, 21 - by, 22 - by, 23 - by, \
                                            24 - by, 25 - by, 26 - by, 27 - by, 28 - by, 29 - by, 30 - by, 31 - by)
    lowest = wasm_u8x16_min(lowest, SHIFT(lowest, 1, none));
    lowest = wasm_u8x16_min(lowest, SHIFT(lowest, 2, none));
    lowest = wasm_u8x16_min(lowest, SHIFT(lowest, 4, none));
    lowest = wasm_u8x16_min(wasm_u8x16_min(lowest, SHIFT(lowest, 8, none)), before);
    v128_t bearable = wasm_u8x16_add_sat(SHIFT(lowest, 1, before), wasm_u8x16_splat(RISE));
    uint32_t rises = wasm_i8x16_bitmask(wasm_u8x16_gt(here, bearable)) | (end - first < 16 ? 1u << (end - first) : 1u << 16);
    uint32_t until = (rises & -rises) - 1;
    for (; at < shown; at++) {
      uint32_t drops = wasm_i8x16_bitmask(wasm_u8x16_le(here, wasm_u8x16_splat((uint8_t)(peak - 2 * drops_db[at])))) & until;
      if (drops == 0) break;
      state[at * TIME_BINS + drop_bin[first - from + __builtin_ctz(drops)]] += 1;
    }
    if (until != 0xffff) break;
    before = wasm_u8x16_splat(wasm_u8x16_extract_lane(lowest, 15));
  }
}

/* Peaks are looked for in sixteen rows at a time. Steps below the noise become steps at it. */
static void add_drops(double *state, uint8_t *steps, double noise, int count) {
  int least_step = step_above(noise, LEAST_PEAK), least_rest = step_above(noise, LEAST_REST), at_noise = step_above(noise, 0);
  if (least_step > 255) return;
  while (dbov(at_noise) - noise > 0) at_noise--;
  v128_t lowest = wasm_u8x16_splat((uint8_t)least_step), floor = wasm_u8x16_splat((uint8_t)at_noise);
  for (int row = 0; row < count; row += 16) wasm_v128_store(steps + row, wasm_u8x16_max(wasm_v128_load(steps + row), floor));
  for (int first = 2; first + 2 < count; first += 16) {
    v128_t here = wasm_v128_load(steps + first);
    v128_t before = wasm_u8x16_max(wasm_v128_load(steps + first - 1), wasm_v128_load(steps + first - 2));
    v128_t after = wasm_u8x16_max(wasm_v128_load(steps + first + 1), wasm_v128_load(steps + first + 2));
    v128_t is_peak = wasm_v128_and(wasm_v128_and(wasm_u8x16_lt(before, here), wasm_u8x16_le(after, here)), wasm_u8x16_ge(here, lowest));
    for (uint32_t bits = wasm_i8x16_bitmask(is_peak); bits != 0; bits &= bits - 1) {
      int from = first + __builtin_ctz(bits);
      if (from + 2 < count) add_drop(state, steps, from, count, least_rest);
    }
  }
}

/* Of `levels` above the noise, to half a decibel. */
EXPORT(addDrops) void add_drops_of(double *state, int count) {
  static uint8_t steps[MAX_LEVELS + 32];
  for (int i = 0; i < count; i++) steps[i] = (uint8_t)__builtin_floor(2 * levels[i] + 0.5);
  add_drops(state, steps, LEAST_DBOV, count);
}

/* ---- Narrow bands, eight of them together: src/quality/fine-statistics.ts ---- */

#define REGIONS 6
#define REGION_STATE (3 + ENVELOPE_STATE + DROPS_STATE)
#define FINE_STATE (REGIONS * REGION_STATE)
/* Bands begin in different lines of the cache, and are looked at beyond their ends. */
#define FINE_ROOM (MAX_FINE_ROWS + 80)

/* Rows and bands change places, sixteen by sixteen: each step puts what stands side by side one behind the other. */
static void turn_sixteen(const uint8_t *from, uint8_t *to) {
  v128_t a[16], b[16];
  for (int i = 0; i < 16; i++) a[i] = wasm_v128_load(from + i * FINE_BANDS);
#define LOW8(x, y) wasm_i8x16_shuffle(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH8(x, y) wasm_i8x16_shuffle(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define TURN(x, y) for (int i = 0; i < 8; i++) y[2 * i] = LOW8(x[i], x[i + 8]), y[2 * i + 1] = HIGH8(x[i], x[i + 8]);
  TURN(a, b)
  TURN(b, a)
  TURN(a, b)
  TURN(b, a)
  for (int i = 0; i < 16; i++) wasm_v128_store(to + i * FINE_ROOM, a[i]);
}

/* Into `levels`. Returns their sum. */
static double find_above(const uint8_t *steps, double noise, int count) {
  v128_t zero = wasm_f64x2_splat(0), half = wasm_f64x2_splat(0.5), sums[2] = {zero, zero};
  v128_t least_dbov = wasm_f64x2_splat(LEAST_DBOV), floor = wasm_f64x2_splat(noise);
  int row = 0;
  for (; row + 4 <= count; row += 4) {
    v128_t four = wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(steps + row)));
    v128_t pairs[2] = {four, wasm_i32x4_shuffle(four, four, 2, 3, 2, 3)};
    for (int pair = 0; pair < 2; pair++) {
      v128_t level = wasm_f64x2_add(wasm_f64x2_mul(wasm_f64x2_convert_low_i32x4(pairs[pair]), half), least_dbov);
      level = wasm_f64x2_pmax(zero, wasm_f64x2_sub(level, floor));
      wasm_v128_store(levels + row + 2 * pair, level);
      sums[pair] = wasm_f64x2_add(sums[pair], level);
    }
  }
  double rest = 0;
  for (; row < count; row++) rest += levels[row] = most(0, dbov(steps[row]) - noise);
  return lanes_of(wasm_f64x2_add(sums[0], sums[1])) + rest;
}

EXPORT(addFine) void add_fine(double *state, int count) {
  static uint8_t bands[FINE_BANDS][FINE_ROOM];
  double tops[FINE_BANDS], top = LEAST_DBOV;
  if (count < 100) return;
  for (int at = count * FINE_BANDS; at < (count + 15) / 16 * 16 * FINE_BANDS; at++) fine_rows[at] = 0;
  for (int row = 0; row < count; row += 16)
    for (int band = 0; band < FINE_BANDS; band += 16) turn_sixteen(fine_rows + row * FINE_BANDS + band, &bands[band][row]);
  for (int band = 0; band < FINE_BANDS; band++) top = most(top, tops[band] = top_level(bands[band], count));
  for (int band = 0; band < FINE_BANDS; band++) {
    double *region = state + band / (FINE_BANDS / REGIONS) * REGION_STATE;
    double noise = most(top - 60, noise_level(bands[band], count));
    region[0] += find_above(bands[band], noise, count) / count;
    region[1] += tops[band] - noise;
    region[2] += 1;
    add_envelope(region + 3, count);
    add_drops(region + 3 + ENVELOPE_STATE, bands[band], noise, count);
  }
}

/* ---- All of it: src/quality/speech-statistics.ts ---- */

#define GROUPS 5
#define GROUP_STATE (SLOPES_STATE + FALLS_STATE + MODULATIONS_STATE)
static double state[LEVELS_STATE + GROUPS * GROUP_STATE + FINE_STATE];
static uint16_t group_quarters[MAX_ROWS];

EXPORT(state) double *state_at(void) { return state; }
EXPORT(stateLength) int state_length(void) { return sizeof state / sizeof *state; }

/* Levels of a group of bands, in quarters of a decibel from -120 dBov up, and those that 3 and 95 in a hundred lie below. */
static void group_levels(int group, int count, int *soft, int *top) {
  static uint16_t counts[1024];
  for (int i = 0; i < 1024; i++) counts[i] = 0;
  int first = group == 0 ? BANDS : 2 * group - 1, second = group == 0 ? BANDS : 2 * group;
  for (int row = 0; row < count; row++) {
    int quarters = rows[row * ROW + first] + rows[row * ROW + second];
    group_quarters[row] = (uint16_t)quarters;
    counts[quarters]++;
  }
  int soft_rank = (int)(3 / 100.0 * count), top_rank = (int)(95 / 100.0 * count), below = 0;
  *soft = *top = -1;
  for (int i = 0; i < 1024 && *top < 0; i++) {
    below += counts[i];
    if (*soft < 0 && below > soft_rank) *soft = i;
    if (below > top_rank) *top = i;
  }
}

/* Adds `count` rows of levels, and the fine rows of the same time, to `state`. */
EXPORT(addBlock) void add_block(int count, int fine_count) {
  double top_before = percentile(state + BANDS * LEVEL_BINS, LEVEL_BINS, LEAST_DBOV, 1, 95, LEAST_DBOV);
  add_levels(state, count);
  if (count < 50) return;
  double *part = state + LEVELS_STATE;
  for (int group = 0; group < GROUPS; group++) {
    int soft, top;
    group_levels(group, count, &soft, &top);
    /* So much softer than speech was before it is no speech. */
    if (group == 0 && LEAST_DBOV + top / 4.0 < top_before - 25) return;
    int floor = top - 4 * 45 > soft ? top - 4 * 45 : soft;
    for (int row = 0; row < count; row++) {
      int quarters = group_quarters[row];
      levels[row] = ((quarters > floor ? quarters : floor) - top) / 4.0;
    }
    add_slopes(part + group * SLOPES_STATE, count);
    add_falls(part + GROUPS * SLOPES_STATE + group * FALLS_STATE, count);
    add_modulations(part + GROUPS * (SLOPES_STATE + FALLS_STATE) + group * MODULATIONS_STATE, count);
  }
  add_fine(part + GROUPS * GROUP_STATE, fine_count);
}

/* ---- Speech level and clipping, by hops: src/quality/speech-level.ts ---- */

#define MAX_HOP 480
static float hop_weights[2][MAX_HOP];
static int weighted_hop;
#define THRESHOLDS 15
/* The smoothed level, the envelope, and the energy; of each threshold the hops above it; how long it was not reached. */
static double hop_state[3 + 2 * THRESHOLDS];

EXPORT(hopState) double *hop_state_at(void) { return hop_state; }
EXPORT(hopStateLength) int hop_state_length(void) { return sizeof hop_state / sizeof *hop_state; }

/* Which thresholds are reached: 2 to the power of each lane. */
static inline v128_t reached_by(double envelope) {
  union { double value; uint64_t bits; } of = {envelope};
  int highest = (int)(of.bits >> 52) - 1023;
  v128_t lane = wasm_i8x16_make(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return wasm_i8x16_ge(wasm_i8x16_splat((int8_t)(highest < -1 ? -1 : highest)), lane);
}

/* `count` hops of `hop` samples, a multiple of 8: what follows from what was before, and the sums of each. The level
 * decays by `decay` with a sample and by `hop_decay` with a hop, in which the envelope takes `follows` of it. */
EXPORT(addHops) void add_hops(int count, int hop, double decay, double hop_decay, double follows, int hangover) {
  if (weighted_hop != hop) {
    weighted_hop = hop;
    double power = 1;
    for (int i = hop - 1; i >= 0; i--, power *= decay) {
      hop_weights[0][i] = (float)((1 - decay) * power);
      hop_weights[1][i] = (float)((1 - decay) * (1 - decay) * (hop - i) * power);
    }
  }
  uint8_t lanes[16] = {0};
  double *active = hop_state + 3, *hung_of = active + THRESHOLDS;
  for (int i = 0; i < THRESHOLDS; i++) lanes[i] = (uint8_t)hung_of[i];
  v128_t hung = wasm_v128_load(lanes), longest = wasm_i8x16_splat((int8_t)hangover), one = wasm_i8x16_splat(1), hops_above = wasm_i8x16_splat(0);
  double level = hop_state[0], envelope_level = hop_state[1];
  for (int at = 0; at < count; at++) {
    const int16_t *from = samples + at * hop;
    v128_t smoothed = wasm_f32x4_splat(0), envelope = wasm_f32x4_splat(0), energy = wasm_i64x2_splat(0);
    for (int i = 0; i < hop; i += 8) {
      v128_t eight = wasm_v128_load(from + i);
      /* Two squares of -32,768 are 2^31: right as a number without a sign. */
      v128_t squares = wasm_i32x4_dot_i16x8(eight, eight);
      energy = wasm_i64x2_add(energy, wasm_i64x2_add(wasm_u64x2_extend_low_u32x4(squares), wasm_u64x2_extend_high_u32x4(squares)));
      v128_t sizes = wasm_i16x8_abs(eight);
      v128_t low = wasm_f32x4_convert_u32x4(wasm_u32x4_extend_low_u16x8(sizes));
      v128_t high = wasm_f32x4_convert_u32x4(wasm_u32x4_extend_high_u16x8(sizes));
      smoothed = ADD(smoothed, ADD(MUL(low, wasm_v128_load(&hop_weights[0][i])), MUL(high, wasm_v128_load(&hop_weights[0][i + 4]))));
      envelope = ADD(envelope, ADD(MUL(low, wasm_v128_load(&hop_weights[1][i])), MUL(high, wasm_v128_load(&hop_weights[1][i + 4]))));
    }
#define LANES(v) ((double)wasm_f32x4_extract_lane(v, 0) + wasm_f32x4_extract_lane(v, 1) + wasm_f32x4_extract_lane(v, 2) + wasm_f32x4_extract_lane(v, 3))
    envelope_level = hop_decay * envelope_level + follows * level + LANES(envelope);
    level = hop_decay * level + LANES(smoothed);
    hop_state[2] += (double)(wasm_i64x2_extract_lane(energy, 0) + wasm_i64x2_extract_lane(energy, 1));
    v128_t reached = reached_by(envelope_level);
    hops_above = wasm_i8x16_sub(hops_above, wasm_v128_or(reached, wasm_i8x16_lt(hung, longest)));
    hung = wasm_v128_andnot(wasm_i8x16_min(wasm_i8x16_add(hung, one), longest), reached);
    if (at % 255 == 254 || at == count - 1) {
      wasm_v128_store(lanes, hops_above);
      for (int i = 0; i < THRESHOLDS; i++) active[i] += lanes[i];
      hops_above = wasm_i8x16_splat(0);
    }
  }
  hop_state[0] = level, hop_state[1] = envelope_level;
  wasm_v128_store(lanes, hung);
  for (int i = 0; i < THRESHOLDS; i++) hung_of[i] = lanes[i];
}

/* The size of the greatest of `count` samples; 0 of none. */
EXPORT(greatest) int greatest(int count) {
  v128_t largest = wasm_i16x8_splat(0), smallest = wasm_i16x8_splat(0);
  int i = 0, size = 0;
  for (; i + 8 <= count; i += 8) {
    v128_t eight = wasm_v128_load(samples + i);
    largest = wasm_i16x8_max(largest, eight);
    smallest = wasm_i16x8_min(smallest, eight);
  }
  int16_t both[16];
  wasm_v128_store(both, largest);
  wasm_v128_store(both + 8, smallest);
  for (int at = 0; at < 16; at++) size = both[at] > size ? both[at] : -both[at] > size ? -both[at] : size;
  for (; i < count; i++) size = samples[i] > size ? samples[i] : -samples[i] > size ? -samples[i] : size;
  return size;
}

/* ---- The sum of signals: src/quality/signal-sum.ts ---- */

static int32_t sum[MAX_SAMPLES + 8];

EXPORT(clearSum) void clear_sum(int count) {
  for (int i = 0; i < count; i++) sum[i] = 0;
}

/* Adds `samples` from `at` on. */
EXPORT(addToSum) void add_to_sum(int at, int count) {
  for (int i = 0; i < count; i++) sum[at + i] += samples[i];
}

/* Makes it `samples`, cut off at full scale. */
EXPORT(takeSum) void take_sum(int count) {
  for (int i = 0; i < count; i += 8)
    wasm_v128_store(samples + i, wasm_i16x8_narrow_i32x4(wasm_v128_load(sum + i), wasm_v128_load(sum + i + 4)));
}

EXPORT(init) void init(void) {
  init_transform();
  init_levels();
  for (int step = 0; step < 256; step++) power_of_step[step] = power_of(10, dbov(step) / 10);
  init_slopes();
  init_times();
  init_modulations();
}
