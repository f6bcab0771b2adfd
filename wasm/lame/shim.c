/*
 * What src/container/lame.ts calls. One encoder to an instance; samples and frames travel through fixed areas.
 */
#include <stdint.h>
#include <stdlib.h>
#include "lame.h"

#define EXPORT(name) __attribute__((export_name(#name)))

/* The size of an output area that always suffices is LAME's own advice: 1.25 * samples + 7200. */
enum { maxSamples = 4608, maxBytes = maxSamples * 5 / 4 + 7200 };

static int16_t left[maxSamples];
static int16_t right[maxSamples];
static uint8_t frames[maxBytes];
static lame_t encoder;

static void silent(const char *format, va_list arguments)
{
  (void)format, (void)arguments;
}

EXPORT(left) int16_t *leftArea(void) { return left; }
EXPORT(right) int16_t *rightArea(void) { return right; }
EXPORT(frames) uint8_t *framesArea(void) { return frames; }
EXPORT(maxSamples) int sampleRoom(void) { return maxSamples; }

/* Once an instance. Negative: an error of LAME. */
EXPORT(open) int openEncoder(int rateHz, int channels, int kbps, int quality)
{
  encoder = lame_init();
  if (!encoder) return -10;
  lame_set_errorf(encoder, silent);
  lame_set_debugf(encoder, silent);
  lame_set_msgf(encoder, silent);
  lame_set_in_samplerate(encoder, rateHz);
  lame_set_out_samplerate(encoder, rateHz);
  lame_set_num_channels(encoder, channels);
  /* Never joint: it lets one party be heard on the other's side. */
  lame_set_mode(encoder, channels == 2 ? STEREO : MONO);
  lame_set_brate(encoder, kbps);
  lame_set_quality(encoder, quality);
  /* The Info frame is made by our own code. */
  lame_set_bWriteVbrTag(encoder, 0);
  lame_set_write_id3tag_automatic(encoder, 0);
  return lame_init_params(encoder);
}

/* Returns the bytes of the finished frames, negative: an error of LAME. */
EXPORT(encode) int encode(int samples)
{
  return lame_encode_buffer(encoder, left, right, samples, frames, maxBytes);
}

EXPORT(finish) int finish(void) { return lame_encode_flush(encoder, frames, maxBytes); }
