import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import type { CallreelError } from '../errors.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import type { SipResponse } from './message.ts';
import { parseMessage } from './parser.ts';
import { buildResponse } from './serializer.ts';
import { type Modification, modificationTable, SessionModification } from './session-modification.ts';
import { receivedRequest } from './test-transactions.ts';

throwOnUnlistedTransitions();

testTransitions('session-modification', modificationTable, {
  states: ['idle', 'waiting', 'sent', 'backing-off', 'closed'],
  events: ['ask', 'clear', 'succeeded', 'glare', 'retry-after', 'refused', 'timer', 'close'],
  expected: [
    ['idle', 'ask', 'waiting', '3261 14.1: not "while another INVITE transaction is in progress"'],
    ['idle', 'close', 'closed', '3261 15'],
    ['waiting', 'clear', 'sent', '3261 14.1'],
    ['waiting', 'close', 'closed', '3261 15'],
    ['sent', 'succeeded', 'idle', '3261 14.1'],
    ['sent', 'refused', 'idle', '3261 14.1: "the session parameters MUST remain unchanged"'],
    ['sent', 'glare', 'backing-off', '3261 14.1: "receives a 491 ... SHOULD start a timer"'],
    ['sent', 'retry-after', 'backing-off', '3261 21.5.1'],
    ['sent', 'close', 'closed', '3261 12.2.1.2: 481 or 408 "SHOULD terminate the dialog"'],
    ['backing-off', 'timer', 'waiting', '3261 14.1: "SHOULD attempt the re-INVITE once more"'],
    ['backing-off', 'close', 'closed', '3261 15'],
  ],
});

function response(status: number, retryAfter?: string): SipResponse {
  const headers = retryAfter === undefined ? [] : [{ name: 'Retry-After', value: retryAfter }];
  const result = parseMessage(
    buildResponse(receivedRequest('INVITE'), status, { toTag: 't', headers }).bytes,
  );
  if (!result.ok || result.message.kind !== 'response') throw new Error('not a response');
  return result.message;
}

function start(ownsCallId = true) {
  const clock = new FakeClock();
  const sent: { modification: Modification; done: (response: SipResponse | undefined) => void }[] = [];
  const lost: number[] = [];
  const way = { clear: true };
  const modification: SessionModification = new SessionModification({
    clock,
    ownsCallId: () => ownsCallId,
    isClear: () => way.clear,
    send: (asked, done) => sent.push({ modification: asked, done }),
    lost: (status) => {
      lost.push(status);
      modification.close();
    },
  });
  const reinvite = (sdp: string) => modification.request({ method: 'INVITE', sdp });
  return { clock, sent, lost, way, modification, reinvite };
}

const refusedWith = (status: string) => (error: CallreelError) =>
  error.code === 'SIP_REFUSED' && error.where === status;

test('one after the other, in their order', async () => {
  const { sent, reinvite } = start();
  const first = reinvite('1');
  const second = reinvite('2');
  assert.equal(sent.length, 1);
  sent[0]?.done(response(200));
  assert.equal((await first).status, 200);
  assert.equal(sent[1]?.modification.sdp, '2');
  sent[1]?.done(response(488));
  await assert.rejects(second, refusedWith('488'));
});

test('waits until nothing is in the way', () => {
  const { sent, reinvite, way, modification } = start();
  way.clear = false;
  void reinvite('1').catch(() => {});
  modification.poke();
  assert.equal(sent.length, 0);
  way.clear = true;
  modification.poke();
  assert.equal(sent.length, 1);
  assert.equal(modification.inviting, true);
  modification.close();
});

for (const [ownsCallId, leastMs, mostMs] of [
  [true, 2100, 4000],
  [false, 0, 2000],
] as const)
  test(`section 14.1: after a 491, ${leastMs} to ${mostMs} ms`, async () => {
    const waitedMs = new Set<number>();
    for (let round = 0; round < 300; round++) {
      const { clock, sent, reinvite, modification } = start(ownsCallId);
      void reinvite('1').catch(() => {});
      sent[0]?.done(response(491));
      let ms = 0;
      clock.advanceMs(0);
      while (sent.length < 2 && ms < 10_000) {
        clock.advanceMs(10);
        ms += 10;
      }
      waitedMs.add(ms);
      modification.close();
    }
    assert.ok(Math.min(...waitedMs) >= leastMs);
    assert.ok(Math.max(...waitedMs) <= mostMs);
    assert.ok(waitedMs.size > 20, 'they are random');
  });

test('a 500 with Retry-After is tried again then; without it, or with a long one, it is believed', async () => {
  const { clock, sent, reinvite } = start();
  const asked = reinvite('1');
  sent[0]?.done(response(500, '7 (busy)'));
  clock.advanceMs(6999);
  assert.equal(sent.length, 1);
  clock.advanceMs(1);
  assert.equal(sent.length, 2);
  sent[1]?.done(response(500));
  await assert.rejects(asked, refusedWith('500'));
  const long = reinvite('2');
  sent[2]?.done(response(503, '3600'));
  await assert.rejects(long, refusedWith('503'));
});

test('a peer that always says 491 is believed in the end', async () => {
  const { clock, sent, reinvite } = start();
  const asked = reinvite('1');
  for (let tries = 1; tries < 7; tries++) {
    sent.at(-1)?.done(response(491));
    clock.advanceMs(4000);
  }
  await assert.rejects(asked, refusedWith('491'));
  assert.equal(sent.length, 6);
  assert.equal(clock.pendingTimers, 0);
});

/** RFC 5057 section 5.1 and RFC 3261 section 12.2.1.2. */
const ends = [404, 408, 410, 416, 481, 482, 483, 484, 485, 502, 604];
const goesOn = [
  400, 401, 403, 405, 406, 407, 415, 420, 422, 480, 486, 487, 488, 489, 494, 500, 501, 503, 600, 603, 606,
];

for (const status of ends)
  test(`a ${status} ends the dialog`, async () => {
    const { sent, reinvite, lost } = start();
    const asked = reinvite('1');
    sent[0]?.done(response(status));
    await assert.rejects(asked, refusedWith('481'));
    assert.deepEqual(lost, [status]);
  });

for (const status of goesOn)
  test(`a ${status} leaves the session as it was`, async () => {
    const { sent, reinvite, lost } = start();
    const asked = reinvite('1');
    sent[0]?.done(response(status));
    await assert.rejects(asked, refusedWith(String(status)));
    assert.deepEqual(lost, []);
  });

test('no answer at all ends the dialog as a 408 does', async () => {
  const { sent, reinvite, lost } = start();
  const asked = reinvite('1');
  sent[0]?.done(undefined);
  await assert.rejects(asked, refusedWith('481'));
  assert.deepEqual(lost, [408]);
});

test('what waits when the session ends is refused, and so is what comes later', async () => {
  const { sent, reinvite, modification, clock } = start();
  const first = reinvite('1');
  const second = reinvite('2');
  sent[0]?.done(response(491));
  modification.close();
  await assert.rejects(first, refusedWith('481'));
  await assert.rejects(second, refusedWith('481'));
  await assert.rejects(reinvite('3'), refusedWith('481'));
  assert.equal(clock.pendingTimers, 0);
});

test('no more than sixteen wait', async () => {
  const { reinvite, modification } = start();
  const asked = Array.from({ length: 16 }, (_, index) => reinvite(String(index)));
  await assert.rejects(reinvite('one more'), refusedWith('491'));
  modification.close();
  await Promise.allSettled(asked);
});
