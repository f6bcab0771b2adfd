import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConferenceStart } from './conference-start.ts';
import type { Leg } from './leg.ts';

/** Only what is looked at. */
const legNamed = (id: string): Leg => ({ id, ended: false }) as Leg;

function music(): { whileWaiting(): { stop(): void }; plays: number } {
  const state = {
    plays: 0,
    whileWaiting() {
      state.plays++;
      return { stop: () => void state.plays-- };
    },
  };
  return state;
}

test('the doors open with the first who does not only wait, and stay so', () => {
  const start = new ConferenceStart();
  assert.equal(start.opens({ startOnEnter: false }), false);
  assert.equal(start.opens({}), true);
  assert.equal(start.opens({ startOnEnter: false }), true);
});

test('prompts end when two are there and the doors are open', () => {
  const start = new ConferenceStart();
  const heard = music();
  start.opens({ startOnEnter: false });
  start.hears(legNamed('ann'), heard);
  start.hears(legNamed('ann'), heard);
  start.counts(2);
  assert.equal(heard.plays, 1);
  start.opens({});
  start.counts(2);
  assert.equal(heard.plays, 0);
  start.hears(legNamed('bob'), heard);
  assert.equal(heard.plays, 0);
});

test('who leaves hears them no longer', () => {
  const start = new ConferenceStart();
  const heard = music();
  start.opens({});
  start.hears(legNamed('ann'), heard);
  start.left('ann');
  assert.equal(heard.plays, 0);
});
