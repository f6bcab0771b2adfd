import assert from 'node:assert/strict';
import { MPEGDecoder } from 'mpg123-decoder';
import { playMp4 } from '../../src/container/test-mp4-playback.ts';

/** A second of an encoded file differs from its signal by so much less than that is loud. */
const leastSnrDb = 6;
const rateHz = 8000;
const softRms = 100;
/** Of a second in which words only begin or end, LAME's noise can be as loud as they are (one of 100 at 32 kbit/s). */
const leastLoudTenths = 5;
const tenth = rateHz / 10;

/**
 * The file, decoded by another's decoder, has as many samples as each of its channels, and where these are loud it is
 * not far from them.
 * @throws AssertionError
 */
export async function assertMp3(file: Uint8Array, channels: readonly Int16Array[]): Promise<void> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  const { channelData, sampleRate, errors } = decoder.decode(file);
  decoder.free();
  assert.deepEqual([sampleRate, errors], [rateHz, []]);
  for (const [index, channel] of channels.entries()) assertNear(channelData[index]!, channel);
}

/** As `assertMp3`. */
export async function assertMp4(file: Buffer, channels: readonly Int16Array[]): Promise<void> {
  const played = await playMp4(file);
  assert.equal(played.rateHz, rateHz);
  for (const [index, channel] of channels.entries()) assertNear(played.channels[index]!, channel);
}

function assertNear(decoded: Float32Array, channel: Int16Array): void {
  assert.equal(decoded.length, channel.length);
  let loud = 0;
  let near = 0;
  for (let from = 0; from + rateHz <= channel.length; from += rateHz) {
    let signal = 0;
    let error = 0;
    for (let i = from; i < from + rateHz; i++) {
      signal += channel[i]! ** 2;
      error += (channel[i]! - decoded[i]! * 32_768) ** 2;
    }
    if (loudTenths(channel, from) < leastLoudTenths) continue;
    loud += 1;
    if (signal > error * 10 ** (leastSnrDb / 10)) near += 1;
  }
  assert.ok(loud > 0 && near === loud, `${loud - near} of ${loud} seconds of the file are not the signal`);
}

function loudTenths(channel: Int16Array, from: number): number {
  let loud = 0;
  for (let at = from; at < from + rateHz; at += tenth) {
    let signal = 0;
    for (let i = at; i < at + tenth; i++) signal += channel[i]! ** 2;
    if (signal >= tenth * softRms ** 2) loud += 1;
  }
  return loud;
}
