import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomOf } from '../timeline/test-random.ts';
import { SaidTime } from './said-time.ts';

const slotUs = 20_000;
const ssrc = 7;
const rtpTimeOf = (slot: number): number => (0xffff_ff00 + slot * 160) >>> 0;

/** A stream of packets of 20 ms on the way of the fastest of them for `slots`. */
function running(slots = 10): SaidTime {
  const time = new SaidTime();
  for (let slot = 0; slot < slots; slot++) take(time, slot, slot % 2 ? 30 : 0);
  return time;
}

/** @returns how long before its arrival the packet was said, in ms */
function take(time: SaidTime, slot: number, delayMs: number, frozenSlots = 0, of = ssrc): number {
  const arrivalUs = slot * slotUs + delayMs * 1000;
  time.took(of, 8000, rtpTimeOf(slot - frozenSlots), arrivalUs);
  return (arrivalUs - time.saidUs) / 1000;
}

test('a packet is as late as it is against the fastest, whatever came between, through the wrap of RTP time', () => {
  const time = running();
  assert.equal(take(time, 10, 0), 0);
  assert.equal(take(time, 9, 500), 500);
  assert.equal(take(time, 12, 300), 300);
  assert.equal(take(time, 40, -15), 0);
  assert.equal(take(time, 41, 0), 15);
});

test('a burst behind a stall of seconds was said in its time', () => {
  const time = running();
  const stallMs = 4000;
  for (let late = 0; late < stallMs / 20; late++)
    assert.equal(take(time, 10 + late, stallMs - late * 20), stallMs - late * 20);
  assert.equal(take(time, 210, 0), 0);
});

test('a sender whose clock stood still is measured anew within 40 ms', () => {
  const time = running();
  const frozen = 150;
  assert.equal(take(time, 200, 0, frozen), 3000);
  assert.equal(take(time, 201, 0, frozen), 3000);
  assert.equal(take(time, 202, 0, frozen), 0);
  assert.equal(take(time, 203, 25, frozen), 25);
});

test('single packets that are late by seconds, one a second, are no clock that was set back', () => {
  const time = running();
  const lateMs = 3000;
  for (let slot = 10; slot < 1000; slot++) {
    const isLate = slot % 50 === 0;
    assert.equal(take(time, slot, isLate ? lateMs : 0), isLate ? lateMs : 0, String(slot));
  }
});

test('a clock that was set back by more than any stall says nothing of the time', () => {
  const time = running();
  assert.equal(take(time, 10, 0, 5000), 0);
  assert.equal(take(time, 11, 10, 5000), 10);
});

test('a slower route counts for some seconds only, and so does a clock that drifts', () => {
  const time = running();
  for (let slot = 10; slot < 600; slot++) take(time, slot, 200);
  assert.equal(take(time, 600, 200), 0);
});

test('a stream is settled once it came at its own pace for 40 ms', () => {
  const time = new SaidTime();
  for (let late = 0; late < 50; late++) take(time, late, 1000 - late * 20);
  assert.equal(time.isSettled, false, 'a burst');
  for (const slot of [50, 51, 52]) take(time, slot, 0);
  assert.equal(time.isSettled, true);
});

test('streams that change are each known, the last four of them', () => {
  const time = running();
  for (let slot = 10; slot < 14; slot++) take(time, slot, 0, 0, 8);
  assert.equal(time.isSettled, true);
  assert.equal(take(time, 13, 100), 100);
  assert.equal(time.isSettled, true);
  for (const other of [9, 10, 11, 12]) take(time, 20, 0, 0, other);
  assert.equal(take(time, 13, 200), 0, 'forgotten');
  assert.equal(time.isSettled, false);
});

test('what else has an RTP time was then, where its stream is known', () => {
  const time = running();
  assert.equal(time.at(ssrc, rtpTimeOf(3), 8000), 3 * slotUs);
  assert.equal(time.at(ssrc, rtpTimeOf(3)), 3 * slotUs);
  assert.equal(time.at(ssrc, rtpTimeOf(3), 16_000), undefined);
  assert.equal(time.at(8, rtpTimeOf(3)), undefined);
});

test('packets that go on with each other say the same, taken one by one or all at once', () => {
  const random = randomOf(5);
  const single = new SaidTime();
  const atOnce = new SaidTime();
  let slot = 0;
  for (let round = 0; round < 400; round++) {
    const count = 1 + Math.floor(random() * 64);
    if (random() < 0.1) slot += Math.floor(random() * 200);
    const stalledUs = random() < 0.1 ? 3_000_000 * random() : 0;
    const of = random() < 0.05 ? ssrc + 1 : ssrc;
    const first = slot;
    const lateUs = Array.from({ length: count }, () => Math.floor(stalledUs + random() * 30_000));
    const arrivalUs = (index: number) => (first + index) * slotUs + lateUs[index]!;
    for (let i = 0; i < count; i++, slot++) single.took(of, 8000, rtpTimeOf(slot), arrivalUs(i));
    const series = { count, sequenceNumber: 0, rtpTime: rtpTimeOf(first), payloadBytes: 160, arrivalUs };
    atOnce.tookSeries(of, 8000, series);
    assert.deepEqual([atOnce.saidUs, atOnce.isSettled], [single.saidUs, single.isSettled], `round ${round}`);
    for (const key of [rtpTimeOf(slot), rtpTimeOf(slot - 300)])
      assert.equal(atOnce.at(of, key), single.at(of, key));
  }
});
