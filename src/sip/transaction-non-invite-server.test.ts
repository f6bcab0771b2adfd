import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { serverHarness } from './test-transactions.ts';
import { NonInviteServerTransaction, nonInviteServerTable } from './transaction-non-invite-server.ts';

throwOnUnlistedTransitions();

/** Copied from figure 8 of RFC 3261. */
testTransitions('non-invite-server', nonInviteServerTable, {
  states: ['trying', 'proceeding', 'completed', 'terminated'],
  events: ['request', '1xx', '200-699', 'timer-j', 'transport-error'],
  expected: [
    ['trying', 'request', 'trying', 'RFC 3261 17.2.2: further request retransmissions are discarded'],
    ['trying', '1xx', 'proceeding', 'figure 8: 1xx from TU, send response'],
    ['trying', '200-699', 'completed', 'figure 8: 200-699 from TU, send response'],
    ['proceeding', 'request', 'proceeding', 'figure 8: Request, send response'],
    ['proceeding', '1xx', 'proceeding', 'figure 8: 1xx from TU, send response'],
    ['proceeding', '200-699', 'completed', 'figure 8: 200-699 from TU, send response'],
    ['proceeding', 'transport-error', 'terminated', 'figure 8: Transport Err., inform TU'],
    ['completed', 'request', 'completed', 'figure 8: Request, send response'],
    ['completed', 'timer-j', 'terminated', 'figure 8: Timer J fires'],
    ['completed', 'transport-error', 'terminated', 'figure 8: Transport Err., inform TU'],
  ],
});

function start(reliable = false) {
  const clock = new FakeClock();
  const harness = serverHarness(clock, 'BYE', reliable);
  const { context, keys, request, flow, send } = harness;
  const transaction = new NonInviteServerTransaction(context, keys, request, flow, send);
  return { clock, transaction, ...harness };
}

test('retransmissions: silence, then the last response again, until timer J', () => {
  const { clock, transaction, flow, request, response, ended } = start();
  transaction.receive(request);
  assert.equal(flow.packets.length, 0);
  transaction.respond(response(100));
  transaction.receive(request);
  transaction.respond(response(200));
  transaction.respond(response(500));
  transaction.receive(request);
  assert.deepEqual(
    flow.packets.map((text) => text.slice(8, 11)),
    ['100', '100', '200', '200'],
  );
  clock.advanceMs(31_999);
  assert.deepEqual(ended, []);
  clock.advanceMs(1);
  assert.deepEqual(ended, [transaction.key]);
  assert.equal(clock.pendingTimers, 0);
});

test('timer J is nothing on a reliable transport', () => {
  const { clock, transaction, response } = start(true);
  transaction.respond(response(200));
  clock.advanceMs(0);
  assert.equal(transaction.state, 'terminated');
});

test('a response that cannot be sent ends it', () => {
  const { clock, transaction, flow, response } = start();
  transaction.respond(response(200));
  flow.fail();
  assert.equal(transaction.state, 'terminated');
  assert.equal(clock.pendingTimers, 0);
});
