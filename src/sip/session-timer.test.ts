import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { SessionTimer, sessionTimerTable } from './session-timer.ts';

throwOnUnlistedTransitions();

testTransitions('session-timer', sessionTimerTable, {
  states: ['off', 'ours', 'refreshing', 'theirs', 'expired'],
  events: ['agree-ours', 'agree-theirs', 'agree-none', 'half-time', 'not-refreshed', 'expire'],
  expected: [
    ['off', 'agree-ours', 'ours', '7.2: "If the refresher parameter is uac, the UAC has to refresh"'],
    ['off', 'agree-theirs', 'theirs', '7.2'],
    ['off', 'agree-none', 'off', '7.2: a 2xx without Session-Expires: there is no session expiration'],
    ['ours', 'agree-ours', 'ours', '7.4: "each session refresh request ... resets the session timer"'],
    ['ours', 'agree-theirs', 'theirs', '7.4: the role may change'],
    ['ours', 'agree-none', 'off', '7.4'],
    ['ours', 'half-time', 'refreshing', '10: refreshes "once half the session interval has elapsed"'],
    ['refreshing', 'agree-ours', 'ours', '7.4'],
    ['refreshing', 'agree-theirs', 'theirs', '7.4'],
    ['refreshing', 'agree-none', 'off', '7.4'],
    ['refreshing', 'not-refreshed', 'ours', '10: other failures do not end the session by themselves'],
    ['refreshing', 'expire', 'expired', '10: BYE'],
    ['theirs', 'agree-ours', 'ours', '7.4'],
    ['theirs', 'agree-theirs', 'theirs', '7.4'],
    ['theirs', 'agree-none', 'off', '7.4'],
    ['theirs', 'expire', 'expired', '10: "SHOULD send a BYE" before the session expires'],
  ],
});

function start(weRefresh: boolean, { seconds = 1800, peerWatches = true } = {}) {
  const clock = new FakeClock();
  const startMs = clock.monotonicUs() / 1000;
  const happened: [what: string, atSeconds: number][] = [];
  const note = (what: string) => happened.push([what, (clock.monotonicUs() / 1000 - startMs) / 1000]);
  const timer = new SessionTimer(clock, { refresh: () => note('refresh'), expired: () => note('expired') });
  const agreed = { seconds, weRefresh, peerWatches };
  timer.agree(agreed);
  return { clock, timer, happened, agreed };
}

test('section 10: the refresher refreshes at half the interval, again and again', () => {
  const { clock, timer, happened, agreed } = start(true);
  for (let round = 0; round < 4; round++) {
    clock.advanceMs(900_000);
    timer.agree(agreed);
  }
  assert.deepEqual(happened, [
    ['refresh', 900],
    ['refresh', 1800],
    ['refresh', 2700],
    ['refresh', 3600],
  ]);
});

test('section 10: the other side gives up min(32 s, a third) before the end', () => {
  for (const [seconds, atSeconds] of [
    [1800, 1768],
    [90, 60],
  ] as const) {
    const { clock, happened, timer } = start(false, { seconds });
    clock.advanceMs(seconds * 1000);
    assert.deepEqual(happened, [['expired', atSeconds]]);
    assert.equal(timer.state, 'expired');
    assert.equal(clock.pendingTimers, 0);
  }
});

test('a refresh that comes in time starts the interval again', () => {
  const { clock, happened, timer, agreed } = start(false);
  clock.advanceMs(1_767_000);
  timer.agree(agreed);
  clock.advanceMs(1_767_000);
  assert.deepEqual(happened, []);
});

test('a refresh that nobody answers ends the session; one that is refused is tried again', () => {
  const silent = start(true, { seconds: 90 });
  silent.clock.advanceMs(90_000);
  assert.deepEqual(silent.happened, [
    ['refresh', 45],
    ['expired', 60],
  ]);
  const refused = start(true, { seconds: 90 });
  refused.clock.advanceMs(45_000);
  refused.timer.notRefreshed();
  refused.clock.advanceMs(7500);
  refused.timer.notRefreshed();
  refused.clock.advanceMs(45_000);
  assert.deepEqual(refused.happened, [
    ['refresh', 45],
    ['refresh', 52.5],
    ['refresh', 56.25],
    ['expired', 60],
  ]);
});

test('a peer without timers shows by a refusal that it is there', () => {
  const { clock, happened, timer } = start(true, { seconds: 90, peerWatches: false });
  for (let round = 0; round < 3; round++) {
    clock.advanceMs(45_000);
    timer.notRefreshed();
  }
  assert.deepEqual(
    happened.map(([what]) => what),
    ['refresh', 'refresh', 'refresh'],
  );
});

test('no timer, and a stopped one, do nothing', () => {
  const { clock, happened, timer } = start(true);
  timer.agree(undefined);
  assert.equal(clock.pendingTimers, 0);
  timer.agree({ seconds: 90, weRefresh: false, peerWatches: true });
  timer.stop();
  clock.advanceMs(1_000_000);
  assert.deepEqual(happened, []);
});
