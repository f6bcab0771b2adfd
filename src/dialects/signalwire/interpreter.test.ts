// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
// biome-ignore-all lint/suspicious/noThenProperty: conditions of SWML have it
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallreelError } from '../../errors.ts';
import { runSwml, TestHost } from './test-host.ts';

const say = (text: string) => ({ play: { url: `say:${text}` } });

describe('a script', () => {
  it('W29: the end of main hangs up', async () => {
    const { host, end } = await runSwml(
      'version: 1.0.0\nsections:\n  main:\n    - record_call:\n        format: mp3\n',
    );
    assert.deepEqual(
      host.verbs.map(({ verb }) => verb),
      ['start-recording', 'hang-up'],
    );
    assert.deepEqual(end, { reason: 'finished' });
    const { host: stays } = await runSwml([say('x')], { options: { hangUpAtEnd: false } });
    assert.equal(stays.done('hang-up').length, 0);
  });

  it("W30: the vendor's second example", async () => {
    const { host } = await runSwml([
      { record_call: { beep: true, terminators: '#' } },
      { play: { urls: ['say:Leave your message now', 'silence:10'] } },
      { stop_record_call: {} },
      { play: { urls: ['say:Playing back', '${record_call_url}'] } },
    ]);
    assert.deepEqual(
      host.verbs.map(({ verb }) => verb),
      ['start-recording', 'play', 'stop-recording', 'play', 'hang-up'],
    );
  });

  it('ends with its call, whatever it waits for', async () => {
    for (const step of [
      { sleep: -1 },
      { request: { url: 'https://a.example', method: 'GET' } },
      { execute: 'https://a.example' },
      { play: 'say:x' },
    ]) {
      const host = new TestHost();
      const wait = (): Promise<never> => {
        queueMicrotask(() => host.hangUp.abort(new CallreelError('CONFLICT', 'the call ended')));
        return new Promise(() => {});
      };
      host.answers.sleep = wait;
      host.answers.play = wait;
      host.request = wait;
      host.fetchDocument = wait;
      const { end } = await runSwml([step, say('never')], { host });
      assert.deepEqual(end, { reason: 'call-ended' });
      assert.ok(!host.heard.includes('never'));
      assert.equal(host.done('hang-up').length, 0);
      assert.deepEqual(host.warnings, []);
    }
  });

  it('begins nothing of a document that is wrong, and says all that is', async () => {
    const { host, end, vars } = await runSwml(
      'sections:\n  main:\n    - answer: {}\n    - play: {url: "say:x", volume: 99}\n    - ai: {}\n',
    );
    assert.deepEqual(host.verbs, []);
    assert.deepEqual(end, {
      reason: 'failed',
      error: {
        code: 'relay_script_method_parameter_invalid_value',
        message: 'a number from -40 to 40 is expected, not 99',
        path: 'sections.main[1].play.volume',
        line: 4,
        column: 28,
      },
    });
    assert.deepEqual(host.warnings, [
      'relay_script_method_parameter_invalid_value',
      'relay_script_method_undefined',
    ]);
    assert.equal(vars.script_error, 'relay_script_method_parameter_invalid_value');
  });

  it('tells line and step of what ends it on its way', async () => {
    const { host, end } = await runSwml(
      'sections:\n  main:\n    - set: {level: 101}\n    - record_call:\n        input_sensitivity: ${level}\n    - play: say:never\n',
    );
    assert.equal(end.error?.code, 'relay_script_method_parameter_invalid_value');
    assert.equal(
      `${end.error?.line}:${end.error?.column} ${end.error?.path}`,
      '5:9 sections.main[1].record_call.input_sensitivity',
    );
    assert.deepEqual(host.events[0]?.params, {
      ...{ code: end.error?.code, message: end.error?.message, step: end.error?.path, line: 5, column: 9 },
    });
    assert.deepEqual(
      host.verbs.map(({ verb }) => verb),
      ['hang-up'],
    );
  });

  it('says nothing in the log of what a variable holds: callers have pressed it', async () => {
    const card = '4111111111111111';
    for (const step of [
      { record_call: { format: '${vars.card}' } },
      { record_call: { input_sensitivity: '${card}' } },
      { connect: { to: 'x${card}' } },
      { play: 'ftp:${card}' },
      { switch: { variable: 'card', case: { '1': [{ answer: {} }] } } },
      { cond: [{ when: 'card.digits.length > 1', then: [{ answer: {} }] }] },
      { join_conference: { name: 'a', max_participants: '${card}' } },
    ]) {
      const { host, end } = await runSwml([{ answer: {} }, step], { vars: { card } });
      assert.ok(host.events.length > 0, JSON.stringify(step));
      assert.doesNotMatch(JSON.stringify([host.events, end]), /4111/, JSON.stringify(step));
    }
  });

  it('tells the step of what goes beyond a limit', async () => {
    const steps = [{ set: { a: 'x'.repeat(40_000) } }, { set: { b: '${a}${a}' } }];
    assert.equal((await runSwml(steps)).end.error?.path, 'sections.main[1].set');
    const loop = [{ label: 'on' }, { set: { a: 1 } }, { goto: { label: 'on' } }, { execute: 'main' }];
    const { end } = await runSwml(loop);
    assert.match(end.error?.path ?? '', /^sections\.main\[/);
  });

  it('runs what has no effect here, and says so without an error', async () => {
    const { host, vars } = await runSwml([{ play: { url: 'say:x', say_gender: 'female' } }]);
    assert.deepEqual(host.heard, ['x']);
    assert.deepEqual(host.warnings, ['relay_script_method_parameter_undefined']);
    assert.equal(vars.script_error, undefined);
  });

  it('keeps its variables for the next document of the call', async () => {
    const { host } = await runSwml([{ set: { a: 1 } }, say('${a} ${b}')], { vars: { b: 2 } });
    assert.deepEqual(host.heard, ['1 2']);
  });
});

describe('variables of a script', () => {
  it('are set one after the other, and unset', async () => {
    const { host, vars } = await runSwml([
      {
        set: {
          unit: 5,
          quantity: '3',
          total: '${vars.unit * parseInt(vars.quantity)}',
          tax: '${total * 0.08}',
        },
      },
      say('${total.toFixed(2)} ${tax}'),
      { set: { user: { name: 'Ann' }, items: ['a', 'b'] } },
      say('${user.name} ${items[1]}'),
      { unset: ['user', 'items'] },
      { unset: 'quantity' },
      say('[${user.name}]'),
    ]);
    assert.deepEqual(host.heard, ['15.00 1.2', 'Ann b', '[]']);
    assert.deepEqual(vars, { unit: 5, total: 15, tax: 1.2, play_result: 'success' });
  });

  it('are bounded: a script that makes them ever larger ends', async () => {
    const { end } = await runSwml([
      { set: { x: 'xxxxxxxx', n: 0 } },
      { label: 'more' },
      { set: { n: '${n + 1}', x: '${x}${x}' } },
      { goto: 'more' },
    ]);
    assert.equal(end.error?.code, 'relay_script_method_parameter_invalid_value');
  });
});

describe('cond and switch', () => {
  it('runs the first condition that is met, or else', async () => {
    const steps = (n: unknown) => [
      { set: { n } },
      {
        cond: [
          { when: 'n > 10', then: [say('big')] },
          { when: '${n} == 5', then: [say('five')] },
          { else: [say('other')] },
        ],
      },
    ];
    const heard = [];
    for (const n of [11, 5, '5', 1]) heard.push(...(await runSwml(steps(n))).host.heard);
    assert.deepEqual(heard, ['big', 'five', 'five', 'other']);
  });

  it('takes a condition that fails as not met, on record', async () => {
    const { host, vars } = await runSwml([
      { cond: [{ when: 'missing.x.y', then: [say('no')] }, { else: [say('yes')] }] },
    ]);
    assert.deepEqual(host.heard, ['yes']);
    assert.deepEqual(host.warnings, ['relay_script_js_eval_error']);
    assert.equal(vars.script_error, 'relay_script_js_eval_error');
  });

  it('switches on a value as text', async () => {
    const switched = {
      case: { 5: [say('five')], sip: [say('sip')], true: [say('yes')], '': [say('nothing')] },
      default: [say('default')],
    };
    const { host } = await runSwml([
      { set: { n: 5, t: true } },
      ...['n', '${n}', 'vars.n', 'call.type', 't', 'missing', 'call.from'].map((variable) => ({
        switch: { variable, ...switched },
      })),
    ]);
    assert.deepEqual(host.heard, ['five', 'five', 'five', 'sip', 'yes', 'nothing', 'default']);
  });

  it('warns of a switch without a case for the value, and goes on', async () => {
    const { host } = await runSwml([
      { switch: { variable: 'call.type', case: { constructor: [say('no')] } } },
      say('on'),
    ]);
    assert.deepEqual(host.heard, ['on']);
    assert.deepEqual(host.warnings, ['relay_script_method_no_matching_condition']);
  });
});

describe('goto', () => {
  it('jumps so often and no more, shared by all that jump there', async () => {
    const { host } = await runSwml([
      { label: 'foo' },
      say('x'),
      { goto: { label: 'foo', max: 3 } },
      say('end'),
    ]);
    assert.deepEqual(host.heard, ['x', 'x', 'x', 'x', 'end']);
    const { host: shared } = await runSwml([
      { label: 'a' },
      say('x'),
      { goto: { label: 'a', max: 2 } },
      { goto: { label: 'a', max: 3 } },
    ]);
    assert.equal(shared.heard.length, 4);
  });

  it('jumps 100 times unless it is told otherwise', async () => {
    const { vars } = await runSwml([
      { set: { n: 0 } },
      { label: 'foo' },
      { set: { n: '${n + 1}' } },
      { goto: 'foo' },
    ]);
    assert.equal(vars.n, 101);
  });

  it('jumps while its condition is met, out of whatever it is in', async () => {
    const { host } = await runSwml([
      { set: { n: 0 } },
      { label: 'again' },
      { set: { n: '${n + 1}' } },
      { cond: [{ when: 'n < 3', then: [say('again'), { goto: '${"ag" + "ain"}' }, say('never')] }] },
      { goto: { label: 'again', when: 'n < 5' } },
      say('${n}'),
    ]);
    assert.deepEqual(host.heard, ['again', 'again', '5']);
  });

  it('ends the script where a variable names no label', async () => {
    const { end } = await runSwml([{ goto: '${x}' }], { vars: { x: 'nowhere' } });
    assert.equal(end.error?.code, 'relay_script_method_parameter_invalid_value');
    assert.equal(end.error?.path, 'sections.main[0].goto.label');
  });
});
