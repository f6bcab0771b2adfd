import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { cancellationTable, InviteCancellation } from './invite-cancellation.ts';
import { standardTimers } from './timers.ts';

throwOnUnlistedTransitions();

/** From sections 9.1 and 12.3 of RFC 3261. */
testTransitions('invite-cancellation', cancellationTable, {
  states: ['none', 'wanted', 'sent', 'over'],
  events: ['ask-early', 'ask', 'timer', 'stop'],
  expected: [
    [
      'none',
      'ask-early',
      'wanted',
      '9.1: "the CANCEL request MUST NOT be sent" before a provisional response',
    ],
    ['none', 'ask', 'sent', '9.1: "constructs" a CANCEL, which is a transaction of its own'],
    ['none', 'stop', 'over', '12.3: the final response is there, nothing is left to cancel'],
    ['wanted', 'ask-early', 'wanted', '9.1: "MUST wait for the arrival of a provisional response"'],
    ['wanted', 'ask', 'sent', '9.1: the provisional response has come'],
    ['wanted', 'stop', 'over', '12.3'],
    [
      'sent',
      'timer',
      'over',
      '9.1: no final response in 64*T1: "SHOULD then consider the original transaction cancelled"',
    ],
    ['sent', 'stop', 'over', '12.3'],
  ],
});

/** An INVITE that was sent, and what is done to it. */
function start() {
  const clock = new FakeClock();
  const done: string[] = [];
  const context = { clock, timers: standardTimers, terminated: () => undefined };
  const cancellation = new InviteCancellation(context, () => done.push('cancelled'));
  const request = {
    cancellable: false,
    cancel: () => void done.push('CANCEL'),
    terminate: () => void done.push('terminated'),
  };
  return { clock, done, cancellation, request };
}

test('waits for a provisional response, and is sent once, however often it is asked for', () => {
  const { done, cancellation, request } = start();
  cancellation.cancel(request);
  cancellation.cancel(request);
  assert.deepEqual([cancellation.wanted, done], [true, []]);
  request.cancellable = true;
  cancellation.cancel(request);
  cancellation.cancel(request);
  assert.deepEqual([cancellation.wanted, done], [false, ['CANCEL']]);
});

test('an INVITE without a final response counts as cancelled after 64*T1', () => {
  const { clock, done, cancellation, request } = start();
  request.cancellable = true;
  cancellation.cancel(request);
  clock.advanceMs(31_999);
  assert.deepEqual(done, ['CANCEL']);
  clock.advanceMs(1);
  assert.deepEqual(done, ['CANCEL', 'terminated', 'cancelled']);
  cancellation.stop();
});

test('one that was answered meanwhile is left alone', () => {
  const { clock, done, cancellation, request } = start();
  request.cancellable = true;
  cancellation.cancel(request);
  request.cancellable = false;
  clock.advanceMs(32_000);
  assert.deepEqual(done, ['CANCEL']);
});

test('nothing is cancelled any more once it is over', () => {
  const { clock, done, cancellation, request } = start();
  cancellation.cancel(request);
  cancellation.stop();
  cancellation.stop();
  request.cancellable = true;
  cancellation.cancel(request);
  clock.advanceMs(32_000);
  assert.deepEqual([cancellation.wanted, done], [false, []]);
});
