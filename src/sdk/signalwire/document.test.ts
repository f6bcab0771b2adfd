import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import {
  answer,
  cond,
  connect,
  execute,
  goto,
  hangup,
  joinConference,
  label,
  play,
  prompt,
  record,
  recordCall,
  request,
  returnValue,
  type Step,
  sendDigits,
  set,
  sleep,
  steps,
  stopRecordCall,
  switchOn,
  swml,
  transfer,
  unset,
  userEvent,
} from '../signalwire.ts';

describe('the documents of the page "record_call"', () => {
  const page = (name: string): unknown =>
    parse(
      readFileSync(
        new URL(`../../../test/data/signalwire/record_call/${name}.yaml`, import.meta.url),
        'utf8',
      ),
    );

  test('an MP3 recording of the call', () => {
    assert.deepEqual(swml().recordCall({ format: 'mp3' }).toJSON(), page('start-mp3'));
  });

  for (const [name, options] of [
    ['record-and-play-back', { beep: true, terminators: '#' }],
    ['record-speaker', { beep: true, direction: 'speak' }],
  ] as const)
    test(name, () => {
      const document = swml()
        .recordCall(options)
        .play({ urls: ['say:Leave your message now', 'silence:10'] })
        .stopRecordCall()
        // biome-ignore lint/suspicious/noTemplateCurlyInString: SWML's variable
        .play({ urls: ['say:Playing back', '${record_call_url}'] });
      assert.deepEqual(JSON.parse(JSON.stringify(document)), page(name));
    });
});

describe('one call for each method, as a step and on a document', () => {
  const done: Step[] = [{ hangup: {} }];
  const calls: readonly [Step, Step][] = [
    [answer({ maxDuration: 60 }), { answer: { max_duration: 60 } }],
    [hangup({ reason: 'busy' }), { hangup: { reason: 'busy' } }],
    [play('say:Hello'), { play: { url: 'say:Hello' } }],
    [play(['say:Hello', 'ring:us']), { play: { urls: ['say:Hello', 'ring:us'] } }],
    [
      play({ url: 'https://a.example/b.wav', autoAnswer: false, sayVoice: 'x' }),
      { play: { url: 'https://a.example/b.wav', auto_answer: false, say_voice: 'x' } },
    ],
    [
      prompt({ play: 'say:Press one', maxDigits: 1, digitTimeout: 2.5 }),
      { prompt: { play: 'say:Press one', max_digits: 1, digit_timeout: 2.5 } },
    ],
    [record({ direction: 'speak', maxLength: 30 }), { record: { direction: 'speak', max_length: 30 } }],
    [
      recordCall({ controlId: 'main', stereo: true, format: 'wav' }),
      { record_call: { control_id: 'main', stereo: true, format: 'wav' } },
    ],
    [stopRecordCall('main'), { stop_record_call: { control_id: 'main' } }],
    [stopRecordCall({ controlId: 'main' }), { stop_record_call: { control_id: 'main' } }],
    [connect('+15551234567'), { connect: { to: '+15551234567' } }],
    [
      connect({
        serialParallel: [[{ to: 'sip:a@b', callStateUrl: 'https://a.example/' }], [{ to: '+1', timeout: 5 }]],
        answerOnBridge: true,
        headers: [{ name: 'X-A', value: 'b' }],
        result: { case: { connected: steps().hangup() }, default: done },
      }),
      {
        connect: {
          serial_parallel: [
            [{ to: 'sip:a@b', call_state_url: 'https://a.example/' }],
            [{ to: '+1', timeout: 5 }],
          ],
          answer_on_bridge: true,
          headers: [{ name: 'X-A', value: 'b' }],
          result: { case: { connected: done }, default: done },
        },
      },
    ],
    [
      connect({ serial: [{ to: 'a' }], ringback: { urls: ['ring:us'], sayVoice: 'x' } }),
      { connect: { serial: [{ to: 'a' }], ringback: { urls: ['ring:us'], say_voice: 'x' } } },
    ],
    [
      connect({ parallel: [{ to: 'a' }, { to: 'b' }] }),
      { connect: { parallel: [{ to: 'a' }, { to: 'b' }] } },
    ],
    [joinConference('room'), { join_conference: { name: 'room' } }],
    [
      joinConference({ name: 'room', record: 'record-from-start', result: [{ when: 'true', then: done }] }),
      {
        join_conference: {
          name: 'room',
          record: 'record-from-start',
          result: [{ when: 'true', then: done }],
        },
      },
    ],
    [sendDigits('1w2'), { send_digits: { digits: '1w2' } }],
    [sleep(500), { sleep: 500 }],
    [
      request({ url: 'https://a.example/', method: 'POST', body: { someName: 1 }, saveVariables: true }),
      { request: { url: 'https://a.example/', method: 'POST', body: { someName: 1 }, save_variables: true } },
    ],
    [set({ someName: 1 }), { set: { someName: 1 } }],
    [unset(['a', 'b']), { unset: ['a', 'b'] }],
    [
      cond({ when: 'vars.a == 1', then: steps().hangup(), else: [label('x')] }, { else: done }),
      { cond: [{ when: 'vars.a == 1', then: done, else: [{ label: 'x' }] }, { else: done }] },
    ],
    [
      switchOn({ variable: 'prompt_value', case: { 1: done }, default: steps().sleep(1) }),
      { switch: { variable: 'prompt_value', case: { 1: done }, default: [{ sleep: 1 }] } },
    ],
    [goto({ label: 'again', when: 'true', max: 3 }), { goto: { label: 'again', when: 'true', max: 3 } }],
    [label('again'), { label: 'again' }],
    [
      execute({ dest: 'menu', params: { someName: 1 }, onReturn: done }),
      { execute: { dest: 'menu', params: { someName: 1 }, on_return: done } },
    ],
    [returnValue(), { return: {} }],
    [returnValue(0), { return: 0 }],
    [transfer('https://a.example/swml'), { transfer: { dest: 'https://a.example/swml' } }],
    [userEvent({ someName: 1 }), { user_event: { event: { someName: 1 } } }],
  ];
  for (const [step, emitted] of calls)
    test(JSON.stringify(emitted), () => assert.deepEqual(JSON.parse(JSON.stringify(step)), emitted));

  test('a document has every method', () => {
    const emitted = swml()
      .answer()
      .hangup()
      .play('silence:1')
      .prompt({ play: 'say:x' })
      .record()
      .recordCall()
      .stopRecordCall()
      .connect('a')
      .joinConference('a')
      .sendDigits('1')
      .sleep(1)
      .request({ url: 'https://a.example/', method: 'GET' })
      .set({})
      .unset('a')
      .cond({ else: [] })
      .switch({ variable: 'a', case: {} })
      .goto('a')
      .label('a')
      .execute('a')
      .return()
      .transfer('a')
      .userEvent({})
      .toJSON().sections.main;
    const methods = new Set(calls.flatMap(([, step]) => Object.keys(step)));
    assert.deepEqual(new Set(emitted.flatMap((step) => Object.keys(step))), methods);
  });
});

describe('sections', () => {
  test('are lists, or what fills them; main comes first', () => {
    const document = swml()
      .section('goodbye', [play('say:Goodbye'), hangup()])
      .section('hello', (section) => section.play('say:Hello').return())
      .execute('hello')
      .transfer('goodbye');
    assert.deepEqual(Object.keys(document.toJSON().sections), ['main', 'goodbye', 'hello']);
    assert.deepEqual(document.toJSON().sections.hello, [{ play: { url: 'say:Hello' } }, { return: {} }]);
  });

  test('have one name each', () => {
    assert.throws(() => swml().section('main', []), TypeError);
    assert.throws(() => swml().section('a', []).section('a', []), TypeError);
  });

  test('a document that was emitted does not change behind its reader', () => {
    const document = swml().answer();
    const emitted = document.toJSON();
    document.hangup();
    assert.equal(emitted.sections.main.length, 1);
    assert.equal(document.toJSON().sections.main.length, 2);
  });
});

/** Read by the compiler alone: what is wrong does not compile. */
export function refused(): void {
  // @ts-expect-error: no such format
  recordCall({ format: 'ogg' });
  // @ts-expect-error: `record` knows no `both`
  record({ direction: 'both' });
  // @ts-expect-error: a misspelt name
  recordCall({ control_id: 'main' });
  // @ts-expect-error: neither a URL nor a scheme of SWML
  play('hello');
  // @ts-expect-error: either `url` or `urls`
  play({ url: 'say:a', urls: ['say:b'] });
  // @ts-expect-error: a connection goes somewhere
  connect({ timeout: 5 });
  // @ts-expect-error: to one, or to several
  connect({ to: 'a', parallel: [{ to: 'b' }] });
  // @ts-expect-error: a text is no number
  answer({ maxDuration: '60' });
  // @ts-expect-error: `then` is missing
  cond({ when: 'true' });
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable stands for a number or a truth value
  recordCall({ stereo: '${vars.stereo}', maxLength: '%{vars.max}' });
}
