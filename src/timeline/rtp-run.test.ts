import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RtpRun, sequenceDelta, timestampDelta } from './rtp-run.ts';

const nasty = [0, 1, 127, 128, 32767, 32768, 65407, 65534, 65535];

test('distances wrap at 16 and 32 bits', () => {
  for (const from of nasty) {
    for (const distance of [-32768, -3000, -1, 0, 1, 3000, 32767]) {
      assert.equal(sequenceDelta(from, (from + distance) & 0xffff), distance);
    }
  }
  for (const from of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff]) {
    for (const distance of [-0x80000000, -960, 0, 960, 0x7fffffff]) {
      assert.equal(timestampDelta(from, (from + distance) >>> 0), distance);
    }
  }
});

test('numbers grow over many wraps, duplicates are known, positions are exact at every ratio of rates', () => {
  for (const [clockRateHz, rateHz, ticks, samples] of [
    [8000, 8000, 160, 160],
    [48_000, 8000, 960, 160],
    [8000, 48_000, 160, 960],
    [44_100, 8000, 882, 160],
  ] as const) {
    for (const sequenceNumber of nasty) {
      const start = { sequenceNumber, rtpTime: 0xffffff00, sample: 7 };
      const run = new RtpRun({ ssrc: 1, clockRateHz, rateHz }, start);
      for (let k = 0; k < 70_000; k += 1) {
        const rtpTime = (start.rtpTime + k * ticks) >>> 0;
        const sequence = run.extendSequence((sequenceNumber + k) & 0xffff);
        assert.equal(run.hasSeen(sequence), false);
        const at = run.sampleAt(sequence, run.extendTime(rtpTime)) ?? -1;
        assert.equal(at, 7 + k * samples);
        run.advance(sequence, { rtpTime, arrivalUs: 0, arrivalSample: at, durationTicks: ticks }, at);
        assert.equal(run.hasSeen(sequence), true);
      }
    }
  }
});

test('lengths of contiguous packets add up without rest where the ratio is not whole', () => {
  const run = new RtpRun(
    { ssrc: 1, clockRateHz: 44_100, rateHz: 8000 },
    { sequenceNumber: 0, rtpTime: 0, sample: 0 },
  );
  let sum = 0;
  for (let k = 0; k < 1000; k += 1) sum += run.samplesBetween(run.firstSequence + k, k * 441, 441);
  assert.equal(sum, run.sampleAt(run.firstSequence + 1000, 441_000));
  assert.equal(sum, 80_000);
});

test('a packet from before an anchor keeps the old anchor', () => {
  const run = new RtpRun(
    { ssrc: 1, clockRateHz: 8000, rateHz: 8000 },
    { sequenceNumber: 10, rtpTime: 0, sample: 0 },
  );
  const at = run.extendSequence(20);
  run.anchor(at, 1600, 80_000);
  assert.equal(run.sampleAt(at, 1600), 80_000);
  assert.equal(run.sampleAt(at - 1, 1440), 1440);
  assert.equal(run.precedesAnchor(at - 1), true);
  assert.equal(run.precedesAnchor(at), false);
  for (let k = 1; k <= 8; k += 1) run.anchor(at + k, 1600 + k * 160, 80_000 + k * 8000);
  assert.equal(run.sampleAt(at - 1, 1440), undefined, 'its anchor is forgotten');
});
