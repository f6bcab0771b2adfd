import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { frame, Stream } from './test-timeline-stream.ts';

const second = 8000;

describe('the first packet', () => {
  test('lies at its arrival', () => {
    new Stream().expect(0, 0, 50, 50);
  });

  test('never lies before the track', () => {
    const stream = new Stream({ startSample: 100 * frame });
    stream.expect(0, 0, 99, 100);
    stream.expect(1, 1, 100, 101);
  });

  test('and those behind it that came before the track are not in it, and shift nothing', () => {
    const stream = new Stream({ startSample: 100 * frame });
    for (let k = 75; k < 100; k += 1) assert.equal(stream.send(k, k, k), undefined);
    for (let k = 100; k < 200; k += 1) stream.expect(k, k, k, k);
    assert.equal(stream.timeline.counters.lostPackets, 0);
    assert.deepEqual(stream.timeline.marks, []);
  });

  test('before the track, with a clock that begins again in it: arrival counts', () => {
    const stream = new Stream({ startSample: 100 * frame });
    for (let k = 75; k < 90; k += 1) assert.equal(stream.send(k, k, k), undefined);
    for (let k = 90; k < 300; k += 1) {
      const placed = stream.send(k, k - 50_000, k);
      if (k >= 110) assert.ok(placed && Math.abs(placed.atSample - k * frame) <= 10 * frame, `${k}`);
    }
  });

  test('may be overtaken by the second', () => {
    const stream = new Stream();
    stream.expect(1, 1, 10, 10);
    stream.expect(0, 0, 10, 9);
    stream.expect(2, 2, 11, 11);
    assert.equal(stream.timeline.counters.lostPackets, 0);
    assert.equal(stream.timeline.counters.reordered, 1);
  });
});

describe('sequence numbers and timestamps at every nasty start', () => {
  for (const sequenceBase of [0, 1, 127, 128, 32767, 32768, 65407, 65534, 65535]) {
    for (const timeBase of [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xffffff00]) {
      test(`contiguous, lossy, reordered and doubled from ${sequenceBase} / ${timeBase}`, () => {
        const stream = new Stream({ sequenceBase, timeBase });
        stream.run(0, 200);
        stream.expect(201, 201, 201, 201);
        stream.expect(200, 200, 202, 200);
        assert.equal(stream.send(200, 200, 202), undefined);
        assert.equal(stream.send(199, 199, 202), undefined);
        stream.expect(205, 205, 205, 205);
        const { duplicates, reordered, lostPackets, gapSamples } = stream.timeline.counters;
        assert.deepEqual(
          { duplicates, reordered, lostPackets, gapSamples },
          { duplicates: 2, reordered: 1, lostPackets: 3, gapSamples: 3 * frame },
        );
      });
    }
  }
});

test('jitter of the arrival never moves a sample', () => {
  const stream = new Stream();
  stream.expect(0, 0, 3, 3);
  for (let k = 1; k < 3000; k += 1) stream.expect(k, k, k + 3 + ((k * 7) % 11) - 3, k + 3);
  assert.deepEqual(stream.timeline.marks, []);
});

test('a stall followed by its burst moves nothing', () => {
  const stream = new Stream();
  stream.run(0, 100);
  for (let k = 100; k < 140; k += 1) stream.expect(k, k, 140, k);
  for (let k = 140; k < 200; k += 1) stream.expect(k, k, k, k);
  assert.deepEqual(stream.timeline.marks, []);
});

test('loss leaves a gap of its length, of any length', () => {
  const stream = new Stream();
  stream.run(0, 10);
  stream.run(11, 20);
  stream.run(20 + 250, 300);
  // 15 minutes: more than half the sequence numbers, so that they seem to go back.
  stream.run(300 + 45_000, 300 + 45_010);
  assert.equal(stream.timeline.endSample, 45_310 * frame);
  assert.equal(stream.timeline.counters.gapSamples >= 251 * frame, true);
  assert.deepEqual(stream.timeline.marks[0], {
    kind: 'gap',
    cause: 'loss',
    atSample: 10 * frame,
    samples: frame,
  });
});

test('DTX: contiguous numbers and a jump in time are silence of that length (rtpengine#1370)', () => {
  const stream = new Stream();
  stream.run(0, 10);
  for (let k = 10; k < 20; k += 1) stream.expect(k, k + 1500, k + 1500, k + 1500);
  assert.equal(stream.timeline.counters.lostPackets, 0);
  assert.equal(stream.timeline.counters.gapSamples, 0);
  assert.deepEqual(stream.timeline.marks, [
    { kind: 'gap', cause: 'pause', atSample: 10 * frame, samples: 1500 * frame },
  ]);
});

test('RTP time frozen for 244 s: arrival counts (janus-gateway#2292)', () => {
  const stream = new Stream();
  stream.run(0, 100);
  const held = 244 * 50;
  for (let k = 100; k < 200; k += 1) stream.expect(k, k, k + held, k + held);
  assert.deepEqual(stream.timeline.marks, [
    { kind: 'jump', atSample: (100 + held) * frame, samples: held * frame },
  ]);
});

test('RTP time that jumps ten minutes while nothing passed: arrival counts', () => {
  const stream = new Stream();
  stream.run(0, 100);
  for (let k = 100; k < 200; k += 1) stream.expect(k, k + 30_000, k, k);
  assert.equal(stream.timeline.endSample, 200 * frame);
});

test('a second and a half of disagreement is enough, in either direction', () => {
  for (const [rtpJump, roomJump] of [
    [0, 75],
    [75, 0],
  ] as const) {
    const stream = new Stream();
    stream.run(0, 100);
    for (let k = 100; k < 200; k += 1) stream.expect(k, k + rtpJump, k + roomJump, k + roomJump);
  }
});

test('many small freezes add up to two seconds, then arrival counts', () => {
  const stream = new Stream();
  let lagFrames = 0;
  let worst = 0;
  for (let k = 0; k < 2000; k += 1) {
    if (k > 0 && k % 100 === 0) lagFrames += 40;
    const placed = stream.send(k, k, k + lagFrames);
    worst = Math.max(worst, (k + lagFrames) * frame - (placed?.atSample ?? 0));
  }
  assert.equal(worst, 80 * frame, 'two freezes of 0.8 s are borne, the third is not');
  assert.equal(stream.timeline.endSample > (2000 + lagFrames - 81) * frame, true);
});

test('a stream far ahead of the room is shortened where it is silent, not where it speaks', () => {
  const stream = new Stream();
  for (let k = 0; k < 200; k += 1) stream.expect(k, k, k / 4, k);
  // 150 frames ahead now; a pause of 140 frames by RTP time takes 140 in the room.
  stream.expect(200, 340, 190, 200);
  stream.expect(201, 341, 191, 201);
  assert.deepEqual(
    stream.timeline.marks.map(({ kind, atSample }) => [kind, atSample / frame]),
    [['jump', 200]],
  );
});

test('a timestamp base that goes back doubles nothing and loses nothing', () => {
  const stream = new Stream();
  stream.run(0, 100);
  for (let k = 100; k < 200; k += 1) stream.expect(k, k - 90, k, k);
  assert.equal(stream.timeline.counters.lostPackets, 0);
});

describe('a packet of before the hold that comes after it (rtpproxy#61)', () => {
  for (const frozen of [true, false]) {
    test(`RTP time ${frozen ? 'frozen' : 'running'}: silence counts once`, () => {
      const stream = new Stream();
      stream.run(0, 99);
      const held = 1500;
      const shift = frozen ? 0 : held;
      stream.expect(100, 100 + shift, 100 + held, 100 + held);
      assert.equal(stream.send(99, 99, 100 + held), undefined, 'half a minute late');
      for (let k = 101; k < 120; k += 1) stream.expect(k, k + shift, k + held, k + held);
      assert.equal(stream.timeline.counters.late, 1);
      assert.equal(stream.timeline.endSample, (120 + held) * frame);
    });
  }

  test('after a short hold it takes its place', () => {
    const stream = new Stream();
    stream.run(0, 99);
    stream.expect(100, 130, 130, 130);
    stream.expect(99, 99, 131, 99);
    stream.expect(101, 131, 131, 131);
    assert.equal(stream.timeline.counters.lostPackets, 0);
  });
});

test('a flood ahead of the clock is bounded, and the stream recovers from it', () => {
  const stream = new Stream();
  for (let k = 0; k < 6000; k += 1) stream.send(k, k, 0);
  const { timeline } = stream;
  assert.ok(timeline.endSample <= 61 * second);
  assert.ok(timeline.counters.early > 2900);
  assert.ok(stream.send(6000, 6000, 6000));
});

test('an empty payload keeps its number and takes no room', () => {
  const { timeline } = new Stream();
  assert.deepEqual(timeline.place(5, 0, 0, frame), { atSample: 0, durationSamples: frame });
  assert.deepEqual(timeline.place(6, frame, 20_000, 0), { atSample: frame, durationSamples: 0 });
  assert.deepEqual(timeline.place(7, frame, 20_000, frame), { atSample: frame, durationSamples: frame });
  assert.equal(timeline.counters.lostPackets, 0);
});

test('marks stay bounded in an endless lossy stream, counters exact', () => {
  const stream = new Stream();
  for (let k = 0; k < 50_000; k += 2) stream.expect(k, k, k, k);
  assert.ok(stream.timeline.marks.length <= 10_050);
  assert.equal(stream.timeline.counters.lostPackets, 24_999);
});

describe('comfort noise between audio (T2)', () => {
  /** 50 packets of audio, comfort noise, a pause of 3 s, audio again. */
  function pausedCall(resumeFrames: number): Stream {
    const stream = new Stream();
    stream.run(0, 50);
    stream.use(1, 8000, 'CN');
    assert.deepEqual(stream.timeline.place(1050, 5000 + 50 * frame, 50 * 20_000, 0), {
      atSample: 50 * frame,
      durationSamples: 0,
    });
    stream.timeline.place(1051, 5000 + resumeFrames * frame, 100 * 20_000, 0);
    stream.use(1);
    return stream;
  }

  test('keeps one run, and the length to the frame', () => {
    const stream = pausedCall(100);
    for (let k = 0; k < 10; k += 1) stream.expect(52 + k, 200 + k, 200 + k, 200 + k);
    assert.equal(stream.timeline.endSample, 210 * frame);
    const { lostPackets, gapSamples, late, reordered } = stream.timeline.counters;
    assert.deepEqual(
      { lostPackets, gapSamples, late, reordered },
      { lostPackets: 0, gapSamples: 0, late: 0, reordered: 0 },
    );
    const kinds = new Set(
      stream.timeline.marks.map((mark) => (mark.kind === 'gap' ? mark.cause : mark.kind)),
    );
    assert.deepEqual([...kinds], ['pause'], 'no other codec, no other stream');
  });

  test('and with an RTP time that stood still during the pause, arrival decides', () => {
    const stream = pausedCall(50);
    for (let k = 0; k < 10; k += 1) stream.expect(52 + k, 50 + k, 200 + k, 200 + k);
    assert.equal(stream.timeline.endSample, 210 * frame);
  });

  test('lost comfort noise costs no audio', () => {
    const stream = new Stream();
    stream.run(0, 50);
    for (let k = 0; k < 10; k += 1) stream.expect(51 + k, 200 + k, 200 + k, 200 + k);
    assert.equal(stream.timeline.counters.lostPackets, 1);
    assert.equal(stream.timeline.endSample, 210 * frame);
  });
});
