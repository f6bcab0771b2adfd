import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../../clock.ts';
import type { Step } from '../../script/verb.ts';
import { type ConnectAction, cookiesOf, svamlSteps } from './steps.ts';
import { loadSvaml } from './svaml.ts';

const recordingOptions = { destinationUrl: 's3://bucket/', credentials: 'a:b:c', format: 'wav' };
const wishes = (kind: 'call' | 'conference') => ({
  format: 'wav',
  dialect: 'sinch',
  dialectData: { kind, notificationEvents: true },
});
const ended: Step = { verb: 'hang-up' };

function stepsOf(document: object): Step[] {
  const { svaml, problems } = loadSvaml(document);
  assert.ok(svaml, JSON.stringify(problems));
  return svamlSteps(svaml, {
    dialed: '+15558881188',
    clock: new FakeClock(),
    wishesOf: ({ format }, kind) => ({ ...wishes(kind), format }),
    askMenu: async () => undefined,
    musicOf: (name) => (name === 'ring' ? { kind: 'ring', durationMs: 6000, country: 'us' } : undefined),
    connecting: (action) => {
      connected.push(action);
      return { answered };
    },
    observerOf: () => undefined,
  });
}

const connected: ConnectAction[] = [];
const answered = async () => true;
const join = { policy: 'follow', eventCallback: undefined };

describe('SVAML as verbs', () => {
  it('in order, the recording behind what is said before it', () => {
    const steps = stepsOf({
      instructions: [
        { name: 'Say', text: "don't record this", locale: 'en-US' },
        { name: 'StartRecording', options: recordingOptions },
        { name: 'Say', text: 'record this' },
        { name: 'playFiles', ids: ['https://files.example/a.mp3', '#tts[Hi]'] },
        { name: 'sendDtmf', value: 'wW1#' },
        { name: 'StopRecording' },
      ],
      action: { name: 'hangup' },
    });
    assert.deepEqual(steps, [
      { verb: 'play', prompts: [{ kind: 'text', text: "don't record this", locale: 'en-US' }] },
      { verb: 'start-recording', wishes: wishes('call') },
      { verb: 'play', prompts: [{ kind: 'text', text: 'record this', locale: 'en-US' }] },
      {
        verb: 'play',
        prompts: [
          { kind: 'url', url: 'https://files.example/a.mp3' },
          { kind: 'text', text: 'Hi', locale: 'en-US' },
        ],
      },
      { verb: 'send-digits', digits: 'ww1#' },
      { verb: 'stop-recording' },
      ended,
    ]);
  });

  it('what starts and stops a recording of the call', () => {
    const start = { verb: 'start-recording', wishes: wishes('call') };
    const record = { record: true, recordingOptions };
    assert.deepEqual(stepsOf({ action: { name: 'Continue', ...record } }), [start]);
    assert.deepEqual(stepsOf({ action: { name: 'startRecording', recordingOptions } }), [start]);
    assert.deepEqual(stepsOf({ action: { name: 'stopRecording' } }), [{ verb: 'stop-recording' }]);
    assert.deepEqual(stepsOf({ action: { name: 'continue' } }), []);
    assert.deepEqual(stepsOf({ action: { name: 'park', ...record } })[0], start);
  });

  it('connectPstn: whom, as whom, for how long, with which tone', () => {
    const action = {
      ...{ name: 'connectPstn', number: '+1 (555) 123-4567', cli: '+1201', dialTimeout: 20 },
      ...{ maxDuration: 60, indications: 'uk', record: true, recordingOptions },
    };
    assert.deepEqual(stepsOf({ action }), [
      {
        verb: 'connect',
        groups: [[{ target: { kind: 'phone', number: '+15551234567' } }]],
        answerOnBridge: true,
        from: '+1201',
        timeoutMs: 20_000,
        maxDurationMs: 60_000,
        ringback: [{ kind: 'ring', durationMs: 6000, country: 'gb' }],
        answered,
        join,
      },
      ended,
    ]);
  });

  it('connectPstn and connectMxp: whom the caller called, unless somebody is named', () => {
    const groups = (action: object) => {
      const [step] = stepsOf({ action });
      assert.ok(step?.verb === 'connect');
      return step.groups;
    };
    assert.deepEqual(groups({ name: 'connectPstn' }), [
      [{ target: { kind: 'phone', number: '+15558881188' } }],
    ]);
    assert.deepEqual(groups({ name: 'connectMxp' }), [
      [{ target: { kind: 'client', name: '+15558881188' } }],
    ]);
    const destination = { type: 'Username', endpoint: 'alice' };
    assert.deepEqual(groups({ name: 'connectMxp', destination }), [
      [{ target: { kind: 'client', name: 'alice' } }],
    ]);
  });

  it('connectMxp is recorded by its flag, when somebody answered', () => {
    const [step] = stepsOf({ action: { name: 'connectMxp', record: true, recordingOptions } });
    assert.ok(step?.verb === 'connect');
    assert.deepEqual([step.join, step.answered], [join, answered]);
    assert.equal(connected.at(-1)?.record?.format, 'wav');
  });

  it('connectSip', () => {
    const destination = { type: 'sip', endpoint: 'alice@example.com' };
    const callHeaders = [{ key: 'order', value: '17' }];
    assert.deepEqual(
      stepsOf({ action: { name: 'connectSip', destination, transport: 'tls', callHeaders } }),
      [
        {
          verb: 'connect',
          groups: [[{ target: { kind: 'phone', number: 'sip:alice@example.com;transport=tls' } }]],
          answerOnBridge: true,
          headers: [{ name: 'X-order', value: '17' }],
          maxDurationMs: 14_400_000,
          answered,
          join,
        },
        ended,
      ],
    );
  });

  it('the flag records the conference, the instruction the call', () => {
    const steps = stepsOf({
      instructions: [{ name: 'startRecording', options: recordingOptions }],
      action: { name: 'connectConf', conferenceId: 'room', moh: 'ring', record: true, recordingOptions },
    });
    assert.deepEqual(steps, [
      { verb: 'start-recording', wishes: wishes('call') },
      {
        verb: 'join-conference',
        name: 'room',
        options: {
          policy: 'record',
          leaveKey: undefined,
          eventCallback: undefined,
          recording: wishes('conference'),
          waitPrompts: [{ kind: 'ring', durationMs: 6000, country: 'us' }],
        },
      },
      ended,
    ]);
    const [plain] = stepsOf({ action: { name: 'connectConf', conferenceId: 'room', moh: 'music1' } });
    assert.ok(plain?.verb === 'join-conference');
    assert.deepEqual(plain.options, { policy: 'follow', leaveKey: undefined, eventCallback: undefined });
  });

  it('cookies are no verbs', () => {
    const document = {
      instructions: [
        { name: 'setCookie', key: 'a', value: '1' },
        { name: 'setCookie', key: 'b', value: '2' },
        { name: 'setCookie', key: 'a', value: '3' },
      ],
    };
    assert.deepEqual(stepsOf(document), []);
    const { svaml } = loadSvaml(document);
    assert.deepEqual(
      [...cookiesOf(svaml!)],
      [
        ['a', '3'],
        ['b', '2'],
      ],
    );
  });
});
