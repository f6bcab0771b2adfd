import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SipRequest, SipResponse } from './message.ts';
import { parseMessage } from './parser.ts';
import { buildResponse } from './serializer.ts';
import {
  afterTooBrief,
  agreedTimer,
  answerTimer,
  readMinSe,
  readSessionExpires,
  standardSessionTimer,
  timerRequestHeaders,
} from './session-expires.ts';
import { requestText } from './test-peers.ts';

function request(...extra: string[]): SipRequest {
  const result = parseMessage(Buffer.from(requestText('INVITE', 5060, { extra })));
  if (!result.ok || result.message.kind !== 'request') throw new Error('not a request');
  return result.message;
}

function response(status: number, headers: Record<string, string>): SipResponse {
  const named = Object.entries(headers).map(([name, value]) => ({ name, value }));
  const result = parseMessage(buildResponse(request(), status, { toTag: 'them', headers: named }).bytes);
  if (!result.ok || result.message.kind !== 'response') throw new Error('not a response');
  return result.message;
}

for (const [value, seconds, refresher] of [
  ['1800', 1800, undefined],
  ['1800;refresher=uac', 1800, 'uac'],
  [' 90 ; Refresher = UAS ;x=1', 90, 'uas'],
  ['90;refresher=me', 90, undefined],
  ['4294967295', 86_400, undefined],
] as const)
  test(`Session-Expires: ${value}`, () => {
    assert.deepEqual(readSessionExpires(request(`x: ${value}`)), { seconds, refresher });
  });

test('what is no interval is none', () => {
  for (const value of ['', 'soon', '-1', '1.5', '99999999999', '90,refresher=uac'])
    assert.equal(readSessionExpires(request(`Session-Expires: ${value}`)), undefined, value);
  assert.equal(readMinSe(request('Min-SE: soon')), 0);
  assert.equal(readMinSe(request('Min-SE: 120;x=y')), 120);
});

/** RFC 4028 section 9, table 2 and the text around it. */
const rows: [asked: string[], expected: { seconds: number; refresher: string; requires: boolean }][] = [
  // The UAC knows no timers: we may run one, and only we can refresh.
  [[], { seconds: 1800, refresher: 'uas', requires: false }],
  [['Session-Expires: 600'], { seconds: 600, refresher: 'uas', requires: false }],
  // It does, and leaves the choice to us.
  [['Supported: timer'], { seconds: 1800, refresher: 'uac', requires: true }],
  [['Supported: timer', 'Session-Expires: 600'], { seconds: 600, refresher: 'uac', requires: true }],
  [['k: timer', 'x: 600;refresher=uac'], { seconds: 600, refresher: 'uac', requires: true }],
  [['k: timer', 'x: 600;refresher=uas'], { seconds: 600, refresher: 'uas', requires: false }],
  // We may make the interval shorter, never longer, and never shorter than Min-SE.
  [['Supported: timer', 'Session-Expires: 7200'], { seconds: 1800, refresher: 'uac', requires: true }],
  [
    ['Supported: timer', 'Session-Expires: 7200', 'Min-SE: 3600'],
    { seconds: 3600, refresher: 'uac', requires: true },
  ],
  // Too small, put there by a proxy: a UAC without timers could make nothing of a 422.
  [['Session-Expires: 10'], { seconds: 90, refresher: 'uas', requires: false }],
];

for (const [asked, { seconds, refresher, requires }] of rows)
  test(`answered: ${asked.join(', ') || 'nothing'}`, () => {
    const answer = answerTimer(request(...asked), standardSessionTimer, undefined);
    assert.ok(answer.status === undefined);
    assert.deepEqual(answer.headers, [
      { name: 'Session-Expires', value: `${seconds};refresher=${refresher}` },
      ...(requires ? [{ name: 'Require', value: 'timer' }] : []),
    ]);
    assert.equal(answer.agreed.weRefresh, refresher === 'uas');
    assert.equal(answer.agreed.seconds, seconds);
  });

test('a refresh that names nobody keeps the refresher', () => {
  const again = request('Supported: timer', 'Session-Expires: 600');
  const ours = answerTimer(again, standardSessionTimer, true);
  const theirs = answerTimer(again, standardSessionTimer, false);
  assert.equal(ours.status === undefined && ours.agreed.weRefresh, true);
  assert.equal(theirs.status === undefined && theirs.agreed.weRefresh, false);
});

test('section 9: too small an interval is refused with 422 and Min-SE', () => {
  assert.deepEqual(answerTimer(request('Supported: timer', 'x: 89'), standardSessionTimer, undefined), {
    status: 422,
    headers: [{ name: 'Min-SE', value: '90' }],
  });
});

test('section 7.1: what our INVITE asks for', () => {
  assert.deepEqual(timerRequestHeaders(standardSessionTimer), [
    { name: 'Session-Expires', value: '1800' },
    { name: 'Min-SE', value: '90' },
  ]);
  assert.deepEqual(timerRequestHeaders({ expiresSeconds: 60, minSeconds: 90 }, 'uas')[0], {
    name: 'Session-Expires',
    value: '90;refresher=uas',
  });
});

test('section 7.2: what the 2xx says', () => {
  const agreed = (headers: Record<string, string>) =>
    agreedTimer(response(200, headers), standardSessionTimer);
  assert.equal(agreed({}), undefined);
  assert.deepEqual(agreed({ 'Session-Expires': '600;refresher=uac' }), {
    seconds: 600,
    weRefresh: true,
    peerWatches: true,
  });
  assert.equal(agreed({ x: '600;refresher=uas' })?.weRefresh, false);
  assert.equal(agreed({ x: '600' })?.weRefresh, true, 'nobody named: somebody has to');
  assert.equal(agreed({ x: '1;refresher=uac' })?.seconds, 90, 'less than what we said is the least');
});

test('section 7.3: a 422 says what to try next', () => {
  assert.deepEqual(afterTooBrief(response(422, { 'Min-SE': '3600' }), standardSessionTimer), {
    minSeconds: 3600,
    expiresSeconds: 3600,
  });
  assert.deepEqual(afterTooBrief(response(422, { 'Min-SE': '120' }), standardSessionTimer), {
    minSeconds: 120,
    expiresSeconds: 1800,
  });
  assert.equal(afterTooBrief(response(422, { 'Min-SE': '90' }), standardSessionTimer), undefined);
  assert.equal(afterTooBrief(response(422, {}), standardSessionTimer), undefined);
  assert.equal(afterTooBrief(response(500, { 'Min-SE': '120' }), standardSessionTimer), undefined);
});
