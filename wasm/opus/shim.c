/*
 * What src/codec/opus-module.ts calls. Payload and samples travel through two fixed areas, so that no call allocates;
 * coders are made and freed by handle, many to an instance.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <opus.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/* 120 ms at 48 kHz; and an RTP payload, or all that an encoder may ask for. */
enum { maxSamples = 5760, maxPayload = 8192 };

static opus_int16 samples[maxSamples];
static uint8_t payload[maxPayload];

EXPORT(samples) opus_int16 *samplesArea(void) { return samples; }
EXPORT(payload) uint8_t *payloadArea(void) { return payload; }

EXPORT(createDecoder) OpusDecoder *createDecoder(opus_int32 rateHz)
{
  int error;
  return opus_decoder_create(rateHz, 1, &error);
}

/* Negative: an error of libopus. */
EXPORT(decode) int decode(OpusDecoder *decoder, int payloadBytes)
{
  return opus_decode(decoder, payload, payloadBytes, samples, maxSamples, 0);
}

/* Stands in for a lost packet of frameSamples; payloadBytes > 0: from the redundancy in the payload behind it. */
EXPORT(conceal) int conceal(OpusDecoder *decoder, int payloadBytes, int frameSamples)
{
  return payloadBytes > 0 ? opus_decode(decoder, payload, payloadBytes, samples, frameSamples, 1)
                          : opus_decode(decoder, NULL, 0, samples, frameSamples, 0);
}

EXPORT(freeDecoder) void freeDecoder(OpusDecoder *decoder) { opus_decoder_destroy(decoder); }

EXPORT(createEncoder) OpusEncoder *createEncoder(opus_int32 rateHz)
{
  int error;
  OpusEncoder *encoder = opus_encoder_create(rateHz, 1, OPUS_APPLICATION_VOIP, &error);
  if (encoder) opus_encoder_ctl(encoder, OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
  return encoder;
}

/* Request numbers as in opus_defines.h. */
EXPORT(setEncoder) int setEncoder(OpusEncoder *encoder, int request, opus_int32 value)
{
  return opus_encoder_ctl(encoder, request, value);
}

EXPORT(encode) int encode(OpusEncoder *encoder, int frameSamples, int maxBytes)
{
  return opus_encode(encoder, samples, frameSamples, payload, maxBytes < maxPayload ? maxBytes : maxPayload);
}

/* Both of one rate. One block without pointers into itself, to be copied (opus.h). */
EXPORT(copyEncoder) void copyEncoder(OpusEncoder *to, const OpusEncoder *from)
{
  memcpy(to, from, opus_encoder_get_size(1));
}

EXPORT(freeEncoder) void freeEncoder(OpusEncoder *encoder) { opus_encoder_destroy(encoder); }

/* libopus found its state broken: trap, without the C library's output to streams that are not there. */
void celt_fatal(const char *message, const char *file, int line)
{
  (void)message, (void)file, (void)line;
  __builtin_trap();
}
