import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Voice } from '@sinch/voice';
import { readCallout } from './callouts.ts';
import { readConferenceCommand, readParticipantCommand } from './conference-commands.ts';
import { SinchError } from './errors.ts';
import { readRequest } from './request-body.ts';

const number = { type: 'number', endpoint: '+12017777777' };
const recordingOptions = { destinationUrl: 's3://bucket/', credentials: 'a:b:c' };
const called = {
  destination: { kind: 'phone', number: '+12017777777' },
  cli: undefined,
  dtmf: undefined,
  custom: undefined,
  maxDurationMs: 14_400_000,
  enableAce: false,
  enableDice: false,
  enablePie: false,
};

function callout(method: string, fields: object) {
  return readRequest({ method, [method]: fields }, (body) => readCallout(body)).request;
}

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof SinchError);
    return `${error.code} ${error.message}`;
  }
  return assert.fail('it was taken');
}

describe('callouts', () => {
  it('tts, as the client sent it', () => {
    const fields = { destination: number, cli: '+1201', text: 'hello', locale: 'en-US', enableAce: true };
    assert.deepEqual(callout('ttsCallout', fields), {
      ...called,
      method: 'ttsCallout',
      cli: '+1201',
      enableAce: true,
      prompts: [{ kind: 'text', text: 'hello', locale: 'en-US' }],
    });
    const prompts = '#tts[Hello];https://files.example/a.mp3';
    const spoken = callout('ttsCallout', { destination: number, prompts });
    assert.ok(spoken.method === 'ttsCallout');
    assert.equal(spoken.prompts.length, 2);
  });

  it('conference, with its recording', () => {
    const destination = { type: 'sip', endpoint: 'bob@127.0.0.1:5062' };
    const fields = { destination, conferenceId: 'room1', cli: '+1', record: true, recordingOptions };
    const read = callout('conferenceCallout', fields);
    assert.ok(read.method === 'conferenceCallout');
    assert.deepEqual(read.destination, { kind: 'phone', number: 'sip:bob@127.0.0.1:5062' });
    assert.equal(read.conferenceId, 'room1');
    assert.equal(read.record?.destination?.url, 's3://bucket/');
  });

  it('custom: answers as the client builds them, or URLs', () => {
    const { customCalloutHelper, iceActionHelper, iceInstructionHelper } = Voice;
    const ice = customCalloutHelper.formatIceResponse(
      iceActionHelper.connectPstn({ number: '+1' }),
      iceInstructionHelper.startRecording(recordingOptions),
    );
    const fields = { destination: number, ice, ace: 'https://app.example/ace' };
    const read = callout('customCallout', fields);
    assert.ok(read.method === 'customCallout' && read.ice?.kind === 'svaml');
    assert.equal(read.ice.svaml.action?.name, 'connectPstn');
    assert.equal(read.ice.svaml.instructions.length, 1);
    assert.deepEqual(read.ace, { kind: 'url', url: 'https://app.example/ace' });
    assert.equal(read.pie, undefined);
  });

  it("what is wrong is told in the vendor's codes", () => {
    assert.match(
      refusal(() => callout('otherCallout', {})),
      /^40001 method: /,
    );
    assert.match(
      refusal(() => readRequest({}, (body) => readCallout(body))),
      /^40002 method: "method" is missing/,
    );
    assert.match(
      refusal(() => callout('ttsCallout', { text: 'a' })),
      /^40002 ttsCallout\.destination/,
    );
    assert.match(
      refusal(() => callout('ttsCallout', { destination: number })),
      /^40002 ttsCallout\.text/,
    );
    const fax = { destination: { type: 'fax', endpoint: '1' }, text: 'a' };
    assert.match(
      refusal(() => callout('ttsCallout', fax)),
      /^40001 ttsCallout\.destination\.type/,
    );
    const ace = '{"action": {"name": "park"}}';
    assert.match(
      refusal(() => callout('customCallout', { destination: number, ace })),
      /^40003 customCallout\.ace: action\.name: park is not allowed in an answer to ACE/,
    );
    const custom = 'é'.repeat(513);
    assert.match(
      refusal(() => callout('ttsCallout', { destination: number, text: 'a', custom })),
      /1024 bytes/,
    );
    assert.match(
      refusal(() => readRequest([], () => 1)),
      /^40001 an object is expected/,
    );
  });
});

describe('conference commands', () => {
  it('of a participant', () => {
    for (const command of ['mute', 'unmute', 'onhold', 'resume'])
      assert.deepEqual(readRequest({ command, moh: 'music2' }, readParticipantCommand).request, {
        command,
        moh: 'music2',
      });
    assert.match(
      refusal(() => readRequest({ command: 'kick' }, readParticipantCommand)),
      /^40001 command/,
    );
    assert.match(
      refusal(() => readRequest(undefined, readParticipantCommand)),
      /^40002 command/,
    );
  });

  it('of the conference', () => {
    const read = (body: object) => readRequest(body, (fields) => readConferenceCommand(fields)).request;
    assert.deepEqual(read({ command: 'stopRecording' }), { command: 'stopRecording' });
    const started = read({ command: 'startRecording', recordingOptions });
    assert.ok(started.command === 'startRecording');
    assert.equal(started.options.format, 'mp3');
    assert.match(
      refusal(() => read({ command: 'startRecording' })),
      /^40002 recordingOptions\.destinationUrl/,
    );
  });
});
