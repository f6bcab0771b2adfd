import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertNoRun } from '../../src/testkit/sample-run.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { eventually } from './eventually.ts';
import { SinchStage } from './sinch-stage.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';
import { isHeard, speak } from './verb-stage.ts';

/** Conferences: both kinds of recordings, what those who wait hear, and what their keys do. */
const files = new TemporaryDataDir();
const stage = await SinchStage.open({
  settings: {
    CALLREEL_DELIVERY_FILE_DIRECTORIES: files.path,
    CALLREEL_SINCH_DEFAULT_DESTINATION: 'sdrive://',
  },
});
after(async () => {
  await stage[Symbol.asyncDispose]();
  files[Symbol.dispose]();
});

const [annHz, bobHz, joeHz] = partyTonesHz;

const answerFirst = [{ name: 'answer' }];
const say = (call: PhoneCall, frequencyHz: number, durationMs = 700) =>
  call.play(tone({ frequencyHz, durationMs }));
const joined = async (conferenceId: string, count: number) => {
  await stage.scene.participants(conferenceId, count);
};
const has = (samples: Int16Array, hz: number) => toneLevelDbov(samples, 8000, hz) > -45;

suite('recordings', { concurrency: 2 }, () => {
  test('a conference of three; the recorded party leaves, its file is there, the conference goes on', async () => {
    const folder = join(files.path, 'kinds');
    mkdirSync(folder);
    const conferenceId = 'weekly meeting';
    const to = (name: string) => ({ destinationUrl: `file://${folder}/${name}.wav`, format: 'wav' });
    const conf = (more: object = {}) => ({ name: 'connectConf', conferenceId, ...more });
    const ann = await stage.call({
      ice: { action: conf({ record: true, recordingOptions: to('conference') }) },
    });
    await joined(conferenceId, 1);
    const bob = await stage.call({
      ice: { instructions: [{ name: 'startRecording', options: to('call') }], action: conf() },
    });
    await joined(conferenceId, 2);
    const joe = await stage.call({
      ice: { action: conf({ record: true, recordingOptions: to('never') }) },
    });
    await joined(conferenceId, 3);
    await Promise.all([say(ann, annHz), say(bob, bobHz), say(joe, joeHz)]);
    const bobId = await stage.callIdOf(bob);
    await bob.hangUp();
    assert.deepEqual(await stage.told(bobId, 'notify', 'recording_finished'), {
      ...{ event: 'notify', callid: bobId, version: 1, type: 'recording_finished' },
    });
    const available = await stage.told(bobId, 'notify', 'recording_available');
    assert.equal(available.destination, `file://${folder}/call.wav`);
    assert.deepEqual(readdirSync(folder), ['call.wav']);
    assert.equal(stage.callbacks(conferenceId).length, 0, 'the conference goes on');
    const [running] = await stage.recordings(({ state }) => state === 'recording');
    assert.ok(running);
    const later = 500;
    await say(ann, annHz, later);
    await Promise.all([ann.hangUp(), joe.hangUp()]);
    await stage.told(conferenceId, 'notify', 'recording_finished');
    const told = await stage.told(conferenceId, 'notify', 'recording_available');
    assert.deepEqual(told, {
      ...{ event: 'notify', conferenceId, version: 1, type: 'recording_available' },
      destination: `file://${folder}/conference.wav`,
    });
    assert.deepEqual(readdirSync(folder).toSorted(), ['call.wav', 'conference.wav']);
    const [call, conference] = ['call', 'conference'].map(
      (name) => decodeWav(readFileSync(join(folder, `${name}.wav`))).channels[0]!,
    );
    for (const hz of [annHz, bobHz, joeHz])
      for (const samples of [call!, conference!]) assert.ok(has(samples, hz), `${hz} Hz is missing`);
    assert.ok(conference!.length >= call!.length + (later * 8000) / 1000);
    assert.deepEqual(
      stage.callbacks(bobId, 'notify').map(({ type }) => type),
      ['recording_finished', 'recording_available'],
    );
  });

  test('stopRecording leaves the recording of the conference alone', async () => {
    const conferenceId = 'stopped call';
    const options = { format: 'wav', notificationEvents: false };
    const call = await stage.call({
      ice: {
        instructions: [{ name: 'startRecording', options }],
        action: { name: 'connectConf', conferenceId, record: true, recordingOptions: { format: 'wav' } },
      },
    });
    await joined(conferenceId, 1);
    const callId = await stage.callIdOf(call);
    await stage.manage(callId, { instructions: [{ name: 'stopRecording' }] });
    const after = await speak(call, 4000, 71);
    const [samples] = await stage.recordingOf(callId);
    assertNoRun(samples!, after, { minSamples: 16 });
    await call.hangUp();
    await stage.told(conferenceId, 'notify', 'recording_finished');
    const { destination } = await stage.told(conferenceId, 'notify', 'recording_available');
    assert.match(String(destination), /^(?:https?|sdrive):\/\//);
    assert.equal(stage.callbacks(callId, 'notify').length, 0, 'it asked for no events');
  });
});

suite('who waits, and who presses keys', { concurrency: 4 }, () => {
  for (const moh of ['ring', 'music1', 'music2', 'music3'])
    test(`moh ${moh}: is heard until the second one comes`, async () => {
      const conferenceId = `wait with ${moh}`;
      const action = { name: 'connectConf', conferenceId, moh };
      const first = await stage.call({ ice: { action } });
      await eventually(
        'music',
        () => first.received().some((sample) => Math.abs(sample) > 1000) || undefined,
      );
      const second = await stage.call({ ice: { action } });
      await joined(conferenceId, 2);
      const said = await speak(second, 4000, 72);
      assert.ok(isHeard(first.received(), said), 'the second one is not heard alone');
    });

  test('forward: keys go to the others; ignore: to nobody', async () => {
    const conferenceId = 'keys go on';
    const action = (mode: string) => ({
      ...{ name: 'connectConf', conferenceId },
      conferenceDtmfOptions: { mode },
    });
    const ann = await stage.call({ ice: { action: action('forward') } });
    const bob = await stage.call({ ice: { action: action('ignore') } });
    await joined(conferenceId, 2);
    await bob.pressDigit('9');
    for (const key of '12') await ann.pressDigit(key);
    await eventually('the keys', () => bob.receivedDigits === '12' || undefined);
    assert.equal(ann.receivedDigits, '');
  });

  test('detect: PIE tells the keys, and its answer leads on', async () => {
    const conferenceId = 'keys are told';
    const conferenceDtmfOptions = { mode: 'detect', maxDigits: 3, timeoutMills: 400 };
    const told: unknown[] = [];
    const call = await stage.call({
      ice: {
        instructions: answerFirst,
        action: { name: 'connectConf', conferenceId, conferenceDtmfOptions },
      },
      pie: ({ menuResult }) => {
        told.push((menuResult as { value: string }).value);
        return told.length < 2 ? {} : { action: { name: 'hangup' } };
      },
    });
    await joined(conferenceId, 1);
    for (const key of '123') await call.pressDigit(key);
    await eventually('the first', () => told.length === 1 || undefined);
    await call.pressDigit('4');
    await call.ended;
    assert.deepEqual(told, ['123', '4']);
    const { menuResult } = await stage.told(await stage.callIdOf(call), 'pie');
    assert.deepEqual(menuResult, {
      ...{ menuId: 'conference', type: 'sequence', value: '123', inputMethod: 'dtmf' },
    });
  });
});
