/* What is done for each sample of plain audio that is read in long stretches: src/codec/sample-kernel.ts says who calls
 * it. Nothing of it allocates. */
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

/* So many codes are taken at once, so less than that is read and written beyond the end. */
#define LANES 16
#define MAX_BYTES 65536
#define MAX_SAMPLES 40960

static uint8_t bytes[MAX_BYTES + LANES];
static int16_t samples[MAX_SAMPLES + LANES];
static int16_t left[MAX_SAMPLES + LANES], right[MAX_SAMPLES + LANES];
static int16_t pairs[2 * (MAX_SAMPLES + LANES)];

EXPORT(bytes) uint8_t *bytes_at(void) { return bytes; }
EXPORT(samples) int16_t *samples_at(void) { return samples; }
EXPORT(left) int16_t *left_at(void) { return left; }
EXPORT(right) int16_t *right_at(void) { return right; }
EXPORT(pairs) int16_t *pairs_at(void) { return pairs; }

typedef struct {
  v128_t low, high;
} Decoded;

/* Negative where the byte of `negative` is all ones. */
INLINE Decoded with_signs(v128_t negative, v128_t low, v128_t high) {
  const v128_t low_signs = wasm_i16x8_extend_low_i8x16(negative);
  const v128_t high_signs = wasm_i16x8_extend_high_i8x16(negative);
  return (Decoded){wasm_i16x8_sub(wasm_v128_xor(low, low_signs), low_signs),
                   wasm_i16x8_sub(wasm_v128_xor(high, high_signs), high_signs)};
}

/* ITU-T G.711: sign, three bits of segment, four of mantissa, all inverted. */
INLINE Decoded of_ulaw(v128_t codes) {
  const v128_t powers = wasm_i8x16_const(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);
  const v128_t plain = wasm_v128_not(codes);
  const v128_t segment = wasm_u8x16_shr(wasm_v128_and(plain, wasm_i8x16_splat(0x70)), 4);
  const v128_t scale = wasm_i8x16_swizzle(powers, segment);
  const v128_t mantissa = wasm_i8x16_shl(wasm_v128_and(plain, wasm_i8x16_splat(0x0f)), 3);
  const v128_t base = wasm_i8x16_add(mantissa, wasm_i8x16_splat((int8_t)0x84));
  const v128_t bias = wasm_i16x8_splat(0x84);
  return with_signs(wasm_i8x16_shr(plain, 7), wasm_i16x8_sub(wasm_u16x8_extmul_low_u8x16(base, scale), bias),
                    wasm_i16x8_sub(wasm_u16x8_extmul_high_u8x16(base, scale), bias));
}

/* Every second bit is inverted; the lowest segment is as wide as the one above it, and has no leading one. */
INLINE Decoded of_alaw(v128_t codes) {
  const v128_t powers = wasm_i8x16_const(1, 1, 2, 4, 8, 16, 32, 64, 0, 0, 0, 0, 0, 0, 0, 0);
  const v128_t plain = wasm_v128_xor(codes, wasm_i8x16_splat(0x55));
  const v128_t segment = wasm_u8x16_shr(wasm_v128_and(plain, wasm_i8x16_splat(0x70)), 4);
  const v128_t scale = wasm_i8x16_swizzle(powers, segment);
  const v128_t mantissa = wasm_i8x16_shl(wasm_v128_and(plain, wasm_i8x16_splat(0x0f)), 4);
  const v128_t lower = wasm_i8x16_add(mantissa, wasm_i8x16_splat(8));
  const v128_t upper = wasm_v128_and(wasm_i8x16_ne(segment, wasm_i8x16_splat(0)), wasm_i8x16_splat(1));
  const v128_t low = wasm_i8x16_shuffle(lower, upper, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const v128_t high = wasm_i8x16_shuffle(lower, upper, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  return with_signs(wasm_i8x16_shr(wasm_v128_not(plain), 7), wasm_i16x8_mul(low, wasm_u16x8_extend_low_u8x16(scale)),
                    wasm_i16x8_mul(high, wasm_u16x8_extend_high_u8x16(scale)));
}

/* Payloads in `bytes`, each `stride_bytes` behind the one before, to `samples`, one behind the other. */
INLINE void decode(int is_alaw, int count, int payload_bytes, int stride_bytes) {
  const uint8_t *from = bytes;
  int16_t *to = samples;
  for (int index = 0; index < count; index++) {
    for (int at = 0; at < payload_bytes; at += LANES) {
      const v128_t codes = wasm_v128_load(from + at);
      const Decoded decoded = is_alaw ? of_alaw(codes) : of_ulaw(codes);
      wasm_v128_store(to + at, decoded.low);
      wasm_v128_store(to + at + LANES / 2, decoded.high);
    }
    from += stride_bytes;
    to += payload_bytes;
  }
}

EXPORT(decodeUlaw) void decode_ulaw(int count, int payload_bytes, int stride_bytes) {
  decode(0, count, payload_bytes, stride_bytes);
}

EXPORT(decodeAlaw) void decode_alaw(int count, int payload_bytes, int stride_bytes) {
  decode(1, count, payload_bytes, stride_bytes);
}

/* As many of `left` and `right` to `pairs`. */
EXPORT(interleave) void interleave(int count) {
  for (int at = 0; at < count; at += LANES / 2) {
    const v128_t first = wasm_v128_load(left + at);
    const v128_t second = wasm_v128_load(right + at);
    wasm_v128_store(pairs + 2 * at, wasm_i16x8_shuffle(first, second, 0, 8, 1, 9, 2, 10, 3, 11));
    wasm_v128_store(pairs + 2 * at + LANES / 2, wasm_i16x8_shuffle(first, second, 4, 12, 5, 13, 6, 14, 7, 15));
  }
}
