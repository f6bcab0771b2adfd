import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { Leg } from '../../src/call/leg.ts';
import type { JoinConference } from '../../src/script/verb.ts';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { assertHeard, isHeard, speak, VerbStage } from './verb-stage.ts';

/** Parties of a conference that are muted or on hold. */
const stage = await VerbStage.open();
after(() => stage[Symbol.asyncDispose]());

type Options = Partial<JoinConference['options']>;

/** Ann and Bob in a conference that is recorded. */
async function both(name: string, options: Options = {}) {
  const [ann, bob] = await Promise.all([stage.answeredCall(), stage.answeredCall()]);
  const stays: Promise<unknown>[] = [];
  for (const [{ perform }, own] of [
    [ann, options],
    [bob, { policy: 'record' }],
  ] as const) {
    const stay = perform({
      verb: 'join-conference',
      name,
      options: { policy: 'follow', leaveKey: '*', eventCallback: undefined, ...own },
    });
    stay.catch(() => undefined);
    stays.push(stay);
    await stage.scene.participants(name, stays.length);
  }
  const conference = stage.scene.server.callreel.calls.conferenceOf(bob.leg.id)!;
  /** What was said to the worker has taken effect. */
  const settled = async () => void (await conference.worker.send({ verb: 'worker.stats' }));
  const recorded = async () => {
    await Promise.all([ann.phone.hangUp(), bob.phone.hangUp()]);
    await Promise.allSettled(stays);
    await conference.recordings[0]!.whenWritten;
    return await stage.file(conference.recordings[0]!);
  };
  return { ann, bob, conference, settled, recorded };
}

suite('Conference', { concurrency: 4 }, () => {
  test('mute: what a muted party says is heard by nobody and recorded nowhere; it hears', async () => {
    const { ann, bob, conference, settled, recorded } = await both('muted');
    const before = await speak(ann.phone, 4000, 11);
    assert.equal(conference.mute(ann.leg.id, true), true);
    await settled();
    const unheard = await speak(ann.phone, 4000, 12);
    const replied = await speak(bob.phone, 4000, 13);
    assert.equal(conference.mute(ann.leg.id, false), true);
    await settled();
    const again = await speak(ann.phone, 4000, 14);
    for (const said of [before, again])
      await eventually('it is heard', () => isHeard(bob.phone.received(), said) || undefined);
    assertNoRun(bob.phone.received(), unheard);
    assertHeard(ann.phone.received(), replied);
    const file = await recorded();
    for (const said of [before, replied, again]) assertExactRun(file, said);
    assertNoRun(file, unheard);
  });

  test('muted at the join: nothing of it is heard or recorded until it is let speak', async () => {
    const { ann, bob, conference, settled, recorded } = await both('joined-muted', { muted: true });
    assert.deepEqual(
      [conference.muteOf(ann.leg.id)?.muted, conference.muteOf(bob.leg.id)?.muted],
      [true, false],
    );
    const unheard = await speak(ann.phone, 4000, 21);
    conference.mute(ann.leg.id, false);
    await settled();
    const said = await speak(ann.phone, 4000, 22);
    await eventually('it is heard', () => isHeard(bob.phone.received(), said) || undefined);
    assertNoRun(bob.phone.received(), unheard);
    const file = await recorded();
    assertExactRun(file, said);
    assertNoRun(file, unheard);
  });

  test('hold: the party has its music, hears nobody, is heard by nobody, and comes back', async () => {
    const { ann, bob, conference, settled, recorded } = await both('held');
    const music = stage.prompt(1600);
    const prompts = [music.prompt];
    const play = (leg: Leg) => {
      const stopped = new AbortController();
      void stage.performer.perform(leg, { verb: 'play', prompts }, stopped.signal).catch(() => undefined);
      return { stop: () => stopped.abort() };
    };
    assert.equal(conference.hold(ann.leg.id, true, play), true);
    await settled();
    await eventually('the music', () => isHeard(ann.phone.received(), music.sound) || undefined);
    const unheard = await speak(ann.phone, 4000, 31);
    const missed = await speak(bob.phone, 4000, 32);
    // Muting does not end with the hold.
    conference.mute(ann.leg.id, true);
    conference.hold(ann.leg.id, false);
    await settled();
    const muted = await speak(ann.phone, 4000, 33);
    const replied = await speak(bob.phone, 4000, 34);
    conference.mute(ann.leg.id, false);
    await settled();
    const said = await speak(ann.phone, 4000, 35);
    await eventually('it is heard', () => isHeard(bob.phone.received(), said) || undefined);
    assertHeard(ann.phone.received(), replied);
    assertNoRun(ann.phone.received(), missed);
    for (const each of [unheard, muted]) assertNoRun(bob.phone.received(), each);
    const file = await recorded();
    for (const each of [missed, replied, said]) assertExactRun(file, each);
    for (const each of [unheard, muted, music.sound]) assertNoRun(file, each);
  });

  test('an observer is told of each change once, and of nobody who is not there', async () => {
    const told: unknown[] = [];
    const observer = {
      muted: (_: unknown, { id }: Leg, muted: boolean) => told.push([id, 'muted', muted]),
      held: (_: unknown, { id }: Leg, held: boolean) => told.push([id, 'held', held]),
    };
    const { ann, conference } = await both('observed', { observer });
    const { id } = ann.leg;
    for (const muted of [true, true, false]) conference.mute(id, muted);
    for (const held of [true, true, false]) conference.hold(id, held);
    assert.equal(conference.mute('nobody', true), false);
    assert.equal(conference.hold('nobody', true), false);
    assert.deepEqual(told, [
      [id, 'muted', true],
      [id, 'muted', false],
      [id, 'held', true],
      [id, 'held', false],
    ]);
  });
});
