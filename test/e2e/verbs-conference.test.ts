import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { Leg } from '../../src/call/leg.ts';
import type { JoinConference } from '../../src/script/verb.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun, findPayloadRun } from '../../src/testkit/sample-run.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { eventually } from './eventually.ts';
import { isHeard, type Performance, rateHz, speak, VerbStage } from './verb-stage.ts';

/** `join-conference` and its options, each in a conference of its own. */
const stage = await VerbStage.open();
after(() => stage[Symbol.asyncDispose]());

const beepHz = 850;
const follow = { policy: 'follow', leaveKey: '*', eventCallback: undefined } as const;

function join(name: string, options: Partial<JoinConference['options']> = {}): JoinConference {
  return { verb: 'join-conference', name, options: { ...follow, ...options } };
}

async function heard(phone: PhoneCall, sound: Int16Array): Promise<void> {
  await eventually('it is heard', () => findPayloadRun(phone.received(), sound) >= 0 || undefined);
}

/** A jitter buffer may have changed something of it. */
async function heardMixed(phone: PhoneCall, sound: Int16Array): Promise<void> {
  await eventually('it is heard', () => isHeard(phone.received(), sound) || undefined);
}

function beepAt(phone: PhoneCall, from = 0): number {
  const samples = phone.received();
  for (let at = from; at + 800 <= samples.length; at += 160)
    if (toneLevelDbov(samples.subarray(at, at + 800), rateHz, beepHz) > -30) return at;
  return -1;
}

/** Two who are in it, and their stays. */
async function both(name: string, options: Partial<JoinConference['options']> = {}) {
  const [ann, bob] = await Promise.all([stage.answeredCall(), stage.answeredCall()]);
  const stays = [ann.perform(join(name, options)), bob.perform(join(name))] as const;
  for (const stay of stays) stay.catch(() => undefined);
  await stage.scene.participants(name, 2);
  return { ann, bob, stays };
}

suite('join-conference', { concurrency: 4 }, () => {
  test('who leaves by the key goes on; the signal takes out', async () => {
    const { ann, stays, bob } = await both('leaving');
    await ann.phone.pressDigit('*');
    assert.deepEqual(await stays[0], { end: 'left' });
    const next = stage.prompt(1600);
    await ann.perform({ verb: 'play', prompts: [next.prompt] });
    await heard(ann.phone, next.sound);
    const given = new AbortController();
    const again = ann.perform(join('leaving'), given.signal);
    await stage.scene.participants('leaving', 2);
    given.abort(new Error('enough'));
    await assert.rejects(again, /enough/);
    await stage.scene.participants('leaving', 1);
    assert.equal(bob.leg.ended, false);
  });

  test('who only waits hears its prompts and nobody, until somebody comes who does not', async () => {
    const music = stage.prompt(1600);
    const name = 'beginning';
    const waiting = { startOnEnter: false, waitPrompts: [music.prompt] };
    const [ann, bob, eve] = await Promise.all([0, 1, 2].map(() => stage.answeredCall()));
    const stays = [ann!, bob!].map(({ perform }) => perform(join(name, waiting)));
    await stage.scene.participants(name, 2);
    await Promise.all([ann!, bob!].map(({ phone }) => heard(phone, music.sound)));
    const unheard = await speak(ann!.phone, 4000, 71);
    stays.push(eve!.perform(join(name)));
    await stage.scene.participants(name, 3);
    // What was on its way when it began.
    await ann!.perform({ verb: 'sleep', durationMs: 300 });
    const said = await speak(ann!.phone, 4000, 72);
    for (const { phone } of [bob!, eve!]) {
      await heardMixed(phone, said);
      assertNoRun(phone.received(), unheard);
    }
    await Promise.all([ann!, bob!, eve!].map(({ phone }) => phone.hangUp()));
    for (const stay of stays) await assert.rejects(stay, { code: 'CALL_ENDED' });
  });

  test('who only waits may leave', async () => {
    const { perform, phone } = await stage.answeredCall();
    const stay = perform(join('never', { startOnEnter: false }));
    await stage.scene.participants('never', 1);
    await phone.pressDigit('*');
    assert.deepEqual(await stay, { end: 'left' });
  });

  test('who is alone hears its prompts until the second comes, and is heard by the recording meanwhile', async () => {
    const music = stage.prompt(1600);
    const ann = await stage.answeredCall();
    const name = 'alone';
    const stay = ann.perform(join(name, { policy: 'record', waitPrompts: [music.prompt] }));
    await heard(ann.phone, music.sound);
    const said = await speak(ann.phone, 4000, 73);
    const bob = await stage.answeredCall();
    const theirs = bob.perform(join(name));
    await stage.scene.participants(name, 2);
    await ann.perform({ verb: 'sleep', durationMs: 200 });
    const from = ann.phone.received().length;
    const replied = await speak(bob.phone, 4000, 74);
    await heardMixed(ann.phone, replied);
    assertNoRun(ann.phone.received().subarray(from), music.sound);
    const [recording] = stage.scene.server.callreel.calls.conferenceOf(ann.leg.id)!.recordings;
    await Promise.all([ann.phone.hangUp(), bob.phone.hangUp()]);
    for (const each of [stay, theirs]) await assert.rejects(each, { code: 'CALL_ENDED' });
    await recording!.whenWritten;
    const samples = await stage.file(recording!);
    for (const sound of [said, replied]) assertExactRun(samples, sound);
  });

  test('the recording is made as the party asks', async () => {
    const recordingOptions = { controlId: 'conference', clientState: 'asked', options: { maxLengthMs: 200 } };
    const { ann } = await both('recorded', { policy: 'record', recording: recordingOptions });
    const [recording] = stage.scene.server.callreel.calls.conferenceOf(ann.leg.id)!.recordings;
    await recording!.whenWritten;
    assert.deepEqual(
      [recording!.wishes.controlId, recording!.clientState, recording!.rateHz],
      ['conference', 'asked', rateHz],
    );
  });

  test('everybody leaves with the one that ends it, and goes on', async () => {
    const { ann, bob, stays } = await both('ending', { endOnExit: true });
    await ann.phone.hangUp();
    await assert.rejects(stays[0], { code: 'CALL_ENDED' });
    assert.deepEqual(await stays[1], { end: 'closed' });
    const next = stage.prompt(1600);
    await bob.perform({ verb: 'play', prompts: [next.prompt] });
    await heard(bob.phone, next.sound);
  });

  test('an observer is told who comes and goes, and when it begins and ends', async () => {
    const told: string[] = [];
    const names = new Map<string, string>();
    const observer = {
      came: (_: unknown, { id }: Leg) => told.push(`${names.get(id)} came`),
      begun: () => told.push('begun'),
      went: (_: unknown, { id }: Leg) => told.push(`${names.get(id)} went`),
      ended: () => told.push('ended'),
    };
    const [ann, bob] = [await stage.answeredCall(), await stage.answeredCall()];
    names.set(ann.leg.id, 'ann').set(bob.leg.id, 'bob');
    const stays = [];
    for (const { perform } of [ann, bob]) {
      stays.push(perform(join('observed', { observer })));
      await stage.scene.participants('observed', stays.length);
    }
    for (const [n, { phone }] of [ann, bob].entries()) {
      await phone.pressDigit('*');
      await stays[n];
    }
    assert.deepEqual(told, ['ann came', 'bob came', 'begun', 'ann went', 'bob went', 'ended']);
  });

  test('no more than its most are let in', async () => {
    await both('full');
    const eve = await stage.answeredCall();
    await assert.rejects(eve.perform(join('full', { maxParticipants: 2 })), { code: 'CONFERENCE_FULL' });
    assert.equal(eve.leg.ended, false);
    const stay = eve.perform(join('full', { maxParticipants: 3 }));
    stay.catch(() => undefined);
    await stage.scene.participants('full', 3);
  });

  test('a tone tells who comes and who goes', async () => {
    const { ann, bob } = await both('tones');
    assert.equal(beepAt(bob.phone), -1);
    const eve = await stage.answeredCall();
    const stay = eve.perform(join('tones', { beep: 'both' }));
    const everybody: (Performance & { phone: PhoneCall })[] = [ann, bob, eve];
    for (const { phone } of everybody)
      await eventually('the tone at its coming', () => beepAt(phone) >= 0 || undefined);
    await ann.perform({ verb: 'sleep', durationMs: 300 });
    const from = bob.phone.received().length;
    await eve.phone.pressDigit('*');
    assert.deepEqual(await stay, { end: 'left' });
    await eventually('the tone at its going', () => beepAt(bob.phone, from) >= 0 || undefined);
  });
});
