/*
 * What src/container/aac.ts calls. One encoder to an instance; samples and frames travel through two fixed areas.
 */
#include <stdint.h>
#include "voAAC.h"
#include "cmnMemory.h"
#include "psy_const.h"
#include "psy_data.h"
#include "interface.h"

#define EXPORT(name) __attribute__((export_name(#name)))

enum { frameSamples = 1024, maxChannels = 2, maxFrameBytes = 2048 };

static int16_t samples[frameSamples * maxChannels];
static uint8_t frame[maxFrameBytes];
static VO_AUDIO_CODECAPI encoder;
static VO_HANDLE handle;

EXPORT(samples) int16_t *samplesArea(void) { return samples; }
EXPORT(frame) uint8_t *frameArea(void) { return frame; }

/* Once an instance. Not 0: an error of the library. */
EXPORT(open) uint32_t openEncoder(int rateHz, int channels, int bitRate)
{
  static VO_MEM_OPERATOR memory = {
    .Alloc = cmnMemAlloc, .Free = cmnMemFree, .Set = cmnMemSet, .Copy = cmnMemCopy, .Check = cmnMemCheck };
  VO_CODEC_INIT_USERDATA data = { .memflag = VO_IMF_USERMEMOPERATOR, .memData = &memory };
  AACENC_PARAM parameters = { .sampleRate = rateHz, .bitRate = bitRate, .nChannels = channels, .adtsUsed = 0 };
  voGetAACEncAPI(&encoder);
  uint32_t error = encoder.Init(&handle, VO_AUDIO_CodingAAC, &data);
  return error ? error : encoder.SetParam(handle, VO_PID_AAC_ENCPARAM, &parameters);
}

/* 1024 samples of each channel, interleaved. Returns the bytes of the frame, negative: an error of the library. */
EXPORT(encode) int encode(int channels)
{
  VO_CODECBUFFER in = { .Buffer = (VO_PBYTE)samples, .Length = frameSamples * channels * sizeof *samples };
  VO_CODECBUFFER out = { .Buffer = frame, .Length = maxFrameBytes };
  VO_AUDIO_OUTPUTINFO info = { 0 };
  if (encoder.SetInputData(handle, &in) != VO_ERR_NONE) return -1;
  return encoder.GetOutputData(handle, &out, &info) == VO_ERR_NONE ? (int)out.Length : -1;
}

/*
 * Stands in for the library's ms_stereo.c: left and right stay apart in every band, because joint stereo lets
 * one party be heard on the other's side.
 */
void MsStereoProcessing(Word32 *energyLeft, Word32 *energyRight, const Word32 *energyMid, const Word32 *energySide,
  Word32 *left, Word32 *right, Word32 *thresholdLeft, Word32 *thresholdRight, Word32 *spreadLeft,
  Word32 *spreadRight, Word16 *msDigest, Word16 *msMask, const Word16 bands, const Word16 bandsPerGroup,
  const Word16 maxBandsPerGroup, const Word16 *bandOffset)
{
  (void)energyLeft, (void)energyRight, (void)energyMid, (void)energySide, (void)left, (void)right;
  (void)thresholdLeft, (void)thresholdRight, (void)spreadLeft, (void)spreadRight;
  (void)bandsPerGroup, (void)maxBandsPerGroup, (void)bandOffset;
  for (int band = 0; band < bands; band += 1) msMask[band] = 0;
  *msDigest = MS_NONE;
}
