import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Conference } from '../../call/conference.ts';
import type { Leg, LegHandlers } from '../../call/leg.ts';
import { FakeClock } from '../../clock.ts';
import type { ConferenceDtmf } from './action-parts.ts';
import { conferenceKeys } from './conference-keys.ts';

const conference = { members: [{ connectionId: 'me' }, { connectionId: 'ann' }, { connectionId: 'bob' }] };

function setUp(dtmf: Partial<ConferenceDtmf>) {
  const clock = new FakeClock();
  const handlers = new Set<LegHandlers>();
  const leg = {
    ...{ id: 'me', ended: false },
    addHandlers: (given: LegHandlers) => {
      handlers.add(given);
      return () => void handlers.delete(given);
    },
  } as unknown as Leg;
  const done: string[] = [];
  const observer = conferenceKeys({
    ...{ leg, clock, dtmf: { mode: 'ignore', maxDigits: 1, timeoutMs: 3000, ...dtmf } },
    press: (connectionId, digit) => done.push(`${digit} to ${connectionId}`),
    detected: (digits) => done.push(digits),
  });
  const room = conference as unknown as Conference;
  return {
    ...{ clock, done, observer },
    come: (who = leg) => observer?.came?.(room, who),
    go: () => observer?.went?.(room, leg),
    press: (keys: string) => {
      for (const key of keys) for (const { digit } of [...handlers]) digit?.(key, 'rtp');
    },
  };
}

it('ignore: nobody listens', () => {
  assert.equal(setUp({}).observer, undefined);
});

it('forward: to everybody else, as long as the party is there', () => {
  const { come, go, press, done } = setUp({ mode: 'forward' });
  press('1');
  come({ id: 'ann' } as Leg);
  press('2');
  come();
  press('3');
  go();
  press('4');
  assert.deepEqual(done, ['3 to ann', '3 to bob']);
});

it('detect: as many as are wanted, or as there were when no more came', () => {
  const { clock, come, press, done } = setUp({ mode: 'detect', maxDigits: 3, timeoutMs: 1000 });
  come();
  press('1234');
  assert.deepEqual(done, ['123']);
  clock.advanceMs(999);
  press('5');
  clock.advanceMs(999);
  assert.deepEqual(done, ['123']);
  clock.advanceMs(1);
  assert.deepEqual(done, ['123', '45']);
  clock.advanceMs(5000);
  assert.equal(done.length, 2);
});
