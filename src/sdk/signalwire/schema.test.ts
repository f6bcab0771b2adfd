import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { swmlMistakes } from '../../../test/swml-schema.ts';
import { checkSwml } from '../../dialects/signalwire/swml-document.ts';
import { FunctionResult, type Step, say, silence, steps, swml } from '../signalwire.ts';

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: SWML's variables
const statusUrl = 'https://app.example/status';
const done = steps()
  .play([say('Thank\nyou'), silence(0.5)])
  .hangup();
const device = {
  to: 'sip:alice@example.com',
  from: '+15551112222',
  headers: [{ name: 'X-Account', value: '7' }],
  codecs: 'PCMU,OPUS',
  webrtcMedia: '${vars.webrtc}',
  sessionTimeout: 600,
  timeout: 20,
  username: 'u',
  password: 'p',
  encryption: 'optional',
  callStateUrl: statusUrl,
  callStateEvents: ['created', 'ended'],
} as const;
const recording = {
  stereo: '${vars.stereo}',
  format: 'mp4',
  terminators: '#*',
  beep: true,
  inputSensitivity: 60.5,
  initialTimeout: 10,
  endSilenceTimeout: 3,
  maxLength: '%{vars.max}',
  statusUrl,
} as const;

const documents = {
  'every method bare': swml()
    .answer()
    .play('say:Hello')
    .prompt({ play: 'say:Press one' })
    .record()
    .recordCall()
    .stopRecordCall()
    .connect('+15551234567')
    .joinConference('room')
    .sendDigits('1w2W*#')
    .sleep(-1)
    .request({ url: 'https://app.example/', method: 'GET' })
    .set({ someName: [1, { a: null }] })
    .unset('someName')
    .cond({ else: [] })
    .switch({ variable: 'prompt_value', case: {} })
    .label('again')
    .goto('again')
    .execute('menu')
    .transfer('menu')
    .userEvent({ some: 'event' })
    .hangup()
    .return()
    .section('menu', (menu) => menu.return(1)),
  'answer and hangup': swml()
    .answer({ maxDuration: '${vars.max}', codecs: 'PCMU', username: 'u', password: 'p' })
    .hangup({ reason: 'decline' }),
  'play and prompt': swml()
    .play({ url: '${vars.url}', autoAnswer: false, volume: -40, sayVoice: 'x', sayLanguage: 'en-US' })
    .play({
      urls: ['https://app.example/a.wav', 'ring:20.0:us', 'silence:2'],
      statusUrl,
      sayGender: 'female',
    })
    .play(['${record_call_url}', '%{vars.b}'])
    .prompt({
      play: ['say:Press one', 'silence:1'],
      volume: 10,
      maxDigits: 4,
      terminators: '#',
      digitTimeout: 2.5,
      initialTimeout: '${vars.wait}',
      speechTimeout: 5,
      speechEndTimeout: 1,
      speechLanguage: 'en-US',
      speechHints: ['yes', 'no'],
      speechEngine: 'x',
      sayVoice: 'x',
      statusUrl,
    }),
  recordings: swml()
    .record({ ...recording, direction: 'listen' })
    .recordCall({ ...recording, direction: 'speak', controlId: 'main-${call.call_id}' })
    .stopRecordCall({ controlId: 'main-${call.call_id}' }),
  'connect one': swml().connect({
    ...device,
    ringback: ['ring:us'],
    answerOnBridge: true,
    maxDuration: '${vars.max}',
    result: { variable: 'return_value', case: { connected: done }, default: done },
  }),
  'connect many': swml()
    .connect({
      serial: [device, { to: '+15551234567' }],
      from: '+15551112222',
      result: [{ when: 'true', then: done }],
    })
    .connect({
      parallel: [device],
      ringback: { url: 'say:Wait', volume: 3 },
    })
    .connect({ serialParallel: [[device, device], [{ to: 'sip:b@example.com' }]], timeout: 30 }),
  join_conference: swml().joinConference({
    name: 'room',
    muted: true,
    beep: 'onEnter',
    startOnEnter: false,
    endOnExit: true,
    waitUrl: 'https://app.example/wait',
    maxParticipants: 10,
    record: 'record-from-start',
    region: 'us',
    trim: 'do-not-trim',
    statusCallback: statusUrl,
    statusCallbackMethod: 'POST',
    statusCallbackEvent: 'join',
    recordingStatusCallback: statusUrl,
    recordingStatusCallbackMethod: 'GET',
    recordingStatusCallbackEvent: 'completed',
    result: { variable: 'return_value', case: { completed: done } },
  }),
  'ways through a document': swml()
    .cond({ when: 'vars.a == 1', then: done, else: done }, { else: done })
    .switch({ variable: 'a', case: { 1: done, two: [] }, default: done })
    .label('a')
    .goto({ label: 'a', when: 'vars.a < 3', max: 3 })
    .execute({
      dest: 'menu',
      params: { a: 1 },
      meta: { b: 2 },
      onReturn: done,
      result: { variable: 'a', case: { 1: done } },
    })
    .transfer({ dest: 'https://app.example/', params: { a: 1 }, meta: { b: 2 } })
    .sleep('${vars.pause}')
    .unset(['a', 'b'])
    .request({
      url: 'https://app.example/',
      method: 'POST',
      headers: { 'X-A': 'b' },
      body: { someName: '${vars.a}' },
      timeout: 2.5,
      connectTimeout: '${vars.t}',
      saveVariables: true,
    })
    .return([{ a: 1 }])
    .section('menu', [{ return: {} }]),
};
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: SWML's variables

describe('the server reads what the builders emit', () => {
  for (const [name, document] of Object.entries(documents))
    test(name, () => {
      const mistakes = checkSwml(JSON.stringify(document)).filter(({ severity }) => severity === 'error');
      assert.deepEqual(mistakes, []);
    });
});

describe("the vendor's schema accepts what the builders emit", () => {
  for (const [name, document] of Object.entries(documents))
    test(name, () => assert.deepEqual(swmlMistakes(JSON.parse(JSON.stringify(document))), []));

  test("a function's recording", () => {
    const [action] = new FunctionResult().recordCall(recording).toJSON().action ?? [];
    assert.deepEqual(swmlMistakes(JSON.parse(JSON.stringify(action)).SWML), []);
  });

  test('and refuses what is none of it', () => {
    const wrong: Step[] = [
      { record_call: { format: 'ogg' } },
      { record_call: { controlId: 'a' } },
      { nonsense: {} },
    ];
    for (const step of wrong) assert.notDeepEqual(swmlMistakes(swml().add(step).toJSON()), []);
  });
});
