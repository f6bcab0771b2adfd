import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { goertzelDbov } from '../audio/goertzel.ts';
import { rmsDbov } from '../audio/level.ts';
import type { CodecName } from '../codec/codec.ts';
import { createDecoder } from '../codec/decoders.ts';
import { createEncoder } from '../codec/encoders.ts';
import type { OpusEncoding } from '../codec/opus.ts';
import type { PacketRecord, SpoolRecord } from '../spool/records.ts';
import { ChannelReader } from './channel.ts';
import { readAll, testNoise, testStream, testTone, testTrack } from './test-track.ts';
import { sectionSeconds } from './track-decoder.ts';

const frame = 160;
const at8k = { rateHz: 8000 };

function channelOf(
  records: SpoolRecord[],
  view: { rateHz: number; lossConcealment?: 'off' },
  samples: number,
) {
  return readAll(new ChannelReader(testTrack('a', records), view, 0), samples);
}

interface CodedStream {
  codec: CodecName;
  clockRateHz: number;
  opus?: OpusEncoding;
}

/** Syllables of a gliding voice: harmonics under an envelope, so that encoders take it for speech. */
function voice(samples: number, rateHz: number): Int16Array {
  let phase = 0;
  return Int16Array.from({ length: samples }, (_, i) => {
    const second = i / rateHz;
    phase += (2 * Math.PI * (130 + 30 * Math.sin(4 * second))) / rateHz;
    const envelope = Math.max(0, Math.sin(2 * Math.PI * 2.7 * second)) ** 0.5;
    let sum = 0;
    for (let k = 1; k <= 12; k++) sum += Math.sin(k * phase) / (1 + Math.abs(k - 4));
    return Math.round(4000 * envelope * sum + 20 * Math.sin(i * i));
  });
}

/** 20 ms packets of any codec; those for which `isLost` says so never come. */
function codedStream(
  { codec, clockRateHz, opus }: CodedStream,
  packets: number,
  isLost: (k: number) => boolean = () => false,
): SpoolRecord[] {
  const encoder = createEncoder(codec, clockRateHz, opus);
  const samples = encoder.rateHz / 50;
  const signal = voice(packets * samples, encoder.rateHz);
  const out = new Uint8Array(1500);
  const records: SpoolRecord[] = [{ kind: 'format', codec, clockRateHz, payloadType: 96, ssrc: 9 }];
  for (let k = 0; k < packets; k++) {
    const bytes = encoder.encode(signal.subarray(k * samples, (k + 1) * samples), out);
    if (isLost(k)) continue;
    const rtpTime = (0xffff_0000 + (k * clockRateHz) / 50) >>> 0;
    const payload = out.slice(0, bytes);
    const sequenceNumber = (65_000 + k) & 0xffff;
    records.push({ kind: 'packet', sequenceNumber, rtpTime, arrivalUs: k * 20_000, payload });
  }
  return records;
}

const opus16k: CodedStream = { codec: 'OPUS', clockRateHz: 48_000, opus: { rateHz: 16_000 } };
const g722: CodedStream = { codec: 'G722', clockRateHz: 8000 };
const pcmu: CodedStream = { codec: 'PCMU', clockRateHz: 8000 };

describe('lost packets', () => {
  test('a loss of up to 60 ms is concealed, and every received sample stays as it is', () => {
    const signal = testTone(200 * frame, 400, 9000);
    const lost = (k: number): boolean => [20, 50, 51, 90, 91, 92].includes(k);
    const { records, decoded } = testStream(signal, { arrivalUs: (k) => (lost(k) ? undefined : k * 20_000) });
    const channel = channelOf(records, at8k, decoded.length);
    for (let k = 0; k < 200; k++) {
      const [from, to] = [k * frame, (k + 1) * frame];
      if (!lost(k)) assert.deepEqual(channel.subarray(from, to), decoded.subarray(from, to), `packet ${k}`);
    }
    const level = (k: number): number =>
      goertzelDbov(channel, { rateHz: 8000, frequencyHz: 400 }, k * frame, (k + 1) * frame);
    assert.ok(Math.abs(level(20) - level(19)) < 2);
    assert.ok(level(51) > level(49) - 9);
    assert.ok(level(91) < level(89));
    const steps = channel.slice(1).map((sample, i) => Math.abs(sample - channel[i]!));
    const ownSteps = decoded.slice(1).map((sample, i) => Math.abs(sample - decoded[i]!));
    assert.ok(Math.max(...steps) < 1.5 * Math.max(...ownSteps), 'no click');
  });

  test('a longer loss, a pause and a change of the source are silence, to the sample', () => {
    const signal = testTone(100 * frame, 400, 9000);
    const { records, decoded } = testStream(signal, {
      arrivalUs: (k) => (k >= 30 && k < 34 ? undefined : k * 20_000),
    });
    const paused = records
      .filter((_, index) => index < 60 || index >= 61)
      .map((record, index) =>
        // From here on the sequence goes on without a number missing: the sender was silent.
        record.kind === 'packet' && index >= 60
          ? { ...record, sequenceNumber: (record.sequenceNumber - 1) & 0xffff }
          : record,
      );
    const expected = decoded.slice();
    expected.fill(0, 30 * frame, 34 * frame);
    const silent = (paused[60] as PacketRecord).arrivalUs / 20_000 - 1;
    expected.fill(0, silent * frame, (silent + 1) * frame);
    const channel = channelOf(paused, at8k, decoded.length);
    assert.ok(channel.every((sample, i) => sample === expected[i]));
  });

  test('a packet of another kind that took a number without taking time is not a loss', () => {
    const { records, decoded } = testStream(testTone(40 * frame, 400, 9000));
    // Packet 20 was a pause of 20 ms in which three telephone-events of the same timestamp were sent.
    const renumbered = records.flatMap((record, index) => {
      if (record.kind !== 'packet' || index <= 20) return [record];
      if (index === 21) return [];
      return [{ ...record, sequenceNumber: (record.sequenceNumber + 2) & 0xffff }];
    });
    const channel = channelOf(renumbered, at8k, decoded.length);
    assert.ok(channel.subarray(20 * frame, 21 * frame).every((sample) => sample === 0));
  });

  test('without concealment they are silence, and nothing else differs', () => {
    for (const stream of [pcmu, g722]) {
      const records = codedStream(stream, 100, (k) => k % 9 === 5);
      const concealed = channelOf(records, { rateHz: 16_000 }, 32_000);
      const silent = channelOf(records, { rateHz: 16_000, lossConcealment: 'off' }, 32_000);
      // A resampler looks 20 samples to both sides.
      for (let k = 0; k < 100; k++) {
        const isLost = k % 9 === 5;
        const [from, to] = [k * 320 + 40, (k + 1) * 320 - 40];
        if (isLost) assert.ok(silent.subarray(from, to).every((sample) => sample === 0));
        else assert.deepEqual(concealed.subarray(from, to), silent.subarray(from, to));
      }
    }
  });

  test('Opus restores what forward error correction brought', () => {
    const lost = (k: number): boolean => k > 20 && k % 10 === 5;
    const rateHz = 16_000;
    const settings = { rateHz, maxAverageBitrate: 32_000, useInbandFec: true, packetLossPercent: 25 };
    const opus = { ...opus16k, opus: settings };
    const whole = channelOf(codedStream(opus, 300), { rateHz }, 6 * rateHz);
    const part = channelOf(codedStream(opus, 300, lost), { rateHz }, 6 * rateHz);
    const without = channelOf(codedStream(opus16k, 300, lost), { rateHz }, 6 * rateHz);
    const withoutWhole = channelOf(codedStream(opus16k, 300), { rateHz }, 6 * rateHz);
    const differenceDbov = (a: Int16Array, b: Int16Array): number =>
      rmsDbov(a.map((sample, i) => (lost(Math.floor(i / 320)) ? sample - b[i]! : 0)));
    assert.ok(differenceDbov(part, whole) < rmsDbov(whole) - 20, `${differenceDbov(part, whole)}`);
    assert.ok(differenceDbov(without, withoutWhole) < rmsDbov(withoutWhole) - 10);
  });
});

describe('any part is the same as in the whole', () => {
  const packets = 50 * (sectionSeconds + 3);
  const isLost = (k: number): boolean => k % 13 === 4 || k % 97 < 2 || (k % 1000) - 998 >= 0;
  for (const [stream, ratesHz] of [
    [pcmu, [8000, 48_000]],
    [g722, [8000, 16_000]],
    [opus16k, [16_000, 48_000]],
  ] as const)
    for (const rateHz of ratesHz)
      test(`${stream.codec} at ${rateHz} Hz, with losses, at the borders of sections`, () => {
        const track = testTrack('a', codedStream(stream, packets, isLost));
        const whole = readAll(new ChannelReader(track, { rateHz }, 0), (packets * rateHz) / 50);
        for (const second of [0.01, 35.99, 39.6, 39.95, 40, 40.004, 40.41, 42]) {
          const from = Math.round(second * rateHz);
          const reader = new ChannelReader(track, { rateHz }, from);
          const part = readAll(reader, Math.min(rateHz / 2, whole.length - from), 333);
          const expected = whole.subarray(from, from + part.length);
          const wrong = part.findIndex((sample, i) => sample !== expected[i]);
          assert.equal(wrong, -1, `from ${second} s`);
        }
      });

  test('decoding anew at a section leaves no seam', () => {
    for (const stream of [g722, opus16k]) {
      const records = codedStream(stream, packets);
      const rateHz = 16_000;
      const whole = channelOf(records, { rateHz }, (packets * rateHz) / 50);
      const decoder = createDecoder(stream.codec, stream.clockRateHz, rateHz);
      const continuous = new Int16Array(whole.length);
      let at = 0;
      for (const record of records)
        if (record.kind === 'packet') at += decoder.decode(record.payload, continuous.subarray(at));
      const difference = whole.map((sample, i) => sample - continuous[i]!);
      const from = sectionSeconds * rateHz;
      assert.ok(rmsDbov(difference, from) < -75, `${stream.codec}: ${rmsDbov(difference, from)} dBov`);
      if (stream === g722) assert.ok(difference.every((sample) => sample === 0));
    }
  });
});

test('noise with every second packet lost has no sample out of its place', () => {
  const { records, decoded } = testStream(testNoise(400 * frame, 20_000), {
    arrivalUs: (k) => (k % 2 ? undefined : k * 20_000),
  });
  const channel = channelOf(records, at8k, decoded.length);
  for (let k = 0; k < 400; k += 2)
    assert.deepEqual(
      channel.subarray(k * frame, (k + 1) * frame),
      decoded.subarray(k * frame, (k + 1) * frame),
    );
});
