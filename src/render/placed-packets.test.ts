import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { SpoolRecord } from '../spool/records.ts';
import { PlacedPackets } from './placed-packets.ts';
import { frame, testNoise, testStream, testTrack } from './test-track.ts';
import type { PauseView, RecordIterator } from './track-source.ts';

test('packets come in the order of their positions, however they arrived', () => {
  const jitterUs = testNoise(500, 30_000).map(Math.abs);
  const { records } = testStream(testNoise(500 * frame, 5000), {
    arrivalUs: (k) => (k % 17 === 5 ? undefined : 200_000 + k * 20_000 + (k === 0 ? 0 : jitterUs[k]! * 8)),
  });
  const packets = new PlacedPackets(testTrack('a', records), { rateHz: 8000 });
  const positions: number[] = [];
  for (let sample = 0; sample < 520 * frame; sample += 333) {
    for (let packet = packets.before(sample); packet; packet = packets.before(sample)) {
      assert.ok(packet.atSample < sample);
      positions.push(packet.atSample);
    }
  }
  assert.equal(positions.length, records.length - 1);
  assert.deepEqual(
    positions,
    positions.toSorted((a, b) => a - b),
  );
  assert.equal(packets.timeline.counters.late, 0);
  assert.ok(packets.timeline.counters.reordered > 100);
});

test('a short loss is told with the packet behind it, and marked within its gap; a long one is only a gap', () => {
  const lost = [10, 11, 40, 60, 61, 62, 63];
  const { records } = testStream(testNoise(100 * frame, 5000), {
    arrivalUs: (k) => (lost.includes(k) ? undefined : k * 20_000),
  });
  const packets = new PlacedPackets(testTrack('a', records), { rateHz: 8000 });
  const losses: [number, number][] = [];
  for (let packet = packets.before(1e9); packet; packet = packets.before(1e9))
    if (packet.lostSamples > 0) losses.push([packet.atSample / frame, packet.lostSamples / frame]);
  assert.deepEqual(losses, [
    [12, 2],
    [41, 1],
  ]);
  assert.deepEqual(packets.marks, [
    { kind: 'gap', cause: 'loss', atSample: 10 * frame, samples: 2 * frame },
    { kind: 'concealed', atSample: 10 * frame, samples: 2 * frame },
    { kind: 'gap', cause: 'loss', atSample: 40 * frame, samples: frame },
    { kind: 'concealed', atSample: 40 * frame, samples: frame },
    { kind: 'gap', cause: 'loss', atSample: 60 * frame, samples: 4 * frame },
  ]);
});

test('behind comfort noise there is silence, however short, not a loss; it is no packet of its own', () => {
  const { records } = testStream(testNoise(40 * frame, 5000));
  const format = records[0]!;
  assert.equal(format.kind, 'format');
  const noise: SpoolRecord = { ...format, codec: 'CN', payloadType: 13 };
  const withNoise = records.flatMap((record, index) =>
    index === 21 && record.kind === 'packet'
      ? [noise, { ...record, payload: Uint8Array.of(60) }, format]
      : [record],
  );
  const packets = new PlacedPackets(testTrack('a', withNoise), { rateHz: 8000 });
  let count = 0;
  for (let packet = packets.before(1e9); packet; packet = packets.before(1e9)) {
    assert.equal(packet.format.codec, 'PCMU');
    assert.equal(packet.lostSamples, 0);
    count += 1;
  }
  assert.equal(count, 39);
});

function* damaged(records: SpoolRecord[]): Generator<SpoolRecord> {
  yield* records;
  throw new CallreelError('SPOOL_CORRUPT', 'a chunk does not open', { where: 'segment+7' });
}

test('damage ends the track and is told, or is thrown where nobody listens', () => {
  const { records } = testStream(testNoise(10 * frame, 5000));
  const track = { ...testTrack('a', []), records: () => damaged(records) };
  const told: string[] = [];
  const packets = new PlacedPackets(track, {
    rateHz: 8000,
    onDamage: (trackId, error) => void told.push(`${trackId} ${error.code}`),
  });
  let count = 0;
  while (packets.before(1e9)) count += 1;
  assert.equal(count, 10);
  assert.deepEqual(told, ['a SPOOL_CORRUPT']);
  const unheard = new PlacedPackets(track, { rateHz: 8000 });
  assert.throws(() => unheard.before(1e9), CallreelError);
});

test('damage that is found where many packets are read at once is told once', () => {
  const { records } = testStream(testNoise(10 * frame, 5000));
  const corrupt = new CallreelError('SPOOL_CORRUPT', 'a chunk does not open', { where: 'segment+7' });
  const fail = (): never => {
    throw corrupt;
  };
  const left = [...records];
  const iterator: RecordIterator = {
    next: () => (left.length > 0 ? { done: false, value: left.shift()! } : fail()),
    nextSeries: () => (left.length > 0 ? undefined : fail()),
  };
  const track = { ...testTrack('a', []), records: () => ({ [Symbol.iterator]: () => iterator }) };
  let told = 0;
  const packets = new PlacedPackets(track, { rateHz: 8000, onDamage: () => void told++ });
  let count = 0;
  while (packets.before(1e9)) count += 1;
  assert.deepEqual([count, told], [10, 1]);
});

test('closing closes the file behind the track', () => {
  let closed = 0;
  const { records } = testStream(testNoise(1000 * frame, 5000));
  function* source(): Generator<SpoolRecord> {
    try {
      yield* records;
    } finally {
      closed += 1;
    }
  }
  const packets = new PlacedPackets({ ...testTrack('a', []), records: source }, { rateHz: 8000 });
  assert.ok(packets.before(frame));
  packets.close();
  assert.equal(closed, 1);
});

test('what waits from look to look is held apart from what was read, in the same memory', () => {
  const [looks, each, waiting] = [6, 40, 3];
  const { records } = testStream(testNoise(looks * each * frame, 20_000));
  const payloadOf = (k: number): Uint8Array => {
    const record = records[k + 1]!;
    assert.equal(record.kind, 'packet');
    return record.kind === 'packet' ? record.payload : Uint8Array.of();
  };
  const chunk = new Uint8Array(each * frame);
  let left: SpoolRecord[] = [];
  const iterator: RecordIterator = {
    next: () => (left.length > 0 ? { done: false, value: left.shift()! } : { done: true, value: undefined }),
  };
  const grows = { isWhole: () => false, records: () => ({ [Symbol.iterator]: () => iterator }) };
  const packets = new PlacedPackets({ ...testTrack('a', []), ...grows }, { rateHz: 8000 });
  const memories = new Set<ArrayBufferLike>();
  let next = 0;
  for (let look = 0; look < looks; look++) {
    left = records.slice(1 + look * each, 1 + (look + 1) * each).map((record, k) => {
      if (record.kind !== 'packet') return record;
      const payload = chunk.subarray(k * frame, (k + 1) * frame);
      payload.set(record.payload);
      return { ...record, payload };
    });
    if (look === 0) left.unshift(records[0]!);
    packets.poll();
    const isFirst = next;
    const toSample = ((look + 1) * each - waiting) * frame;
    for (let packet = packets.before(toSample); packet; packet = packets.before(toSample)) {
      assert.deepEqual(packet.payload, payloadOf(next), `packet ${next}`);
      if (look > 0 && next < isFirst + waiting) memories.add(packet.payload.buffer);
      next++;
    }
    packets.detach();
    chunk.fill(0);
  }
  assert.equal(next, looks * each - waiting);
  assert.equal(memories.size, 1);
  assert.equal(memories.has(chunk.buffer), false);
});

test('what comes behind a pause and would lie more than 2 s before its end is left out', () => {
  const [pausedAt, resumedAt] = [100, 350];
  const { records } = testStream(testNoise(500 * frame, 5000), {
    arrivalUs: (k) => Math.max(k * 20_000, k >= pausedAt ? resumedAt * 20_000 : 0),
  });
  const framesOf = (pauses: PauseView[]): number[] => {
    const packets = new PlacedPackets(testTrack('a', records), { rateHz: 8000, pauses });
    const frames: number[] = [];
    for (let packet = packets.before(1e9); packet; packet = packets.before(1e9))
      frames.push(packet.atSample / frame);
    return frames;
  };
  const all = framesOf([]);
  assert.deepEqual([all.length, all[pausedAt]], [500, pausedAt], 'held up, it takes its place');
  const span = { fromSample: pausedAt * frame, toSample: resumedAt * frame };
  assert.deepEqual(
    framesOf([{ ...span, behaviour: 'skip' }]),
    all.filter((at) => at < pausedAt || at >= resumedAt - 100),
  );
});
