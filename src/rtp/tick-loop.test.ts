import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { type TickLateness, TickLoop } from './tick-loop.ts';

function startLoop(clock: FakeClock, action: (nowUs: number) => void = () => {}) {
  const lateness: TickLateness = { lateTicks: 0, maxLatenessUs: 0 };
  const ticksUs: number[] = [];
  const order: string[] = [];
  const loop = new TickLoop(clock, 5000, lateness, {
    begin: () => order.push('begin'),
    receiver: { receive: () => order.push('receive') },
    ticks: [
      (nowUs) => {
        order.push('tick');
        ticksUs.push(nowUs);
        action(nowUs);
      },
      () => order.push('second tick'),
    ],
    send: () => order.push('send'),
  });
  return { loop, lateness, ticksUs, order };
}

describe('tick loop', () => {
  test('an hour has exactly its number of ticks, all on the grid', () => {
    const clock = new FakeClock({ monotonicUs: 1_000_000_123 });
    const { loop, lateness, ticksUs } = startLoop(clock);
    clock.advanceMs(3_600_000);
    assert.equal(ticksUs.length, 720_000);
    assert.ok(ticksUs.every((us) => us % 5000 < 1000));
    assert.equal(lateness.lateTicks, 0);
    loop.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  test('a slow action does not shift the grid and causes no burst', () => {
    const clock = new FakeClock();
    const { loop, lateness, ticksUs } = startLoop(clock, () => {
      if (ticksUs.length === 3) clock.advanceUs(33_000);
    });
    const startUs = clock.monotonicUs();
    clock.advanceMs(60);
    assert.deepEqual(
      ticksUs.map((us) => (us - startUs) / 1000),
      [5, 10, 15, 48, 50, 55, 60],
    );
    const { lateTicks, maxLatenessUs, histogram } = lateness;
    assert.deepEqual({ lateTicks, maxLatenessUs }, { lateTicks: 5, maxLatenessUs: 28_000 });
    assert.equal(histogram?.sumUs, 28_000);
    assert.equal(histogram.counts[0], ticksUs.length - 1);
    loop.stop();
  });

  test('goes on after an action that throws', () => {
    const clock = new FakeClock();
    const { loop, ticksUs, order } = startLoop(clock, () => {
      if (ticksUs.length === 1) throw new Error('boom');
    });
    assert.throws(() => clock.advanceMs(5), /boom/);
    assert.deepEqual(order, ['begin', 'receive', 'tick', 'send']);
    clock.advanceMs(20);
    assert.ok(ticksUs.length >= 4);
    loop.stop();
  });

  test('a turn receives, ticks in order, sends', () => {
    const clock = new FakeClock();
    const { loop, order } = startLoop(clock);
    clock.advanceMs(5);
    assert.deepEqual(order, ['begin', 'receive', 'tick', 'second tick', 'send']);
    loop.stop();
  });

  test('stop inside the action is final', () => {
    const clock = new FakeClock();
    const { loop, ticksUs } = startLoop(clock, () => loop.stop());
    clock.advanceMs(100);
    assert.equal(ticksUs.length, 1);
    assert.equal(clock.pendingTimers, 0);
  });
});
