import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { receivedRequest, serverHarness } from './test-transactions.ts';
import {
  type InviteServerEvent,
  InviteServerTransaction,
  inviteServerTable,
} from './transaction-invite-server.ts';

throwOnUnlistedTransitions();

/** Written from figure 7 of RFC 3261 and figure 5 of RFC 6026, plus what arrives late. */
const expected: [state: string, event: InviteServerEvent, next: string][] = [
  ['proceeding', 'invite', 'proceeding'],
  ['proceeding', 'ack', 'proceeding'],
  ['proceeding', '1xx', 'proceeding'],
  ['proceeding', '2xx', 'accepted'],
  ['proceeding', '300-699', 'completed'],
  ['proceeding', 'transport-error', 'proceeding'],
  ['completed', 'invite', 'completed'],
  ['completed', 'ack', 'confirmed'],
  ['completed', 'timer-g', 'completed'],
  ['completed', 'timer-h', 'terminated'],
  ['completed', 'transport-error', 'completed'],
  ['confirmed', 'invite', 'confirmed'],
  ['confirmed', 'ack', 'confirmed'],
  ['confirmed', 'timer-i', 'terminated'],
  ['confirmed', 'transport-error', 'confirmed'],
  ['accepted', 'invite', 'accepted'],
  ['accepted', 'ack', 'accepted'],
  ['accepted', '2xx', 'accepted'],
  ['accepted', 'timer-l', 'terminated'],
  ['accepted', 'transport-error', 'accepted'],
];

test('the table lists the transitions of the RFCs and no others', () => {
  const listed = Object.entries(inviteServerTable).flatMap(([state, row]) =>
    Object.entries(row).map(([event, next]) => [state, event, next]),
  );
  assert.deepEqual(listed.sort(), [...expected].sort());
});

function start(reliable = false) {
  const clock = new FakeClock();
  const harness = serverHarness(clock, 'INVITE', reliable);
  const { context, keys, request, flow, send } = harness;
  const transaction = new InviteServerTransaction(context, keys, request, flow, send);
  return { clock, transaction, ...harness };
}

function statuses(packets: string[]): string[] {
  return packets.map((text) => text.slice(8, 11));
}

test('a retransmitted INVITE gets the last provisional response again', () => {
  const { transaction, flow, request, response } = start();
  transaction.receive(request);
  assert.deepEqual(flow.packets, []);
  transaction.respond(response(100));
  transaction.respond(response(180));
  transaction.receive(request);
  assert.deepEqual(statuses(flow.packets), ['100', '180', '180']);
});

test('timer G repeats a refusal at doubling intervals up to T2, timer H gives up', () => {
  const { clock, transaction, flow, response, ended } = start();
  transaction.respond(response(486));
  const sentAtMs: number[] = [];
  for (let ms = 0; ms < 32_000; ms += 100) {
    if (flow.packets.splice(0).length > 0) sentAtMs.push(ms);
    clock.advanceMs(100);
  }
  assert.deepEqual(sentAtMs, [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
  assert.equal(ended.length, 1);
  assert.equal(clock.pendingTimers, 0);
});

test('the ACK stops the repeats; timer I ends it after T4', () => {
  const { clock, transaction, flow, request, response } = start();
  transaction.respond(response(486));
  transaction.receive(request);
  assert.equal(flow.packets.length, 2);
  transaction.receive(receivedRequest('ACK'));
  transaction.receive(receivedRequest('ACK'));
  transaction.receive(request);
  clock.advanceMs(4_999);
  assert.equal(flow.packets.length, 2);
  assert.equal(transaction.state, 'confirmed');
  clock.advanceMs(1);
  assert.equal(transaction.state, 'terminated');
});

test('on a reliable transport: no timer G, no timer I', () => {
  const { clock, transaction, flow, response } = start(true);
  transaction.respond(response(486));
  clock.advanceMs(10_000);
  assert.equal(flow.packets.length, 1);
  transaction.receive(receivedRequest('ACK'));
  clock.advanceMs(0);
  assert.equal(transaction.state, 'terminated');
});

test('after a 2xx the session repeats, the machine absorbs until timer L', () => {
  const { clock, transaction, flow, request, response } = start();
  transaction.respond(response(200));
  transaction.receive(request);
  transaction.respond(response(486));
  transaction.receive(receivedRequest('ACK'));
  transaction.respond(response(200));
  assert.deepEqual(statuses(flow.packets), ['200', '200']);
  flow.fail();
  clock.advanceMs(31_999);
  assert.equal(transaction.state, 'accepted');
  clock.advanceMs(1);
  assert.equal(transaction.state, 'terminated');
  transaction.respond(response(200));
  assert.equal(flow.packets.length, 2);
  assert.equal(clock.pendingTimers, 0);
});
