import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipEnd } from '../sip/session.ts';
import { type CallEndReason, callEndReason, isWayFailure, refusalFor } from './end-reason.ts';

const rejected = (status: number): SipEnd => ({ cause: 'rejected', status });
const cases: [end: SipEnd, reason: CallEndReason, triesNext: boolean][] = [
  [rejected(486), 'busy', false],
  [rejected(600), 'busy', false],
  [rejected(603), 'declined', false],
  [rejected(607), 'declined', false],
  [rejected(480), 'no-answer', false],
  [rejected(404), 'not-found', false],
  [rejected(604), 'not-found', false],
  [rejected(403), 'forbidden', false],
  [rejected(407), 'forbidden', false],
  [rejected(488), 'not-acceptable', false],
  [rejected(408), 'unreachable', true],
  [rejected(500), 'unreachable', true],
  [rejected(503), 'unreachable', true],
  [rejected(580), 'unreachable', true],
  [rejected(420), 'failed', false],
  [rejected(302), 'failed', false],
  [{ cause: 'timeout', status: 408 }, 'unreachable', true],
  [{ cause: 'error', status: 503 }, 'unreachable', true],
  [{ cause: 'cancelled', status: 487 }, 'cancelled', false],
  [{ cause: 'local', reason: 'no answer' }, 'no-answer', false],
  [{ cause: 'local', reason: 'no response' }, 'unreachable', true],
  [{ cause: 'local', reason: 'answered elsewhere' }, 'answered-elsewhere', false],
  [{ cause: 'local', reason: 'anything' }, 'failed', false],
];
for (const [end, reason, triesNext] of cases)
  test(`${end.cause} ${end.status ?? end.reason}: ${reason}${triesNext ? ', the next way is tried' : ''}`, () => {
    assert.equal(callEndReason(end, false), reason);
    assert.equal(isWayFailure(end), triesNext);
  });

test('an answered call', () => {
  assert.equal(callEndReason({ cause: 'remote' }, true), 'hung-up');
  assert.equal(callEndReason({ cause: 'local', reason: 'end of the routine' }, true), 'hung-up');
  assert.equal(callEndReason({ cause: 'local', reason: 'media lost' }, true), 'media-lost');
  assert.equal(callEndReason({ cause: 'timeout' }, true), 'failed');
});

test('what a caller is told that nobody answered', () => {
  const told = (['busy', 'declined', 'not-found', 'forbidden', 'unreachable'] as const).map(
    (reason) => refusalFor(reason).status,
  );
  assert.deepEqual(told, [486, 603, 404, 480, 480]);
});
