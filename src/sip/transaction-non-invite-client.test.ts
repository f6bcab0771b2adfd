import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { clientHarness, responseTo } from './test-transactions.ts';
import {
  type NonInviteClientEvent,
  NonInviteClientTransaction,
  nonInviteClientTable,
} from './transaction-non-invite-client.ts';

throwOnUnlistedTransitions();

/** Written from figure 6 of RFC 3261, plus what arrives late. */
const expected: [state: string, event: NonInviteClientEvent, next: string][] = [
  ['trying', '1xx', 'proceeding'],
  ['trying', '200-699', 'completed'],
  ['trying', 'timer-e', 'trying'],
  ['trying', 'timer-f', 'terminated'],
  ['trying', 'transport-error', 'terminated'],
  ['proceeding', '1xx', 'proceeding'],
  ['proceeding', '200-699', 'completed'],
  ['proceeding', 'timer-e', 'proceeding'],
  ['proceeding', 'timer-f', 'terminated'],
  ['proceeding', 'transport-error', 'terminated'],
  ['completed', '1xx', 'completed'],
  ['completed', '200-699', 'completed'],
  ['completed', 'timer-k', 'terminated'],
  ['completed', 'transport-error', 'completed'],
];

test('the table lists the transitions of the RFC and no others', () => {
  const listed = Object.entries(nonInviteClientTable).flatMap(([state, row]) =>
    Object.entries(row).map(([event, next]) => [state, event, next]),
  );
  assert.deepEqual(listed.sort(), [...expected].sort());
});

function start(reliable = false) {
  const clock = new FakeClock();
  const harness = clientHarness(clock, 'BYE', reliable);
  const transaction = new NonInviteClientTransaction(harness.context, harness.sent, harness.user);
  transaction.start();
  return { clock, transaction, ...harness };
}

test('timer E doubles up to T2, timer F ends it after 64*T1', () => {
  const { clock, flow, heard } = start();
  const sentAtMs: number[] = [];
  for (let ms = 0; ms < 32_000; ms += 100) {
    if (flow.packets.splice(0).length > 0) sentAtMs.push(ms);
    clock.advanceMs(100);
  }
  assert.deepEqual(sentAtMs, [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  assert.deepEqual(heard, ['timeout']);
  assert.equal(clock.pendingTimers, 0);
});

test('after a provisional response it is sent every T2', () => {
  const { clock, flow, heard, transaction, sent } = start();
  transaction.receive(responseTo(sent, 100));
  clock.advanceMs(8_000);
  assert.equal(flow.packets.length, 3);
  clock.advanceMs(24_000);
  assert.deepEqual(heard, [100, 'timeout']);
});

test('the final response is told once and kept for timer K', () => {
  const { clock, heard, transaction, sent, ended } = start();
  transaction.receive(responseTo(sent, 481));
  transaction.receive(responseTo(sent, 481));
  assert.deepEqual(heard, [481]);
  clock.advanceMs(4_999);
  assert.deepEqual(ended, []);
  clock.advanceMs(1);
  assert.deepEqual(ended, [transaction.key]);
  assert.equal(clock.pendingTimers, 0);
});

test('on a reliable transport: no retransmission and no timer K', () => {
  const { clock, flow, transaction, sent } = start(true);
  clock.advanceMs(20_000);
  assert.equal(flow.packets.length, 1);
  transaction.receive(responseTo(sent, 200));
  clock.advanceMs(0);
  assert.equal(transaction.state, 'terminated');
});

test('a transport error is told', () => {
  const { flow, heard, ended } = start();
  flow.fail();
  assert.deepEqual(heard, ['transport']);
  assert.equal(ended.length, 1);
});
