import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import type { SipRequest, SipResponse } from './message.ts';
import { parseMessage } from './parser.ts';
import { ProvisionalOrder, ReliableProvisionals, reliableTable } from './reliable-provisional.ts';
import { buildResponse } from './serializer.ts';
import { requestText } from './test-peers.ts';
import { receivedRequest } from './test-transactions.ts';
import { standardTimers } from './timers.ts';

throwOnUnlistedTransitions();

testTransitions('reliable-provisional', reliableTable, {
  states: ['clear', 'unacknowledged', 'closed'],
  events: ['send', 'prack', 'retransmit', 'give-up', 'final'],
  expected: [
    ['clear', 'send', 'unacknowledged', '3: "passed to the transaction layer periodically"'],
    ['clear', 'final', 'closed', '3: no reliable provisional response after a final one'],
    ['unacknowledged', 'prack', 'clear', '3: "it MUST cease retransmissions"'],
    ['unacknowledged', 'retransmit', 'unacknowledged', '3: T1, doubling'],
    ['unacknowledged', 'give-up', 'closed', '3: "64*T1 seconds ... SHOULD reject the original request"'],
    ['unacknowledged', 'final', 'closed', '3: "SHOULD NOT continue to retransmit"'],
    ['closed', 'prack', 'closed', '3: "MUST be prepared to process PRACK requests"'],
  ],
});

function start() {
  const clock = new FakeClock();
  const invite = receivedRequest('INVITE');
  const sent: string[] = [];
  let gaveUp = 0;
  const reliable = new ReliableProvisionals(
    { clock, timers: standardTimers, terminated: () => {} },
    invite.cseq.sequence,
    {
      transmit: ({ bytes }) => sent.push(bytes.toString()),
      gaveUp: () => gaveUp++,
    },
  );
  const send = (status: number, withSdp = false) =>
    reliable.send((headers) => buildResponse(invite, status, { toTag: 'us', headers }), withSdp);
  return { clock, reliable, sent, send, gaveUp: () => gaveUp };
}

function rseqOf(text: string | undefined): number {
  return Number(/^RSeq: (\d+)\r$/m.exec(text ?? '')?.[1]);
}

function prack(rack: string): SipRequest {
  const text = requestText('PRACK', 5060, { sequence: 2, toTag: 'us', extra: [`RAck: ${rack}`] });
  const result = parseMessage(Buffer.from(text));
  if (!result.ok || result.message.kind !== 'request') throw new Error('not a request');
  return result.message;
}

test('retransmitted at T1, doubling without a limit, until its PRACK', () => {
  const { clock, sent, send, reliable } = start();
  send(180);
  assert.match(sent[0] ?? '', /^Require: 100rel\r$/m);
  const rseq = rseqOf(sent[0]);
  assert.ok(rseq >= 1 && rseq <= 2 ** 31);
  const sentAtMs: number[] = [];
  for (let ms = 0; ms < 16_000; ms += 100) {
    if (sent.splice(0).length > 0) sentAtMs.push(ms);
    clock.advanceMs(100);
  }
  assert.deepEqual(sentAtMs, [0, 500, 1500, 3500, 7500, 15_500]);
  assert.equal(reliable.acknowledge(prack(`${rseq} 1 INVITE`)), true);
  assert.equal(clock.pendingTimers, 0);
});

test('64*T1 without a PRACK: given up, once', () => {
  const { clock, send, gaveUp } = start();
  send(180);
  clock.advanceMs(32_000);
  assert.equal(gaveUp(), 1);
  assert.equal(clock.pendingTimers, 0);
});

test('a PRACK of something else acknowledges nothing', () => {
  const { sent, send, reliable } = start();
  send(180);
  const rseq = rseqOf(sent[0]);
  for (const rack of [
    `${rseq + 1} 1 INVITE`,
    `${rseq} 2 INVITE`,
    `${rseq} 1 UPDATE`,
    `${rseq} 1`,
    '',
    'x y z',
  ])
    assert.equal(reliable.acknowledge(prack(rack)), false, rack);
  assert.equal(reliable.state, 'unacknowledged');
  assert.equal(reliable.acknowledge(prack(`${rseq} 1 INVITE`)), true);
  assert.equal(reliable.acknowledge(prack(`${rseq} 1 INVITE`)), false, "the second one is nobody's");
});

test('one at a time, each number one higher', () => {
  const { sent, send, reliable } = start();
  send(180);
  send(183, true);
  assert.equal(sent.length, 1);
  assert.equal(reliable.holdsAnswer, true);
  const first = rseqOf(sent[0]);
  reliable.acknowledge(prack(`${first} 1 INVITE`));
  assert.match(sent[1] ?? '', /^SIP\/2\.0 183 /);
  assert.equal(rseqOf(sent[1]), first + 1);
  reliable.acknowledge(prack(`${first + 1} 1 INVITE`));
  assert.equal(reliable.holdsAnswer, false);
});

test('after the final response: no retransmission, and a late PRACK is taken', () => {
  const { clock, sent, send, reliable } = start();
  send(180);
  const rseq = rseqOf(sent[0]);
  reliable.close();
  clock.advanceMs(60_000);
  assert.equal(sent.length, 1);
  assert.equal(reliable.acknowledge(prack(`${rseq} 1 INVITE`)), true);
  send(183);
  assert.equal(sent.length, 1);
});

function provisional(status: number, rseq: string | undefined, require = '100rel'): SipResponse {
  const headers = [{ name: 'Require', value: require }];
  if (rseq !== undefined) headers.push({ name: 'RSeq', value: rseq });
  const result = parseMessage(
    buildResponse(receivedRequest('INVITE'), status, { toTag: 't', headers }).bytes,
  );
  if (!result.ok || result.message.kind !== 'response') throw new Error('not a response');
  return result.message;
}

test('section 4: the first number counts, then only the next one', () => {
  const order = new ProvisionalOrder();
  assert.deepEqual(order.receive(provisional(180, '7')), { rack: '7 1 INVITE' });
  assert.equal(order.receive(provisional(180, '7')), 'drop');
  assert.equal(order.receive(provisional(183, '9')), 'drop');
  assert.deepEqual(order.receive(provisional(183, '8')), { rack: '8 1 INVITE' });
  assert.deepEqual(order.receive(provisional(183, '9')), { rack: '9 1 INVITE' });
});

test('what is not reliable is not acknowledged', () => {
  const order = new ProvisionalOrder();
  assert.equal(order.receive(provisional(180, '7', 'timer')), undefined);
  assert.equal(order.receive(provisional(180, undefined)), undefined);
  assert.equal(order.receive(provisional(180, 'seven')), undefined);
  assert.equal(order.receive(provisional(100, '7')), undefined);
  assert.equal(order.receive(provisional(200, '7')), undefined);
});
