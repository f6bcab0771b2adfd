// biome-ignore-all lint/suspicious/noTemplateCurlyInString: they are templates of SWML
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallreelError } from '../../../errors.ts';
import { runSwml, TestHost } from '../test-host.ts';

async function played(parameters: unknown, vars: Record<string, unknown> = {}) {
  const { host, end } = await runSwml([{ play: parameters }], { vars });
  assert.equal(end.reason, 'finished', JSON.stringify(end));
  return host.done('play')[0];
}

describe('play', () => {
  it('says, is silent, rings, and plays URLs', async () => {
    const urls = [
      'say: Hello there ',
      'silence: 3.0',
      'silence:.5',
      'ring:us',
      'ring:3.2:uk',
      'ring: 10.0:IT',
      'http://a.example/x.wav',
      'https://u:p@a.example/x.mp3',
    ];
    assert.deepEqual((await played({ urls }))?.prompts, [
      { kind: 'text', text: 'Hello there' },
      { kind: 'silence', durationMs: 3000 },
      { kind: 'silence', durationMs: 500 },
      { kind: 'ring', country: 'us', durationMs: 2000 },
      { kind: 'ring', country: 'gb', durationMs: 3200 },
      { kind: 'ring', country: 'it', durationMs: 10_000 },
      { kind: 'url', url: 'http://a.example/x.wav' },
      { kind: 'url', url: 'https://u:p@a.example/x.mp3' },
    ]);
    assert.deepEqual((await played('say:short'))?.prompts, [{ kind: 'text', text: 'short' }]);
  });

  it('answers first unless it is told otherwise, at the volume it is told', async () => {
    assert.deepEqual(await played({ url: 'say:x' }), {
      verb: 'play',
      prompts: [{ kind: 'text', text: 'x' }],
      volumeDb: 0,
      early: false,
    });
    const early = await played({ url: 'say:x', auto_answer: false, volume: '${v}' }, { v: -12.5 });
    assert.deepEqual([early?.early, early?.volumeDb], [true, -12.5]);
  });

  it('speaks with the voice of its parameters, or of the variables', async () => {
    const text = { kind: 'text', text: 'x' };
    const voices = { say_voice: 'rms', say_language: 'de-DE' };
    assert.deepEqual((await played({ url: 'say:x', ...voices }))?.prompts, [
      { ...text, voice: 'rms', locale: 'de-DE' },
    ]);
    assert.deepEqual((await played({ url: 'say:x', say_voice: 'slt' }, voices))?.prompts, [
      { ...text, voice: 'slt', locale: 'de-DE' },
    ]);
    const host = new TestHost();
    host.voices = ['slt'];
    await runSwml([{ play: { url: 'say:x', say_voice: 'Polly.Salli' } }], { host });
    assert.deepEqual(host.warnings, ['relay_script_voice_unresolved']);
    assert.deepEqual(host.heard, ['x']);
  });

  it('leaves out what is nothing, on record', async () => {
    const { host } = await runSwml([
      { play: { urls: ['${unset}', 'say: ${unset}', 'say:x'] } },
      { play: { url: 'say:${unset}' } },
    ]);
    assert.deepEqual(host.heard, ['x']);
    assert.deepEqual(host.warnings, [
      'relay_script_method_execute_failed',
      'relay_script_method_execute_failed',
    ]);
  });

  it('ends the script where a variable brings what can not be played', async () => {
    const { end, host } = await runSwml([{ play: { urls: ['say:x', '${u}'] } }], { vars: { u: 'ftp://x' } });
    assert.equal(end.error?.code, 'relay_script_method_parameter_invalid_value');
    assert.equal(end.error?.path, 'sections.main[0].play.urls[1]');
    assert.deepEqual(host.heard, []);
  });

  it('tells its status_url, and goes on where a prompt can not be had', async () => {
    const host = new TestHost();
    const error = new CallreelError('AUDIO_UNREACHABLE', 'it answered 404');
    host.answers.play = () =>
      host.done('play').length === 1 ? { outcome: 'failed', error } : { outcome: 'finished' };
    const play = { play: { url: 'https://a.example/x.wav', status_url: 'https://app.example/s' } };
    const { vars } = await runSwml([play, play], { host });
    assert.deepEqual(
      host.statuses.map(({ url, type, params }) => `${url} ${type} ${params.state}`),
      ['playing', 'error', 'playing', 'finished'].map(
        (state) => `https://app.example/s calling.call.play ${state}`,
      ),
    );
    assert.equal(host.statuses[0]?.params.control_id, host.statuses[1]?.params.control_id);
    assert.deepEqual(host.warnings, ['relay_script_method_execute_failed']);
    assert.equal(vars.play_result, 'success');
  });
});

describe('prompt', () => {
  it('collects with its defaults', async () => {
    const { host } = await runSwml([{ prompt: { play: 'say:One digit' } }]);
    assert.deepEqual(host.done('collect'), [
      {
        verb: 'collect',
        prompts: [{ kind: 'text', text: 'One digit' }],
        volumeDb: 0,
        maxDigits: 1,
        terminators: '',
        initialTimeoutMs: 5000,
        digitTimeoutMs: 5000,
      },
    ]);
  });

  it('takes every parameter of digits', async () => {
    const parameters = {
      play: ['say:PIN', 'silence:1'],
      volume: 3,
      max_digits: 10,
      terminators: '*#5',
      digit_timeout: 2.5,
      initial_timeout: 7,
    };
    const { host } = await runSwml([{ prompt: parameters }]);
    const { prompts, ...others } = host.done('collect')[0]!;
    assert.equal(prompts.length, 2);
    assert.deepEqual(others, {
      verb: 'collect',
      volumeDb: 3,
      maxDigits: 10,
      terminators: '*#5',
      initialTimeoutMs: 7000,
      digitTimeoutMs: 2500,
    });
  });

  const speaking: readonly (readonly [string, Record<string, unknown>, number])[] = [
    ['speech alone', { speech_hints: ['sales'] }, 0],
    ['speech alone, with the time for either', { speech_timeout: 9, initial_timeout: 3 }, 0],
    ['both', { speech_language: 'en-GB', max_digits: 3 }, 3],
    ['both, by another parameter', { speech_end_timeout: 2, terminators: '#' }, 1],
  ];
  for (const [what, given, maxDigits] of speaking)
    it(`asks for ${what}`, async () => {
      const { host } = await runSwml([{ prompt: { play: 'say:x', ...given } }]);
      const [collect] = host.done('collect');
      assert.equal(collect?.maxDigits, maxDigits);
      assert.deepEqual(collect.speech, {
        locale: given.speech_language ?? 'en-US',
        endSilenceMs: Number(given.speech_end_timeout ?? 1) * 1000,
        maxSpeechMs: Number(given.speech_timeout ?? 20) * 1000,
      });
    });

  const results: readonly (readonly [string, object | Error, object])[] = [
    [
      'digits',
      { digits: '12', ended: 'complete' },
      { prompt_result: 'match_digits', prompt_value: '12', prompt_value_raw: '12' },
    ],
    [
      'a terminator',
      { digits: '12', ended: 'terminator', terminator: '#' },
      {
        prompt_result: 'match_digits',
        prompt_value: '12',
        prompt_value_raw: '12',
        prompt_digit_terminator: '#',
      },
    ],
    [
      'some digits in time',
      { digits: '1', ended: 'timeout' },
      { prompt_result: 'match_digits', prompt_value: '1', prompt_value_raw: '1' },
    ],
    ['nothing', { digits: '', ended: 'no-input' }, { prompt_result: 'no_input' }],
    [
      'speech',
      { digits: '', ended: 'speech', speech: { text: 'sales please', confidence: 0.8321 } },
      {
        ...{ prompt_result: 'match_speech', prompt_value: 'sales please', prompt_value_raw: 'sales please' },
        prompt_speech_confidence: 83.2,
      },
    ],
    ['what is not understood', { digits: '', ended: 'no-match' }, { prompt_result: 'no_match' }],
    [
      'an engine that fails',
      { digits: '', ended: 'no-match', error: new CallreelError('TRANSCRIPTION_REFUSED', 'no') },
      { prompt_result: 'failed', script_error: 'relay_script_method_execute_failed' },
    ],
    [
      'a failure',
      new CallreelError('WORKER_LOST', 'gone'),
      { prompt_result: 'failed', script_error: 'relay_script_method_execute_failed' },
    ],
  ];
  for (const [what, result, expected] of results)
    it(`sets its variables after ${what}`, async () => {
      const host = new TestHost();
      host.answers.collect = () => {
        if (result instanceof Error) throw result;
        return result;
      };
      const before = { prompt_value: 'old', prompt_digit_terminator: 'old' };
      const { vars } = await runSwml([{ prompt: { play: 'say:x' } }], { host, vars: before });
      assert.deepEqual(vars, expected);
    });

  it('tells its status_url', async () => {
    const { host } = await runSwml([{ prompt: { play: 'say:x', status_url: 'https://app.example/s' } }]);
    const [status] = host.statuses;
    assert.equal(status?.type, 'calling.call.collect');
    assert.deepEqual(JSON.parse(JSON.stringify(status?.params.result)), {
      type: 'digit',
      params: { digits: '5', terminator: '' },
    });
  });
});
