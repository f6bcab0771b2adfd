import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { clientHarness, responseTo } from './test-transactions.ts';
import { InviteClientTransaction, inviteClientTable } from './transaction-invite-client.ts';

throwOnUnlistedTransitions();

/** Copied from figure 5 of RFC 3261 as figure 3 of RFC 6026 changed it. */
testTransitions('invite-client', inviteClientTable, {
  states: ['calling', 'proceeding', 'completed', 'accepted', 'terminated'],
  events: ['1xx', '2xx', '300-699', 'timer-a', 'timer-b', 'timer-d', 'timer-m', 'transport-error'],
  expected: [
    ['calling', 'timer-a', 'calling', 'RFC 3261 figure 5: Timer A fires, reset A, INVITE sent'],
    ['calling', 'timer-b', 'terminated', 'figure 5: Timer B fires or Transport Err., inform TU'],
    ['calling', 'transport-error', 'terminated', 'figure 5: Timer B fires or Transport Err., inform TU'],
    ['calling', '1xx', 'proceeding', 'figure 5: 1xx to TU'],
    ['calling', '2xx', 'accepted', 'RFC 6026 figure 3: 2xx to TU'],
    ['calling', '300-699', 'completed', 'figure 5: ACK sent, response to TU'],
    ['proceeding', '1xx', 'proceeding', 'figure 5: 1xx to TU'],
    ['proceeding', '2xx', 'accepted', 'RFC 6026 figure 3: 2xx to TU'],
    ['proceeding', '300-699', 'completed', 'figure 5: ACK sent, response to TU'],
    ['proceeding', 'transport-error', 'terminated', 'RFC 3261 17.1.4: a reported failure terminates'],
    ['completed', '300-699', 'completed', 'figure 5: ACK sent'],
    ['completed', 'timer-d', 'terminated', 'figure 5: Timer D fires'],
    ['completed', 'transport-error', 'terminated', 'figure 5: Transport Err., inform TU'],
    ['accepted', '2xx', 'accepted', 'RFC 6026 figure 3: 2xx to TU'],
    ['accepted', 'timer-m', 'terminated', 'RFC 6026 figure 3: Timer M fires'],
  ],
});

function start(reliable = false) {
  const clock = new FakeClock();
  const harness = clientHarness(clock, 'INVITE', reliable);
  const transaction = new InviteClientTransaction(harness.context, harness.sent, harness.user);
  transaction.start();
  return { clock, transaction, ...harness };
}

test('timer A doubles, timer B ends it after 64*T1', () => {
  const { clock, flow, heard, transaction } = start();
  const sentAtMs: number[] = [];
  for (let ms = 0; ms < 32_000; ms += 100) {
    if (flow.packets.splice(0).length > 0) sentAtMs.push(ms);
    clock.advanceMs(100);
  }
  assert.deepEqual(sentAtMs, [0, 500, 1500, 3500, 7500, 15_500, 31_500]);
  assert.deepEqual(heard, ['timeout']);
  assert.equal(transaction.state, 'terminated');
  assert.equal(clock.pendingTimers, 0);
});

test('no retransmission on a reliable transport', () => {
  const { clock, flow, heard } = start(true);
  clock.advanceMs(31_999);
  assert.equal(flow.packets.length, 1);
  clock.advanceMs(1);
  assert.deepEqual(heard, ['timeout']);
});

test('a provisional response stops timers A and B', () => {
  const { clock, flow, heard, transaction, sent } = start();
  transaction.receive(responseTo(sent, 180));
  clock.advanceMs(600_000);
  assert.equal(flow.packets.length, 1);
  assert.deepEqual(heard, [180]);
  assert.equal(clock.pendingTimers, 0);
});

test('a refusal is acknowledged each time it comes, told once, and kept for timer D', () => {
  const { clock, flow, heard, transaction, sent, ended } = start();
  transaction.receive(responseTo(sent, 486));
  transaction.receive(responseTo(sent, 486));
  transaction.receive(responseTo(sent, 180));
  assert.deepEqual(heard, [486]);
  assert.equal(flow.packets.length, 3);
  const ack = flow.packets[1] ?? '';
  assert.ok(ack.startsWith('ACK sip:callee@example.com SIP/2.0\r\n'));
  assert.ok(ack.includes(`Via: ${sent.via}\r\n`));
  assert.match(ack, /^CSeq: 7 ACK\r$/m);
  assert.match(ack, /^To: <sip:callee@example\.com>;tag=peer\r$/m);
  assert.match(ack, /^Route: <sip:proxy\.example\.com;lr>\r$/m);
  assert.doesNotMatch(ack, /Subject|Contact/);
  clock.advanceMs(31_999);
  assert.deepEqual(ended, []);
  clock.advanceMs(1);
  assert.deepEqual(ended, [transaction.key]);
});

test('timer D is nothing on a reliable transport', () => {
  const { clock, transaction, sent } = start(true);
  transaction.receive(responseTo(sent, 603));
  clock.advanceMs(0);
  assert.equal(transaction.state, 'terminated');
});

test('every 2xx is handed on until timer M', () => {
  const { clock, flow, heard, transaction, sent } = start();
  transaction.receive(responseTo(sent, 200));
  transaction.receive(responseTo(sent, 200));
  transaction.receive(responseTo(sent, 486));
  assert.deepEqual(heard, [200, 200]);
  assert.equal(flow.packets.length, 1);
  clock.advanceMs(32_000);
  assert.equal(transaction.state, 'terminated');
  assert.equal(clock.pendingTimers, 0);
});

test('a transport error before the answer is told, later ones are not', () => {
  const early = start();
  early.flow.fail();
  assert.deepEqual(early.heard, ['transport']);
  assert.equal(early.transaction.state, 'terminated');
  const late = start();
  late.transaction.receive(responseTo(late.sent, 200));
  late.flow.fail();
  assert.deepEqual(late.heard, [200]);
});
