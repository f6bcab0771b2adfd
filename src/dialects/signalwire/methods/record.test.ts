// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallreelError } from '../../../errors.ts';
import { runSwml, TestHost } from '../test-host.ts';

/** The wishes of the one recording that a document starts. */
async function wishesOf(parameters: object, vars: Record<string, unknown> = {}) {
  const { host, end } = await runSwml([{ record_call: parameters }], { vars });
  assert.equal(end.reason, 'finished', JSON.stringify(end));
  const [started, ...others] = host.done('start-recording');
  assert.equal(others.length, 0);
  return started!.wishes;
}

/** The code with which a value is refused: as the document stands, and where a variable brings it. */
async function refusalsOf(name: string, value: unknown, step = 'record_call'): Promise<unknown[]> {
  const asItStands = await runSwml([{ [step]: { [name]: value } }]);
  const byVariable = await runSwml([{ set: { value } }, { [step]: { [name]: '${value}' } }]);
  for (const { host, end, vars } of [asItStands, byVariable]) {
    assert.equal(end.reason, 'failed');
    assert.equal(end.error?.path.split('.').slice(-2).join('.'), `${step}.${name}`);
    assert.equal(vars.script_error, end.error?.code);
    assert.deepEqual(host.warnings, [end.error?.code]);
    assert.equal(host.done('start-recording').length + host.done('record').length, 0);
  }
  assert.deepEqual(byVariable.host.done('hang-up').length, 1);
  return [asItStands.end.error?.code, byVariable.end.error?.code];
}

const invalid = 'relay_script_method_parameter_invalid_value';

describe('record_call', () => {
  it('A11-A21, W3-W14: its defaults', async () => {
    const { controlId, ...wishes } = await wishesOf({});
    assert.match(controlId!, /^[0-9a-f-]{36}$/);
    assert.deepEqual(wishes, {
      options: { direction: 'both', beep: false, inputSensitivity: 44 },
      format: 'wav',
      stereo: false,
      statusUrl: undefined,
      dialect: 'signalwire',
      dialectData: { method: 'record_call' },
    });
  });

  it('W1: the script goes on while it records', async () => {
    const { host } = await runSwml([{ record_call: {} }, { play: { url: 'say:Hello' } }]);
    assert.deepEqual(
      host.verbs.map(({ verb }) => verb),
      ['start-recording', 'play', 'hang-up'],
    );
  });

  it('W3, W14: what no database keeps is refused: the recording would be lost', async () => {
    for (const text of ['a\ud800', '\udc00b', 'a\0b']) {
      assert.deepEqual(await refusalsOf('control_id', text), [invalid, invalid]);
      assert.deepEqual(await refusalsOf('status_url', `https://app.example/${text}`), [invalid, invalid]);
    }
  });

  it('A9: takes every parameter', async () => {
    const wishes = await wishesOf({
      ...{
        control_id: 'main',
        stereo: true,
        format: 'mp3',
        direction: 'listen',
        terminators: '#*5a',
        beep: true,
      },
      ...{ input_sensitivity: 12.5, initial_timeout: 10, end_silence_timeout: 3.5, max_length: 60.25 },
      status_url: 'https://user:secret@app.example/status',
    });
    assert.deepEqual(wishes, {
      controlId: 'main',
      options: {
        ...{ direction: 'listen', beep: true, inputSensitivity: 12.5, terminators: '#*5A' },
        ...{ initialTimeoutMs: 10_000, endSilenceTimeoutMs: 3500, maxLengthMs: 60_250 },
      },
      format: 'mp3',
      stereo: true,
      statusUrl: 'https://user:secret@app.example/status',
      dialect: 'signalwire',
      dialectData: { method: 'record_call' },
    });
  });

  it('W3, W15, W16: sets its variables when it has started', async () => {
    const { vars } = await runSwml([{ record_call: { control_id: 'main', format: 'mp3' } }]);
    assert.deepEqual(vars, {
      record_call_result: 'success',
      record_call_url: 'https://calls.example/api/v1/recordings/rec-1/download?format=mp3',
      record_control_id: 'main',
    });
    const { vars: generated, host } = await runSwml([{ record_call: {} }]);
    assert.equal(generated.record_control_id, host.done('start-recording')[0]!.wishes.controlId);
  });

  it('W4: stereo from a variable, as its kind or as text', async () => {
    assert.equal((await wishesOf({ stereo: '${flag}' }, { flag: true })).stereo, true);
    assert.equal((await wishesOf({ stereo: '%{vars.flag}' }, { flag: 'true' })).stereo, true);
    assert.equal((await wishesOf({ stereo: '${flag}' }, { flag: false })).stereo, false);
    assert.equal((await wishesOf({ stereo: '${count > 1}' }, { count: 2 })).stereo, true);
    assert.deepEqual(await refusalsOf('stereo', 'perhaps'), [invalid, invalid]);
  });

  it('W4: a variable that is not set is no value, and never the default', async () => {
    const { end } = await runSwml([{ record_call: { stereo: '${unset}' } }]);
    assert.equal(end.error?.code, invalid);
    assert.equal(end.error?.path, 'sections.main[0].record_call.stereo');
  });

  it('W5, A13, X5: wav, mp3, mp4, nothing else', async () => {
    for (const format of ['wav', 'mp3', 'mp4']) assert.equal((await wishesOf({ format })).format, format);
    for (const format of ['ogg', 'WAV', '', 5, ['wav']])
      assert.deepEqual(await refusalsOf('format', format), [invalid, invalid], String(format));
  });

  it('W6, A14: speak, listen, both, nothing else', async () => {
    for (const direction of ['speak', 'listen', 'both'] as const)
      assert.equal((await wishesOf({ direction })).options?.direction, direction);
    assert.deepEqual(await refusalsOf('direction', 'inbound'), [invalid, invalid]);
  });

  it('W7, A15: terminators are keys; none unless given', async () => {
    assert.equal((await wishesOf({ terminators: '' })).options?.terminators, undefined);
    assert.equal(
      (await wishesOf({ terminators: '0123456789*#ABC' })).options?.terminators,
      '0123456789*#ABC',
    );
    assert.equal((await wishesOf({ terminators: '${key}' }, { key: 5 })).options?.terminators, '5');
    for (const terminators of ['E', '# ', '##########################', ['#']])
      assert.deepEqual(await refusalsOf('terminators', terminators), [invalid, invalid]);
  });

  it('W9, A16: beep', async () => {
    assert.equal((await wishesOf({ beep: true })).options?.beep, true);
    assert.deepEqual(await refusalsOf('beep', 1), [invalid, invalid]);
  });

  it('W10, A17: sensitivity from 0 to 100', async () => {
    for (const value of [0, 44.5, 100])
      assert.equal((await wishesOf({ input_sensitivity: value })).options?.inputSensitivity, value);
    assert.equal((await wishesOf({ input_sensitivity: '${s}' }, { s: '70' })).options?.inputSensitivity, 70);
    for (const value of [101, -0.1, 'loud', true, [44]])
      assert.deepEqual(await refusalsOf('input_sensitivity', value), [invalid, invalid], String(value));
  });

  it('W11-W13, A18-A20, X7: time-outs; 0 is none', async () => {
    const names = ['initial_timeout', 'end_silence_timeout', 'max_length'];
    const none = await wishesOf(Object.fromEntries(names.map((name) => [name, 0])));
    assert.deepEqual(none.options, { direction: 'both', beep: false, inputSensitivity: 44 });
    const lengthOf = async (max_length: number) => (await wishesOf({ max_length })).options?.maxLengthMs;
    assert.deepEqual([await lengthOf(86_401), await lengthOf(1e12)], [86_401_000, 366 * 86_400_000]);
    for (const name of names)
      for (const value of [-1, 'soon', { seconds: 1 }, ...(name === 'max_length' ? [] : [86_401])])
        assert.deepEqual(
          await refusalsOf(name, value),
          [invalid, invalid],
          `${name} ${JSON.stringify(value)}`,
        );
  });

  it('W14, A21: status_url is http or https', async () => {
    assert.equal((await wishesOf({ status_url: 'http://app.example/x' })).statusUrl, 'http://app.example/x');
    for (const url of [
      'ftp://a.example',
      'app.example',
      '',
      'javascript:alert(1)',
      `https://a.example/${'x'.repeat(2100)}`,
    ])
      assert.deepEqual(await refusalsOf('status_url', url), [invalid, invalid], url.slice(0, 30));
  });

  it('X16: a control id that runs: failed, and the script goes on with what runs', async () => {
    const host = new TestHost();
    host.answers['start-recording'] = ({ wishes }) => {
      if (host.done('start-recording').length > 1)
        throw new CallreelError('CONFLICT', 'a recording with this control id runs already');
      return { recording: { recordingId: `rec-${wishes.controlId}` } };
    };
    const { vars, end } = await runSwml(
      [{ record_call: { control_id: 'a' } }, { record_call: { control_id: 'a' } }, { play: 'say:on' }],
      { host },
    );
    assert.equal(end.reason, 'finished');
    assert.equal(vars.record_call_result, 'failed');
    assert.match(String(vars.record_call_url), /rec-a/);
    assert.deepEqual(host.warnings, ['relay_script_method_execute_failed']);
    assert.deepEqual(host.heard, ['on']);
  });

  it('W36: of two, the variables name the last', async () => {
    const { vars } = await runSwml([
      { record_call: { control_id: 'a' } },
      { record_call: { control_id: 'b' } },
    ]);
    assert.match(String(vars.record_call_url), /rec-2/);
    assert.equal(vars.record_control_id, 'b');
  });

  it('W33: what it set is put into play.urls', async () => {
    const { host } = await runSwml([
      { record_call: {} },
      { stop_record_call: {} },
      { play: { urls: ['say:Playing back', '${record_call_url}'] } },
    ]);
    assert.deepEqual(host.heard, [
      'Playing back',
      'https://calls.example/api/v1/recordings/rec-1/download?format=wav',
    ]);
  });

  it('is refused with a parameter that it does not have', async () => {
    const { end } = await runSwml([{ record_call: { sterio: true } }]);
    assert.equal(end.error?.code, 'relay_script_method_parameter_undefined');
  });
});

describe('stop_record_call', () => {
  for (const name of ['stop_record_call', 'stop_call_record'])
    it(`W2, X3, W34: ${name} without a name stops the last`, async () => {
      const { host, vars } = await runSwml([{ record_call: {} }, { [name]: {} }]);
      const [started] = host.done('start-recording');
      assert.deepEqual(host.done('stop-recording'), [
        { verb: 'stop-recording', controlId: started?.wishes.controlId },
      ]);
      assert.equal(vars.stop_record_call_result, 'success');
    });

  it('W34: without a name, of a script that started none, the last of the call', async () => {
    const { host } = await runSwml([{ stop_record_call: {} }]);
    assert.deepEqual(host.done('stop-recording'), [{ verb: 'stop-recording', controlId: undefined }]);
  });

  it('W34: without a name, of several, the last that still runs; never one that others started', async () => {
    const host = new TestHost();
    const running = new Set(['a', 'b']);
    host.answers['stop-recording'] = ({ controlId }) => ({
      recording: running.delete(String(controlId)) ? { recordingId: `rec-${controlId}` } : undefined,
    });
    const { vars } = await runSwml(
      [
        ...['a', 'b', 'ended'].map((control_id) => ({ record_call: { control_id } })),
        { stop_record_call: {} },
        { stop_record_call: {} },
        { set: { two: '${stop_record_call_result}' } },
        { stop_record_call: {} },
      ],
      { host },
    );
    assert.deepEqual(
      host.done('stop-recording').map(({ controlId }) => controlId),
      ['ended', 'b', 'ended', 'b', 'a', 'ended', 'b', 'a'],
    );
    assert.deepEqual([vars.two, vars.stop_record_call_result], ['success', 'failed']);
  });

  it('A7, A10, X2: by name, in every form that clients send', async () => {
    for (const parameters of [
      'main',
      { control_id: 'main' },
      { controlId: 'main' },
      { control_id: { control_id: 'main' } },
      { control_id: { controlId: 'main' } },
    ]) {
      const { host } = await runSwml([{ stop_record_call: parameters }]);
      assert.equal(host.done('stop-recording')[0]?.controlId, 'main', JSON.stringify(parameters));
    }
  });

  it('A55: the variable record_control_id names another one only where the script has set it', async () => {
    const { host } = await runSwml([
      { record_call: { control_id: 'a' } },
      { stop_record_call: {} },
      { set: { record_control_id: 'b' } },
      { stop_record_call: {} },
    ]);
    assert.deepEqual(
      host.done('stop-recording').map(({ controlId }) => controlId),
      ['a', 'b'],
    );
  });

  it('W34, W35: none is active: failed, the script goes on, the URL stays', async () => {
    const host = new TestHost();
    host.answers['stop-recording'] = () => ({ recording: undefined });
    const { vars } = await runSwml(
      [{ record_call: { terminators: '#' } }, { stop_record_call: {} }, { play: '${record_call_url}' }],
      { host },
    );
    assert.equal(vars.stop_record_call_result, 'failed');
    assert.match(host.heard[0]!, /rec-1/);
    assert.deepEqual(host.warnings, []);
  });
});

describe('record', () => {
  it('differs from record_call in its defaults', async () => {
    const { host, vars } = await runSwml([{ record: {} }]);
    const { controlId, ...wishes } = host.done('record')[0]!.wishes;
    assert.ok(controlId);
    assert.deepEqual(wishes, {
      options: {
        ...{ direction: 'speak', beep: false, inputSensitivity: 44, terminators: '#' },
        ...{ initialTimeoutMs: 4000, endSilenceTimeoutMs: 5000 },
      },
      format: 'wav',
      stereo: false,
      statusUrl: undefined,
      dialect: 'signalwire',
      dialectData: { method: 'record' },
    });
    assert.deepEqual(vars, {
      record_result: 'success',
      record_url: 'https://calls.example/api/v1/recordings/rec-1/download?format=wav',
    });
  });

  it('takes the shortest time for a millisecond, and 0 for none', async () => {
    const { host } = await runSwml([
      { record: { max_length: 0.0004, initial_timeout: 0, end_silence_timeout: 0.0004 } },
    ]);
    const { maxLengthMs, initialTimeoutMs, endSilenceTimeoutMs } = host.done('record')[0]!.wishes.options!;
    assert.deepEqual([maxLengthMs, initialTimeoutMs, endSilenceTimeoutMs], [1, undefined, 1]);
  });

  it('has one direction', async () => {
    assert.deepEqual(await refusalsOf('direction', 'both', 'record'), [invalid, invalid]);
    assert.deepEqual(await refusalsOf('input_sensitivity', 101, 'record'), [invalid, invalid]);
    assert.deepEqual(await refusalsOf('max_length', -1, 'record'), [invalid, invalid]);
  });

  it('has failed where nobody spoke or nothing was recorded', async () => {
    const results: Record<string, unknown> = {};
    for (const reason of [
      'stopped',
      'terminator',
      'max_length',
      'end_silence',
      'no_input',
      'no_media',
      'error',
    ]) {
      const host = new TestHost();
      host.answers.record = () => ({ recording: { recordingId: 'r' }, reason });
      const { vars } = await runSwml([{ record: {} }], { host });
      results[reason] = vars.record_result;
      assert.ok(vars.record_url);
    }
    assert.deepEqual(results, {
      ...{ stopped: 'success', terminator: 'success', max_length: 'success', end_silence: 'success' },
      ...{ no_input: 'failed', no_media: 'failed', error: 'failed' },
    });
  });
});
