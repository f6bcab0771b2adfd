import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeUlaw } from '../../src/codec/g711.ts';
import { noise } from '../../src/testkit/noise.ts';
import { packetSamples, StreamAudio } from './stream-audio.ts';
import { verifyChannel } from './verify-channel.ts';

const ulaw = new Uint8Array(100 * packetSamples);
encodeUlaw(noise({ samples: ulaw.length, seed: 3 }), ulaw);
const audio = new StreamAudio(ulaw);
const stream = 2;

/** So many packets of the stream behind some silence, and before some. */
function recorded(firstPacket: number, packets: number, leadingSamples: number): Int16Array {
  const samples = new Int16Array(leadingSamples + packets * packetSamples + 1000);
  for (let packet = 0; packet < packets; packet++)
    for (let i = 0; i < packetSamples; i++) {
      const place = (audio.placeOf(stream, firstPacket + packet) + i) % audio.samples.length;
      samples[leadingSamples + packet * packetSamples + i] = audio.samples[place]!;
    }
  return samples;
}

test('a whole channel, over the end of the audio', () => {
  assert.deepEqual(verifyChannel(recorded(7, 150, 333), audio, stream, { from: 7, to: 157 }), {
    ...{
      firstPacket: 7,
      leadingSamples: 333,
      packets: 150,
      gapSamples: 0,
      missingAtBegin: 0,
      missingAtEnd: 0,
    },
  });
});

test('a packet that is silent, one of another place, and two that are missing at the end', () => {
  const samples = recorded(0, 60, 0);
  samples.fill(0, 10 * packetSamples, 11 * packetSamples);
  samples[20 * packetSamples + 5]! ^= 1;
  const { gapSamples, missingAtEnd } = verifyChannel(samples, audio, stream, { from: 0, to: 62 });
  assert.deepEqual({ gapSamples, missingAtEnd }, { gapSamples: 2 * packetSamples, missingAtEnd: 2 });
});

test('what is missing at either end is counted, however much, and so is what was never sent', () => {
  const missing = (from: number, to: number) => {
    const { missingAtBegin, missingAtEnd } = verifyChannel(recorded(30, 150, 0), audio, stream, { from, to });
    return [missingAtBegin, missingAtEnd];
  };
  assert.deepEqual(missing(10, 180), [20, 0]);
  assert.deepEqual(missing(30, 280), [0, 100]);
  assert.deepEqual(missing(30, 170), [0, -10]);
  // More than the length of the audio before the first one that is there: known by how many there are.
  const all = missing(30 - audio.packets, 180);
  assert.equal(all[0]! + all[1]!, audio.packets);
});

test('a channel that begins within a packet', () => {
  const { firstPacket, leadingSamples, packets, gapSamples } = verifyChannel(
    recorded(4, 60, 0).slice(100),
    audio,
    stream,
    { to: 64 },
  );
  assert.deepEqual(
    { firstPacket, leadingSamples, packets, gapSamples },
    { firstPacket: 5, leadingSamples: packetSamples - 100, packets: 59, gapSamples: packetSamples },
  );
});

test('one sample too many shifts all that follows', () => {
  const whole = recorded(0, 60, 0);
  const shifted = new Int16Array(whole.length + 1);
  shifted.set(whole.subarray(0, 1600));
  shifted.set(whole.subarray(1600), 1601);
  assert.ok(verifyChannel(shifted, audio, stream, { from: 0, to: 60 }).gapSamples >= 50 * packetSamples);
});

test('a channel of another stream, and silence', () => {
  assert.throws(
    () => verifyChannel(noise({ samples: 8000, seed: 4 }), audio, stream, { from: 0, to: 60 }),
    /nothing of the stream/,
  );
  assert.throws(() => verifyChannel(new Int16Array(8000), audio, stream, { from: 0, to: 60 }), /silent/);
});
