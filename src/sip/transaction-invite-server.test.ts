import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { receivedRequest, serverHarness } from './test-transactions.ts';
import { InviteServerTransaction, inviteServerTable } from './transaction-invite-server.ts';

throwOnUnlistedTransitions();

/** Copied from figure 7 of RFC 3261 as figure 5 of RFC 6026 changed it. */
testTransitions('invite-server', inviteServerTable, {
  states: ['proceeding', 'completed', 'confirmed', 'accepted', 'terminated'],
  events: [
    'invite',
    'ack',
    '1xx',
    '2xx',
    '300-699',
    'timer-g',
    'timer-h',
    'timer-i',
    'timer-l',
    'transport-error',
  ],
  expected: [
    ['proceeding', 'invite', 'proceeding', 'RFC 3261 figure 7: INVITE, send response'],
    ['proceeding', '1xx', 'proceeding', 'figure 7: 101-199 from TU, send response'],
    ['proceeding', '2xx', 'accepted', 'RFC 6026 figure 5: 2xx from TU, send response'],
    ['proceeding', '300-699', 'completed', 'figure 7: 300-699 from TU, send response'],
    ['proceeding', 'transport-error', 'proceeding', 'RFC 6026 figure 5: Transport Err., inform TU'],
    ['completed', 'invite', 'completed', 'figure 7: INVITE, send response'],
    ['completed', 'timer-g', 'completed', 'figure 7: Timer G fires, send response'],
    ['completed', 'timer-h', 'terminated', 'RFC 6026 figure 5: Timer H fires'],
    ['completed', 'ack', 'confirmed', 'figure 7: ACK'],
    ['completed', 'transport-error', 'completed', 'RFC 6026 figure 5: Transport Err., inform TU'],
    ['confirmed', 'ack', 'confirmed', '17.2.1: absorbs additional ACKs'],
    ['confirmed', 'timer-i', 'terminated', 'figure 7: Timer I fires'],
    ['accepted', 'invite', 'accepted', 'RFC 6026 figure 5: INVITE, absorbed'],
    ['accepted', 'ack', 'accepted', 'RFC 6026 figure 5: ACK to TU'],
    ['accepted', '2xx', 'accepted', 'RFC 6026 figure 5: 2xx from TU, send response'],
    ['accepted', 'transport-error', 'accepted', 'RFC 6026 figure 5: Transport Err., inform TU'],
    ['accepted', 'timer-l', 'terminated', 'RFC 6026 figure 5: Timer L fires'],
  ],
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
