import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { frame, Stream } from './test-timeline-stream.ts';

describe('a new clock', () => {
  test('SSRC: at its arrival, contiguous within a packet of jitter', () => {
    const stream = new Stream();
    stream.run(0, 100);
    stream.use(2);
    stream.expect(40_000, 7, 100.9, 100);
    stream.expect(40_001, 8, 101, 101);
    stream.use(3);
    stream.expect(9, 9_000_000, 150, 150);
    assert.deepEqual(
      stream.timeline.marks.filter(({ kind }) => kind === 'ssrc-change'),
      [
        { kind: 'ssrc-change', atSample: 100 * frame, ssrc: 2 },
        { kind: 'ssrc-change', atSample: 150 * frame, ssrc: 3 },
      ],
    );
    assert.equal(stream.timeline.counters.lostPackets, 0);
  });

  test('SSRC: never over earlier audio', () => {
    const stream = new Stream();
    stream.run(0, 100);
    stream.use(2);
    for (let k = 0; k < 50; k += 1) stream.expect(k, k, 98 + k, 100 + k);
  });

  test('codec with a clock that goes on: not a sample of difference', () => {
    const stream = new Stream();
    stream.run(0, 100);
    stream.use(1, 8000, 'PCMA');
    for (let k = 100; k < 200; k += 1) stream.expect(k, k, k + (k % 3), k);
    assert.deepEqual(stream.timeline.marks, [
      { kind: 'codec-change', atSample: 100 * frame, codec: 'PCMA', clockRateHz: 8000 },
    ]);
  });

  test('clock rate: G.711 to Opus and back in one SSRC', () => {
    const stream = new Stream();
    stream.run(0, 100);
    stream.use(1, 48_000, 'OPUS');
    const { timeline } = stream;
    for (let k = 100; k < 200; k += 1) {
      const placed = timeline.place(1000 + k, (77 + k * 960) >>> 0, k * 20_000, 960);
      assert.deepEqual(placed, { atSample: k * frame, durationSamples: frame });
    }
    stream.use(1, 8000, 'PCMU');
    for (let k = 200; k < 300; k += 1) stream.expect(k, k + 12_345, k, k);
    assert.equal(timeline.endSample, 300 * frame);
  });

  test('an old SSRC that comes back goes on by its own clock', () => {
    const stream = new Stream();
    stream.run(0, 100);
    stream.use(2);
    for (let k = 0; k < 100; k += 1) stream.expect(k, k + 50, 100 + k, 100 + k);
    stream.use(1);
    for (let k = 100; k < 150; k += 1) stream.expect(k, k + 100, 100 + k, 100 + k);
    stream.use(2);
    for (let k = 100; k < 150; k += 1) stream.expect(k, k + 50, 250 + k, 250 + k);
  });

  test('an old SSRC that comes back at once with frozen time loses one packet, not the rest', () => {
    const stream = new Stream();
    stream.run(0, 100);
    stream.use(2);
    for (let k = 0; k < 10; k += 1) stream.expect(k, k, 100 + k, 100 + k);
    stream.use(1);
    assert.equal(stream.send(100, 100, 110), undefined);
    for (let k = 101; k < 200; k += 1) stream.expect(k, k, 10 + k, 9 + k);
  });

  test('a straggler of the old SSRC takes its own place', () => {
    const stream = new Stream();
    stream.run(0, 99);
    stream.use(2);
    stream.expect(0, 0, 101, 101);
    stream.use(1);
    stream.expect(99, 99, 101, 99);
    stream.use(2);
    stream.expect(1, 1, 102, 102);
    assert.equal(stream.timeline.counters.reordered, 1);
  });

  test('two SSRCs at the same time do not make the track longer than the call', () => {
    const stream = new Stream();
    for (let k = 0; k < 500; k += 1) {
      stream.use(1);
      stream.send(k, k, k);
      stream.use(2);
      stream.send(k + 20_000, k, k);
    }
    assert.ok(stream.timeline.endSample <= 502 * frame, `${stream.timeline.endSample / frame} frames`);
  });
});

describe('a sender that begins again under the same SSRC', () => {
  test('at random numbers: contiguous from its first packet', () => {
    for (const [sequence, frames] of [
      [30_000, 1_000_000],
      [30_000, -1_000_000],
      [-20_000, 1_000_000],
      [-20_000, -1_000_000],
    ] as const) {
      const stream = new Stream();
      stream.run(0, 600);
      for (let k = 0; k < 50; k += 1) stream.expect(sequence + k, frames + k, 600 + k, 600 + k);
    }
  });

  test('at its first numbers, as sipp does: one packet is doubted, the next believed', () => {
    const stream = new Stream();
    stream.run(0, 200);
    assert.equal(stream.send(0, 0, 250), undefined);
    for (let k = 1; k < 100; k += 1) stream.expect(k, k, 250 + k, 250 + k);
  });

  test('a straggler of the sequence before is put where it belongs', () => {
    const stream = new Stream();
    stream.run(0, 600);
    stream.expect(30_000, 90_000, 602, 602);
    stream.expect(600, 600, 602, 600);
    stream.expect(30_001, 90_001, 603, 603);
  });
});
