import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { DtmfDetector } from '../../src/audio/dtmf-detector.ts';
import { amplified } from '../../src/audio/gain.ts';
import { ringingCadence } from '../../src/audio/ringing-tone.ts';
import type { Prompt } from '../../src/script/verb.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun, findPayloadRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { isHeard, joined, lineCoded, VerbStage } from './verb-stage.ts';

/** Each verb on a call of its own. */
const stage = await VerbStage.open();
after(() => stage[Symbol.asyncDispose]());

const nothing = { kind: 'url', url: 'http://127.0.0.1:1/nothing.wav' } as const satisfies Prompt;

suite('verbs on real calls', { concurrency: 4 }, () => {
  test('answer: the call is answered, once, and ended at its longest duration', async () => {
    const { leg, perform, answered } = await stage.call();
    assert.equal(leg.answered, false);
    assert.deepEqual(await perform({ verb: 'answer', maxDurationMs: 300 }), { outcome: 'answered' });
    const phone = await answered;
    const endless = perform({ verb: 'sleep', durationMs: Number.POSITIVE_INFINITY });
    await assert.rejects(endless, { code: 'CALL_ENDED' });
    assert.equal((await phone.ended).cause, 'remote');
    await assert.rejects(perform({ verb: 'answer' }), { code: 'CALL_ENDED' });
  });

  test('play: prompts of every kind follow each other without a gap', async () => {
    const { perform, answered } = await stage.call();
    const [first, second] = [stage.prompt(1234), stage.prompt(2000)];
    const prompts: Prompt[] = [
      first.prompt,
      { kind: 'silence', durationMs: 130 },
      second.prompt,
      { kind: 'ring', durationMs: 400, country: 'gb' },
      first.prompt,
    ];
    const play = () => perform({ verb: 'play', prompts });
    assert.deepEqual(await play(), { outcome: 'finished' });
    const ring = lineCoded(ringingCadence('gb', 8000).subarray(0, 3200));
    const silence = lineCoded(new Int16Array(1040));
    const expected = joined(first.sound, silence, second.sound, ring, first.sound);
    const phone = await answered;
    await heardExactly(phone, expected, play);
  });

  test('play: more prompts than a worker takes at once, and text', async () => {
    const { perform, phone } = await stage.answeredCall();
    const parts = Array.from({ length: 40 }, () => stage.prompt(200));
    const prompts: Prompt[] = [...parts.map(({ prompt }) => prompt), { kind: 'text', text: 'Done.' }];
    const play = () => perform({ verb: 'play', prompts });
    assert.deepEqual(await play(), { outcome: 'finished' });
    await heardExactly(phone, joined(...parts.map(({ sound }) => sound)), play);
  });

  test('play: louder and softer', async () => {
    const { perform, phone } = await stage.answeredCall();
    const { prompt } = stage.prompt(1600);
    const play = () => perform({ verb: 'play', prompts: [prompt], volumeDb: -12 });
    await play();
    const softer = lineCoded(amplified(noise({ seed: seedOf(prompt), samples: 1600 }), -12));
    await heardExactly(phone, softer, play);
  });

  test('play: what can not be had is left out and reported', async () => {
    const { perform, phone } = await stage.answeredCall();
    const [before, behind] = [stage.prompt(800), stage.prompt(800)];
    const prompts = [before.prompt, nothing, behind.prompt];
    const { outcome, error } = await perform({ verb: 'play', prompts });
    assert.deepEqual([outcome, error?.code], ['failed', 'AUDIO_UNREACHABLE']);
    for (const { sound } of [before, behind]) await heard(phone, sound);
  });

  test('play: ahead of the answer', async () => {
    const { perform, answered, progress, leg } = await stage.call();
    const early = stage.prompt(1600);
    assert.equal((await perform({ verb: 'play', prompts: [early.prompt], early: true })).outcome, 'finished');
    assert.deepEqual([leg.answered, progress.includes(183)], [false, true]);
    await perform({ verb: 'answer' });
    await heard(await answered, early.sound);
  });

  test('play: is given up by its signal and by the end of the call', async () => {
    const { perform, phone } = await stage.answeredCall();
    const prompts: Prompt[] = [{ kind: 'ring', durationMs: Number.POSITIVE_INFINITY, country: 'us' }];
    const given = new AbortController();
    const played = perform({ verb: 'play', prompts }, given.signal);
    await eventually('the tone', () => phone.received().some((sample) => sample > 1000) || undefined);
    given.abort(new Error('enough'));
    await assert.rejects(played, /enough/);
    const next = stage.prompt(800);
    await perform({ verb: 'play', prompts: [next.prompt] });
    await heard(phone, next.sound);
    const again = perform({ verb: 'play', prompts });
    await phone.hangUp();
    await assert.rejects(again, { code: 'CALL_ENDED' });
  });

  test('collect: digits, a terminator, and who presses nothing', async () => {
    const { perform, phone } = await stage.answeredCall();
    const collect = { verb: 'collect', prompts: [], terminators: '#', digitTimeoutMs: 500 } as const;
    const patient = { ...collect, maxDigits: 3, initialTimeoutMs: 10_000 };
    const [complete] = await Promise.all([perform(patient), press(phone, '123')]);
    assert.deepEqual(complete, { digits: '123', ended: 'complete' });
    const [terminated] = await Promise.all([perform(patient), press(phone, '4#')]);
    assert.deepEqual(terminated, { digits: '4', ended: 'terminator', terminator: '#' });
    const [late] = await Promise.all([perform(patient), press(phone, '5')]);
    assert.deepEqual(late, { digits: '5', ended: 'timeout' });
    const silent = await perform({ ...patient, initialTimeoutMs: 50 });
    assert.deepEqual(silent, { digits: '', ended: 'no-input' });
  });

  test('collect: the first key ends the prompts', async () => {
    const { perform, phone } = await stage.answeredCall();
    const long = stage.prompt(80_000);
    const collected = perform({
      verb: 'collect',
      prompts: [long.prompt, { kind: 'silence', durationMs: 60_000 }],
      maxDigits: 1,
      terminators: '',
      initialTimeoutMs: 5000,
      digitTimeoutMs: 5000,
    });
    const beginning = long.sound.subarray(0, 800);
    await heard(phone, beginning);
    await press(phone, '7');
    assert.deepEqual(await collected, { digits: '7', ended: 'complete' });
    const after = stage.prompt(800);
    await perform({ verb: 'play', prompts: [after.prompt] });
    await heard(phone, after.sound);
    assertNoRun(phone.received(), long.sound.subarray(-8000));
  });

  test('send-digits: keys and pauses', async () => {
    const { perform, phone } = await stage.answeredCall();
    const digits = `1w2W#${'3'.repeat(20)}A`;
    assert.deepEqual(await perform({ verb: 'send-digits', digits }), { outcome: 'sent' });
    const keys = digits.replaceAll(/w/gi, '');
    await eventually('the keys', () => phone.receivedDigits === keys || undefined);
    await assert.rejects(perform({ verb: 'send-digits', digits: '1x' }), { code: 'REQUEST_INVALID' });
  });

  test('send-digits: in the audio, to a party that takes no telephone-events', async () => {
    const { perform, phone } = await stage.answeredCall({ telephoneEventPayloadType: null });
    assert.deepEqual(await perform({ verb: 'send-digits', digits: '12w#' }), { outcome: 'sent' });
    await eventually('the keys', () => keysIn(phone.received()) === '12#' || undefined);
  });

  test('sleep: for a while', async () => {
    const { perform } = await stage.answeredCall();
    assert.deepEqual(await perform({ verb: 'sleep', durationMs: 20 }), { outcome: 'over' });
  });

  for (const [reason, status] of [
    ['busy', 486],
    ['decline', 603],
  ] as const)
    test(`hang-up: ${reason} refuses with ${status}, and ends what was answered`, async () => {
      const unanswered = await stage.call();
      assert.deepEqual(await unanswered.perform({ verb: 'hang-up', reason }), {});
      await assert.rejects(unanswered.answered, new RegExp(`${status}`));
      const { perform, phone } = await stage.answeredCall();
      await perform({ verb: 'hang-up', reason });
      assert.equal((await phone.ended).cause, 'remote');
    });
});

function keysIn(samples: Int16Array): string {
  let keys = '';
  new DtmfDetector(8000, (digit) => (keys += digit)).push(samples);
  return keys;
}

/** Waits for what is on its way. A busy machine may have left out a packet. */
async function heard(phone: PhoneCall, sound: Int16Array): Promise<void> {
  await eventually('it is heard', () => isHeard(phone.received(), sound) || undefined);
}

/** Bit for bit, at the third time at the latest: a busy machine may leave out a packet. */
async function heardExactly(
  phone: PhoneCall,
  sound: Int16Array,
  again: () => Promise<unknown>,
): Promise<void> {
  for (let times = 1; times < 3; times++) {
    await eventually('the end of it', () => isHeard(phone.received(), sound.subarray(-800)) || undefined);
    if (findPayloadRun(phone.received(), sound) >= 0) return;
    await again();
  }
  await eventually('all of it', () => findPayloadRun(phone.received(), sound) >= 0 || undefined, 2000).catch(
    () => assertExactRun(phone.received(), sound),
  );
}

/** Of a prompt of the stage. */
function seedOf(prompt: Prompt): number {
  return prompt.kind === 'url' ? Number(new URL(prompt.url).pathname.split('/')[1]) : 0;
}

async function press(phone: PhoneCall, keys: string): Promise<void> {
  for (const key of keys) await phone.pressDigit(key);
}
