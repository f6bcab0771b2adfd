import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { FlowKeeper } from './flow-keeper.ts';
import { RecordingFlow } from './test-transactions.ts';

test('a datagram flow is kept open more often than every 30 s, until it is given up for another', () => {
  const clock = new FakeClock();
  const [first, second] = [new RecordingFlow(false), new RecordingFlow(false)];
  const keeper = new FlowKeeper(clock);
  keeper.keep(first);
  for (let sent = 1; sent <= 5; sent++) {
    clock.advanceMs(29_000);
    assert.ok(first.packets.length >= sent);
  }
  assert.ok(first.packets.every((packet) => packet === '\r\n\r\n'));
  const before = first.packets.length;
  keeper.keep(second);
  clock.advanceMs(29_000);
  assert.deepEqual([first.packets.length, second.packets.length], [before, 1]);
  keeper.stop();
  assert.equal(clock.pendingTimers, 0);
});

test('a connection keeps itself alive', () => {
  const clock = new FakeClock();
  new FlowKeeper(clock).keep(new RecordingFlow(true));
  assert.equal(clock.pendingTimers, 0);
});
