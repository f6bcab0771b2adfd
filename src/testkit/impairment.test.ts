import assert from 'node:assert/strict';
import { test } from 'node:test';
import { impair, renumber } from './impairment.ts';
import type { MediaPacket } from './media-packet.ts';

const clockRateHz = 8000;

function stream(count: number, first: Partial<MediaPacket> = {}): MediaPacket[] {
  return Array.from({ length: count }, (_, index) => ({
    ssrc: 1,
    sequenceNumber: ((first.sequenceNumber ?? 0) + index) & 0xffff,
    rtpTime: ((first.rtpTime ?? 0) + index * 160) >>> 0,
    payloadType: 0,
    marker: index === 0,
    payload: Uint8Array.of(index & 0xff),
    durationSamples: 160,
  }));
}

const sequenceNumbers = (schedule: { send: { packet: MediaPacket }[] }) =>
  schedule.send.map(({ packet }) => packet.sequenceNumber);

test('without impairment every packet leaves once, in order, on the grid', () => {
  const schedule = impair(stream(5), clockRateHz);
  assert.deepEqual(sequenceNumbers(schedule), [0, 1, 2, 3, 4]);
  assert.deepEqual(
    schedule.send.map((entry) => entry.sendOffsetUs),
    [0, 20_000, 40_000, 60_000, 80_000],
  );
  assert.equal(schedule.durationUs, 100_000);
  assert.deepEqual(schedule.lost, []);
});

test('the same seed gives the same schedule, another seed another', () => {
  const impairment = { lossRate: 0.1, reorderRate: 0.1, duplicateRate: 0.1, jitterMs: 15 };
  const once = impair(stream(200), clockRateHz, { ...impairment, seed: 4 });
  assert.deepEqual(impair(stream(200), clockRateHz, { ...impairment, seed: 4 }), once);
  assert.notDeepEqual(impair(stream(200), clockRateHz, { ...impairment, seed: 5 }), once);
});

test('loss takes about its share and names what it took', () => {
  const packets = stream(5000);
  const { send, lost } = impair(packets, clockRateHz, { lossRate: 0.05 });
  assert.ok(lost.length > 200 && lost.length < 300, `${lost.length} of 5000 lost`);
  const all = [...send.map(({ packet }) => packet), ...lost].sort((a, b) => a.rtpTime - b.rtpTime);
  assert.deepEqual(all, packets);
});

test('a loss span takes exactly its packets', () => {
  const schedule = impair(stream(10), clockRateHz, { lossSpans: [{ firstPacket: 3, packets: 4 }] });
  assert.deepEqual(sequenceNumbers(schedule), [0, 1, 2, 7, 8, 9]);
  assert.deepEqual(
    schedule.lost.map((packet) => packet.sequenceNumber),
    [3, 4, 5, 6],
  );
});

test('a reordered packet is overtaken by as many packets as asked, and the times never run back', () => {
  const schedule = impair(stream(300), clockRateHz, { reorderRate: 0.05, reorderByPackets: 2 });
  const order = sequenceNumbers(schedule);
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    Array.from({ length: 300 }, (_, index) => index),
  );
  const overtaken = order.filter((number, place) =>
    order.slice(0, place).some((earlier) => earlier > number),
  );
  assert.ok(overtaken.length >= 5, `${overtaken.length} overtaken`);
  for (const number of overtaken) assert.ok(order.indexOf(number + 2) < order.indexOf(number));
  assertTimesRise(schedule);
});

test('duplicates follow their originals', () => {
  const schedule = impair(stream(100), clockRateHz, { duplicateRate: 0.2 });
  const order = sequenceNumbers(schedule);
  const doubled = order.filter((number, place) => order[place - 1] === number);
  assert.ok(doubled.length >= 8 && doubled.length <= 35, `${doubled.length} doubled`);
  assert.equal(order.length, 100 + doubled.length);
});

test('a fast clock sends earlier, a slow one later, with the timestamps of a good one', () => {
  const fast = impair(stream(3001), clockRateHz, { driftPpm: 200 });
  assert.ok(Math.abs(fast.send[3000]!.sendOffsetUs - 60_000_000 * (1 - 200e-6)) < 3);
  assert.equal(fast.send[3000]!.packet.rtpTime, 480_000);
  const slow = impair(stream(3001), clockRateHz, { driftPpm: -200 });
  assert.ok(Math.abs(slow.send[3000]!.sendOffsetUs - 60_000_000 * (1 + 200e-6)) < 3);
});

test('jitter delays within its bound and reorders nothing', () => {
  const schedule = impair(stream(500), clockRateHz, { jitterMs: 60 });
  assert.deepEqual(sequenceNumbers(schedule), sequenceNumbers(impair(stream(500), clockRateHz)));
  const delaysUs = schedule.send.map((entry, index) => entry.sendOffsetUs - index * 20_000);
  assert.ok(Math.min(...delaysUs) >= 0);
  assert.ok(Math.max(...delaysUs) <= 60_000);
  assert.ok(Math.max(...delaysUs) > 40_000, 'the bound is made use of');
  assertTimesRise(schedule);
});

test('numbers are offset and wrap', () => {
  const packets = renumber(stream(3), { sequenceNumberOffset: 65_534, rtpTimeOffset: 2 ** 32 - 160 });
  assert.deepEqual(
    packets.map((packet) => packet.sequenceNumber),
    [65_534, 65_535, 0],
  );
  assert.deepEqual(
    packets.map((packet) => packet.rtpTime),
    [2 ** 32 - 160, 0, 160],
  );
});

test('an SSRC change starts a new numbering at its packet', () => {
  const packets = renumber(stream(4, { sequenceNumber: 10, rtpTime: 1000 }), {
    ssrcChange: { atPacket: 2, ssrc: 9, sequenceNumber: 65_535, rtpTime: 7 },
  });
  assert.deepEqual(
    packets.map(({ ssrc, sequenceNumber, rtpTime }) => [ssrc, sequenceNumber, rtpTime]),
    [
      [1, 10, 1000],
      [1, 11, 1160],
      [9, 65_535, 7],
      [9, 0, 167],
    ],
  );
});

test('an SSRC change behind the last packet changes nothing', () => {
  const packets = stream(2);
  assert.deepEqual(renumber(packets, { ssrcChange: { atPacket: 2, ssrc: 9 } }), packets);
});

function assertTimesRise(schedule: { send: { sendOffsetUs: number }[] }): void {
  schedule.send.forEach((entry, place) => {
    const before = schedule.send[place - 1];
    if (before)
      assert.ok(entry.sendOffsetUs >= before.sendOffsetUs, `packet ${place} leaves before its turn`);
  });
}
