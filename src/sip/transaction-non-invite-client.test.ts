import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { clientHarness, responseTo } from './test-transactions.ts';
import { NonInviteClientTransaction, nonInviteClientTable } from './transaction-non-invite-client.ts';

throwOnUnlistedTransitions();

/** Copied from figure 6 of RFC 3261. */
testTransitions('non-invite-client', nonInviteClientTable, {
  states: ['trying', 'proceeding', 'completed', 'terminated'],
  events: ['1xx', '200-699', 'timer-e', 'timer-f', 'timer-k', 'transport-error'],
  expected: [
    ['trying', 'timer-e', 'trying', 'RFC 3261 figure 6: Timer E, send request'],
    ['trying', 'timer-f', 'terminated', 'figure 6: Timer F or Transport Err., inform TU'],
    ['trying', 'transport-error', 'terminated', 'figure 6: Timer F or Transport Err., inform TU'],
    ['trying', '1xx', 'proceeding', 'figure 6: 1xx, resp. to TU'],
    ['trying', '200-699', 'completed', 'figure 6: 200-699, resp. to TU'],
    ['proceeding', 'timer-e', 'proceeding', 'figure 6: Timer E, send request'],
    ['proceeding', 'timer-f', 'terminated', 'figure 6: Timer F or Transport Err., inform TU'],
    ['proceeding', 'transport-error', 'terminated', 'figure 6: Timer F or Transport Err., inform TU'],
    ['proceeding', '1xx', 'proceeding', 'figure 6: 1xx, resp. to TU'],
    ['proceeding', '200-699', 'completed', 'figure 6: 200-699, resp. to TU'],
    ['completed', '200-699', 'completed', '17.1.2.2: buffers additional response retransmissions'],
    ['completed', 'timer-k', 'terminated', 'figure 6: Timer K'],
  ],
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
