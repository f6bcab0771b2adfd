import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { serverHarness } from './test-transactions.ts';
import {
  type NonInviteServerEvent,
  NonInviteServerTransaction,
  nonInviteServerTable,
} from './transaction-non-invite-server.ts';

throwOnUnlistedTransitions();

/** Written from figure 8 of RFC 3261. */
const expected: [state: string, event: NonInviteServerEvent, next: string][] = [
  ['trying', 'request', 'trying'],
  ['trying', '1xx', 'proceeding'],
  ['trying', '200-699', 'completed'],
  ['trying', 'transport-error', 'terminated'],
  ['proceeding', 'request', 'proceeding'],
  ['proceeding', '1xx', 'proceeding'],
  ['proceeding', '200-699', 'completed'],
  ['proceeding', 'transport-error', 'terminated'],
  ['completed', 'request', 'completed'],
  ['completed', 'timer-j', 'terminated'],
  ['completed', 'transport-error', 'terminated'],
];

test('the table lists the transitions of the RFC and no others', () => {
  const listed = Object.entries(nonInviteServerTable).flatMap(([state, row]) =>
    Object.entries(row).map(([event, next]) => [state, event, next]),
  );
  assert.deepEqual(listed.sort(), [...expected].sort());
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
