import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakeClock, type Timer } from '../clock.ts';
import { type TickLateness, TickLoop, type TickSteps } from './tick-loop.ts';

function startLoop(
  clock: FakeClock,
  action: (nowUs: number) => void = () => {},
  waiting: Pick<TickSteps, 'sleep' | 'mayStay'> = {},
) {
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
    ...waiting,
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

/** Counts the turns of its event loop. */
class TurnClock extends FakeClock {
  turns = 0;

  override after(delayMs: number, action: () => void): Timer {
    return super.after(delayMs, () => {
      this.turns++;
      action();
    });
  }
}

describe('a tick loop that may stay', () => {
  const startUs = 1_000_000_000;

  /** Tells of each tick when it came and in which turn of the event loop. */
  function follow(waiting: Partial<Pick<TickSteps, 'sleep' | 'mayStay'>>, act = () => {}) {
    const clock = new TurnClock({ monotonicUs: startUs });
    const ticks: string[] = [];
    const { loop } = startLoop(
      clock,
      (nowUs) => {
        ticks.push(`${(nowUs - startUs) / 1000} in ${clock.turns}`);
        act();
      },
      {
        mayStay: () => true,
        sleep: { until: (monotonicUs) => clock.advanceUs(monotonicUs - clock.monotonicUs()) },
        ...waiting,
      },
    );
    return { clock, ticks, loop };
  }

  test('has eight turns in one of the event loop, on its deadlines', () => {
    const { clock, ticks, loop } = follow({});
    clock.advanceMs(80);
    assert.deepEqual(ticks, [
      ...['5 in 1', '10 in 1', '15 in 1', '20 in 1', '25 in 1', '30 in 1', '35 in 1', '40 in 1'],
      ...['45 in 2', '50 in 2', '55 in 2', '60 in 2', '65 in 2', '70 in 2', '75 in 2', '80 in 2'],
    ]);
    loop.stop();
    assert.equal(clock.pendingTimers, 0);
  });

  test('goes back to the event loop as soon as something waits for that', () => {
    const { clock, ticks } = follow({ mayStay: () => ticks.length % 2 === 1 });
    clock.advanceMs(30);
    assert.deepEqual(ticks, ['5 in 1', '10 in 1', '15 in 2', '20 in 2', '25 in 3', '30 in 3']);
  });

  test('waits in the event loop for what is left, where its sleep ends before', () => {
    const { clock, ticks } = follow({ sleep: { until: () => clock.advanceUs(2000) } });
    clock.advanceMs(17);
    assert.deepEqual(ticks, ['5 in 1', '10 in 2', '15 in 3']);
  });

  test('is over when it was stopped', () => {
    const { clock, ticks, loop } = follow({}, () => {
      if (ticks.length === 2) loop.stop();
    });
    clock.advanceMs(60);
    assert.deepEqual(ticks, ['5 in 1', '10 in 1']);
    assert.equal(clock.pendingTimers, 0);
  });

  test('goes on behind a turn that throws', () => {
    const { clock, ticks } = follow({}, () => {
      if (ticks.length === 2) throw new Error('boom');
    });
    assert.throws(() => clock.advanceMs(10), /boom/);
    clock.advanceMs(10);
    assert.deepEqual(ticks, [
      '5 in 1',
      '10 in 1',
      '15 in 2',
      '20 in 2',
      '25 in 2',
      '30 in 2',
      '35 in 2',
      '40 in 2',
      '45 in 2',
      '50 in 2',
    ]);
  });
});
