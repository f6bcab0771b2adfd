import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { Leg } from '../../src/call/leg.ts';
import type { Recording } from '../../src/call/recording.ts';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { assertHeard, assertPlayed, speak, VerbStage } from './verb-stage.ts';

/** `record`, `start-recording` and `stop-recording`, each on a call of its own that is alone with us. */
const stage = await VerbStage.open();
after(() => stage[Symbol.asyncDispose]());

const listen = { options: { direction: 'listen' } } as const;
const saidOnly = { options: { direction: 'speak' } } as const;

suite('recordings of a script', { concurrency: 4 }, () => {
  test('start and stop lie exactly between two prompts', async () => {
    const { perform } = await stage.answeredCall();
    const [before, first, second, behind] = [1600, 1234, 1000, 1600].map((length) => stage.prompt(length));
    await perform({ verb: 'play', prompts: [before!.prompt] });
    const { recording } = await perform({ verb: 'start-recording', wishes: listen });
    await perform({ verb: 'play', prompts: [first!.prompt, second!.prompt] });
    const stopped = await perform({ verb: 'stop-recording' });
    assert.equal(stopped.recording, recording);
    await perform({ verb: 'play', prompts: [behind!.prompt] });
    const { state, reason } = await stage.body(recording);
    assert.deepEqual([state, reason], ['ended', 'stopped']);
    const samples = await stage.file(recording);
    for (const { sound } of [first!, second!]) assertHeard(samples, sound);
    for (const { sound } of [before!, behind!]) assertNoRun(samples, sound, { minSamples: 16 });
  });

  test('with a beep it begins behind that, and ahead of the next prompt', async () => {
    const { perform } = await stage.answeredCall();
    const { prompt, sound } = stage.prompt(1600);
    const wishes = { options: { ...listen.options, beep: true } };
    const { recording } = await perform({ verb: 'start-recording', wishes });
    assert.equal(recording.activity, 'recording');
    await perform({ verb: 'play', prompts: [prompt] });
    await perform({ verb: 'stop-recording' });
    assertPlayed(await stage.file(recording), sound);
  });

  test('the file is played the moment it was stopped, by no way over the network', async () => {
    // Nobody answers at the address of its links.
    await using elsewhere = await VerbStage.open({
      settings: { CALLREEL_HTTP_PUBLIC_URL: 'http://127.0.0.1:1/callreel' },
    });
    const { perform, phone } = await elsewhere.answeredCall();
    const { recording } = await perform({ verb: 'start-recording', wishes: saidOnly });
    const said = await speak(phone, 4000, 51);
    await perform({ verb: 'stop-recording' });
    const { url } = await elsewhere.body(recording);
    const before = phone.received().length;
    const played = await perform({ verb: 'play', prompts: [{ kind: 'url', url }] });
    assert.deepEqual(played, { outcome: 'finished' });
    await perform({ verb: 'sleep', durationMs: 100 });
    const file = await elsewhere.http.bytes(`/v1/recordings/${recording.recordingId}/download`);
    const samples = decodeWav(file).channels[0]!;
    assertExactRun(samples, said, { label: 'what was said' });
    // Decoded and encoded once more by the same law: nothing changes.
    assertPlayed(phone.received().subarray(before), said, 'what was played');
    const forged = url.replace(/signature=..../, 'signature=aaaa');
    const { error } = await perform({ verb: 'play', prompts: [{ kind: 'url', url: forged }] });
    assert.equal(error?.code, 'LINK_INVALID');
  });

  test('what goes on can not be played', async () => {
    const { perform } = await stage.answeredCall();
    const { recording } = await perform({ verb: 'start-recording', wishes: saidOnly });
    const { url } = await stage.body(recording);
    const { error } = await perform({ verb: 'play', prompts: [{ kind: 'url', url }] });
    assert.equal(error?.code, 'AUDIO_UNREACHABLE');
  });

  test('one is stopped by its name, else the last that was started', async () => {
    const { perform, leg } = await stage.answeredCall();
    const start = async (controlId: string) =>
      (await perform({ verb: 'start-recording', wishes: { controlId } })).recording;
    const [first, second, third] = [await start('first'), await start('second'), await start('third')];
    const { calls } = stage.scene.server.callreel;
    assert.deepEqual(calls.recordingsOfCall(leg.id), [first, second, third]);
    await assert.rejects(start('second'), { code: 'CONFLICT' });
    const stop = async (controlId?: string) =>
      (await perform({ verb: 'stop-recording', controlId })).recording;
    assert.equal(await stop('first'), first);
    assert.equal(await stop('first'), undefined);
    assert.equal(await stop(), third);
    assert.equal(await stop(), second);
    assert.equal(await stop(), undefined);
    assert.notEqual(await start('first'), first);
  });

  test('one that a key just ended is none to be stopped, and whole', async () => {
    const { perform, phone } = await stage.answeredCall();
    const wishes = { options: { ...saidOnly.options, terminators: '#' } };
    const { recording } = await perform({ verb: 'start-recording', wishes });
    const said = await speak(phone, 1600, 52);
    await phone.pressDigit('#');
    await perform({ verb: 'sleep', durationMs: 60 });
    assert.deepEqual(await perform({ verb: 'stop-recording' }), { recording: undefined });
    await recording.whenWritten;
    const { reason, digit } = await stage.body(recording);
    assert.deepEqual([reason, digit], ['terminator', '#']);
    assertExactRun(await stage.file(recording), said);
  });

  test('record waits until the recording has ended by itself and is written', async () => {
    const { perform, phone, leg } = await stage.answeredCall();
    const wishes = { options: { ...saidOnly.options, terminators: '#', maxLengthMs: 60_000 } };
    const recorded = perform({ verb: 'record', wishes });
    await running(leg);
    const said = await speak(phone, 4000, 53);
    await phone.pressDigit('#');
    const { recording, reason } = await recorded;
    assert.equal(reason, 'terminator');
    assert.equal((await stage.body(recording)).state, 'ended');
    assertExactRun(await stage.file(recording), said);
    const silence = { options: { ...saidOnly.options, initialTimeoutMs: 200 } };
    assert.equal((await perform({ verb: 'record', wishes: silence })).reason, 'no_input');
  });

  test('record: its signal ends the recording, the call goes on', async () => {
    const { perform, leg } = await stage.answeredCall();
    const given = new AbortController();
    const recorded = perform({ verb: 'record', wishes: {} }, given.signal);
    const recording = await running(leg);
    given.abort(new Error('enough'));
    await assert.rejects(recorded, /enough/);
    await recording.whenWritten;
    assert.ok(recording.endReason === 'stopped' || recording.endReason === 'no_media');
    assert.equal(leg.ended, false);
  });

  test('a recording that waits for consent holds up nothing', async () => {
    const { perform } = await stage.answeredCall();
    const wishes = { options: { consent: 'required', beep: true } } as const;
    const { recording } = await perform({ verb: 'start-recording', wishes });
    assert.equal(recording.activity, 'waiting');
    assert.equal((await perform({ verb: 'stop-recording' })).recording, recording);
  });

  test('a recording has both sides of a conversation of two', async () => {
    const { perform, phone, leg } = await stage.answeredCall();
    const answered = Promise.withResolvers<PhoneCall>();
    await stage.dialled('+4941', async (incoming) => answered.resolve(await incoming.answer()));
    const { recording } = await perform({ verb: 'start-recording', wishes: {} });
    const join = { policy: 'follow', eventCallback: undefined } as const;
    const target = { kind: 'phone', number: '+4941123456' } as const;
    const connected = perform({ verb: 'connect', groups: [[{ target }]], join });
    const called = await answered.promise;
    await stage.inConversation({ leg });
    const said = await speak(phone, 4000, 56);
    const heard = await speak(called, 4000, 57);
    await called.hangUp();
    assert.equal((await connected).endedBy, 'called');
    assert.equal((await perform({ verb: 'stop-recording' })).recording, recording);
    const samples = await stage.file(recording);
    for (const sound of [said, heard]) assertExactRun(samples, sound);
  });

  test('a recording goes on through a conference and ends with the call', async () => {
    const { perform, phone } = await stage.answeredCall();
    const other = await stage.answeredCall();
    const name = 'recorded by script';
    const options = { policy: 'follow', leaveKey: '*', eventCallback: undefined } as const;
    const theirs = assert.rejects(other.perform({ verb: 'join-conference', name, options }), {
      code: 'CALL_ENDED',
    });
    const { recording } = await perform({ verb: 'start-recording', wishes: {} });
    const stay = perform({ verb: 'join-conference', name, options });
    await stage.scene.participants(name, 2);
    const heard = await speak(other.phone, 4000, 54);
    const said = await speak(phone, 4000, 55);
    await phone.pressDigit('*');
    assert.deepEqual(await stay, { end: 'left' });
    const alone = stage.prompt(1600);
    await perform({ verb: 'play', prompts: [alone.prompt] });
    await phone.hangUp();
    await recording.whenWritten;
    assert.equal(recording.endReason, 'call_ended');
    const samples = await stage.file(recording);
    assertExactRun(samples, said);
    assertPlayed(samples, alone.sound);
    assertHeard(samples, heard);
    await other.phone.hangUp();
    await theirs;
  });
});

async function running(leg: Leg): Promise<Recording> {
  const { calls } = stage.scene.server.callreel;
  return await eventually('it records', () => {
    const [recording] = calls.recordingsOfCall(leg.id);
    return recording?.activity === 'recording' ? recording : undefined;
  });
}
