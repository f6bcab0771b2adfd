import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { audioSdp, HandPhone, HandStream, handPhoneName } from './hand-phone.ts';
import { ScriptStage, type Step, states, variable } from './signalwire-scripts.ts';
import { askedNumber } from './signalwire-stage.ts';
import { assertSounds, beepHz, hasTone, heardBy, hears } from './sounds.ts';
import { utter } from './utterance.ts';

/** `record_call`: its parameters, their defaults, and the variables it sets (docs/dialects/signalwire.md, W1 to W9, W15 and W16). */
const stage = await ScriptStage.open();
after(() => stage[Symbol.asyncDispose]());
const [voiceHz] = partyTonesHz;
const stop = (control_id: string): Step => ({ stop_record_call: { control_id } });

suite('record_call', { concurrency: 6 }, () => {
  test('W1: it records in the background, and the script goes on; record waits', async () => {
    const script = stage.script();
    const { step, sound } = script.prompt();
    const steps = [
      script.recordCall({ control_id: 'background' }),
      script.gate('goes on'),
      step,
      stop('background'),
      { record: { max_length: 1, initial_timeout: 0, end_silence_timeout: 0, status_url: script.statusUrl } },
      script.gate('recorded'),
    ];
    await script.call(steps, { keepAlive: 'silence' });
    await script.at('goes on');
    assert.deepEqual(states(await script.events(1, 'background')), ['recording']);
    const said = await script.speak();
    script.go('goes on');
    const samples = await script.mono('background');
    assertExactRun(samples, said);
    assertSounds(samples, sound);
    const { record_result, record_url } = await script.at('recorded');
    assert.equal(record_result, 'success');
    // Here since it is written, not since it was begun.
    assert.equal((await fetch(String(record_url))).status, 200);
    const [begun, ended] = (await script.events(4)).slice(2);
    assert.deepEqual([begun?.params.state, ended?.params.state], ['recording', 'finished']);
    assert.equal(ended?.params.duration, 1);
    await script.end();
  });

  test('W2: stop_call_record and stop_record_call are the same', async () => {
    const script = stage.script();
    await script.call([
      script.recordCall({ control_id: 'text' }),
      script.recordCall({ control_id: 'example' }),
      { stop_call_record: { control_id: 'text' } },
      script.note('first'),
      { stop_record_call: { control_id: 'example' } },
      script.note('second'),
    ]);
    for (const name of ['first', 'second'])
      assert.equal((await script.at(name)).stop_record_call_result, 'success');
    for (const id of ['text', 'example'])
      assert.deepEqual(states(await script.events(2, id)), ['recording', 'finished']);
  });

  test('W3: control_id is made where none is given, and is in record_control_id', async () => {
    const script = stage.script();
    await script.call([
      script.recordCall(),
      script.note('made'),
      script.recordCall({ control_id: 'given, with ünïcode' }),
      script.note('given'),
    ]);
    const made = (await script.at('made')).record_control_id;
    assert.match(String(made), /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    assert.equal((await script.at('given')).record_control_id, 'given, with ünïcode');
    for (const id of [String(made), 'given, with ünïcode'])
      assert.deepEqual(states(await script.events(2, id)), ['recording', 'finished']);
    const long = stage.script();
    const control_id = 'x'.repeat(255);
    await long.call([long.recordCall({ control_id }), { sleep: -1 }]);
    await long.events(1);
    assert.equal((await long.command('record.stop', { control_id }, await long.callId())).status, 200);
    await long.event('finished', control_id);
    await long.end();
    await stage.assertInvalid('control_id', [], '', 'x'.repeat(256));
  });

  test('W4: stereo is false unless given, also by a variable', async () => {
    const script = stage.script();
    const { step, sound } = script.prompt();
    await script.call([
      { set: { wanted: true } },
      script.recordCall({ control_id: 'default' }),
      script.recordCall({ control_id: 'false', stereo: false }),
      script.recordCall({ control_id: 'true', stereo: true }),
      script.recordCall({ control_id: 'variable', stereo: variable('wanted') }),
      script.gate('say'),
      step,
      ...['default', 'false', 'true', 'variable'].map(stop),
    ]);
    await script.at('say');
    const said = await script.speak();
    script.go('say');
    for (const id of ['default', 'false']) {
      const mono = await script.mono(id);
      assertExactRun(mono, said);
      assertSounds(mono, sound);
    }
    for (const id of ['true', 'variable']) {
      const [left, right] = await script.stereo(id);
      assertExactRun(left, said);
      assertSounds(right, sound);
      assertNoRun(left, sound);
      assertNoRun(right, said);
    }
    await stage.assertInvalid('stereo', 'perhaps', 1);
  });

  test('W5: format is wav unless given, mp3 and mp4; each is what it says', async () => {
    const script = stage.script();
    const formats = ['wav', 'mp3', 'mp4'];
    const call = await script.call([
      script.recordCall({ control_id: 'default' }),
      ...formats.map((format) => script.recordCall({ control_id: format, format })),
      { set: { kind: 'mp3' } },
      script.recordCall({ control_id: 'variable', format: variable('kind') }),
      script.gate('say'),
    ]);
    await script.at('say');
    await utter(call, tone({ frequencyHz: voiceHz, durationMs: 600 }));
    script.go('say');
    for (const id of ['default', ...formats, 'variable']) {
      const event = await script.event('finished', id);
      assert.equal(event.params.record?.format, { default: 'wav', variable: 'mp3' }[id] ?? id);
      const { rateHz, channels } = await script.file(event);
      assert.ok(hasTone(channels[0]!, voiceHz, rateHz), id);
    }
    await stage.assertInvalid('format', 'flac', 'WAV', 3);
  });

  test('W6: direction: speak is what the party says, listen what it hears, both unless given', async () => {
    const script = stage.script();
    const { step, sound } = script.prompt();
    const ids = ['speak', 'listen', 'both', 'default'];
    await script.call([
      ...ids.map((id) => script.recordCall({ control_id: id, ...(id !== 'default' && { direction: id }) })),
      script.recordCall({ control_id: 'stereo speak', direction: 'speak', stereo: true }),
      script.gate('say'),
      step,
      ...[...ids, 'stereo speak'].map(stop),
    ]);
    await script.at('say');
    const said = await script.speak();
    script.go('say');
    const speak = await script.mono('speak');
    assertExactRun(speak, said);
    assertNoRun(speak, sound);
    const listen = await script.mono('listen');
    assertSounds(listen, sound);
    assertNoRun(listen, said);
    for (const id of ['both', 'default']) {
      const samples = await script.mono(id);
      assertExactRun(samples, said);
      assertSounds(samples, sound);
    }
    const [left, right] = await script.stereo('stereo speak');
    assertExactRun(left, said);
    assert.ok(right.every((sample) => sample === 0));
    await stage.assertInvalid('direction', 'sideways', 'Speak');
  });

  test('W7: terminators: none unless given; each of them ends it, no other key does', async () => {
    const script = stage.script();
    const keys = '0123456789*#ABCD';
    const call = await script.call([
      script.recordCall({ control_id: 'none' }),
      script.recordCall({ control_id: 'empty', terminators: '' }),
      ...[...keys].map((key) => script.recordCall({ control_id: key, terminators: key })),
      script.recordCall({ control_id: 'several', terminators: '9a' }),
      { sleep: -1 },
    ]);
    await script.events(keys.length + 3);
    for (const key of keys) {
      await call.pressDigit(key, { durationMs: 60 });
      assert.deepEqual(states(await script.events(2, key)), ['recording', 'finished']);
      for (const later of keys.slice(keys.indexOf(key) + 1)) assert.equal(script.requests(later).length, 1);
    }
    await script.event('finished', 'several');
    for (const id of ['none', 'empty']) assert.equal(script.requests(id).length, 1);
    await script.end();
    await stage.assertInvalid('terminators', '5x', 5.5);
  });

  test('W7: a key that comes by INFO ends it too', async () => {
    const script = stage.script(handPhoneName);
    script.give([script.recordCall({ terminators: '#' }), { sleep: -1 }]);
    const phone = await HandPhone.open(stage.stage.scene, askedNumber);
    const stream = await HandStream.open('PCMU', 1);
    const extra = ['Content-Type: application/sdp'];
    await phone.request('INVITE', { body: audioSdp(stream.socket.port, 1), extra });
    phone.acknowledge();
    await script.events(1);
    const info = { body: 'Signal=#\r\nDuration=160\r\n', extra: ['Content-Type: application/dtmf-relay'] };
    assert.equal((await phone.request('INFO', info)).status, 200);
    assert.deepEqual(states(await script.events(2)), ['recording', 'finished']);
    await phone.hangUp();
    stream.socket.close();
  });

  test('W7: a key that is heard as a tone ends it, where the phone has no other', async () => {
    const script = stage.script();
    const call = await script.call([script.recordCall({ terminators: '#' }), { sleep: -1 }], {
      telephoneEventPayloadType: null,
    });
    await script.events(1);
    const [low, high] = [941, 1477].map((frequencyHz) => tone({ frequencyHz, durationMs: 200 }));
    await call.play(low!.map((sample, index) => sample + high![index]!));
    await call.play(new Int16Array(2400));
    assert.deepEqual(states(await script.events(2)), ['recording', 'finished']);
    await script.end();
  });

  test('W8: the key that ends it is not in the file; the script goes on, and prompt gets the key', async () => {
    const script = stage.script();
    const { url } = script.prompt();
    const call = await script.call([
      script.recordCall({ terminators: '#' }),
      script.gate('say'),
      { prompt: { play: url, max_digits: 2, initial_timeout: 30, digit_timeout: 30 } },
      script.note('pressed'),
    ]);
    await script.at('say');
    const said = await script.speak();
    script.go('say');
    await call.pressDigit('#');
    const { params } = await script.event('finished');
    await call.pressDigit('4');
    const vars = await script.at('pressed');
    assert.deepEqual([vars.prompt_result, vars.prompt_value], ['match_digits', '#4']);
    const { channels } = await script.file({ params } as Parameters<typeof script.file>[0]);
    assertExactRun(channels[0]!, said);
    for (const keyHz of [941, 1477]) assert.equal(hasTone(channels[0]!, keyHz), false);
    await call.ended;
  });

  test('W9: beep is false unless given; the party hears it before the recording, the file has none of it', async () => {
    const silent = stage.script();
    const beeping = stage.script();
    await Promise.all([
      silent.call([silent.recordCall(), silent.gate('say')]),
      beeping.call([beeping.recordCall({ beep: true, stereo: true }), beeping.gate('say')]),
    ]);
    for (const script of [silent, beeping]) await script.at('say');
    const said = await beeping.speak();
    await silent.speak();
    for (const script of [silent, beeping]) script.go('say');
    assert.equal(hasTone(await silent.mono(), beepHz), false);
    const [left, right] = await beeping.stereo();
    assertExactRun(left, said);
    assert.ok(right.every((sample) => sample === 0));
    assert.equal(heardBy(silent.phone).length, 0);
    assert.ok(hasTone(heardBy(beeping.phone), beepHz));
    await stage.assertInvalid('beep', 'loud', 1);
  });

  test('W15: record_call_url is known at the start, says 202 until it is ready, then is the file', async () => {
    const script = stage.script();
    await script.call([
      script.recordCall(),
      script.gate('runs'),
      { stop_record_call: {} },
      script.gate('over'),
    ]);
    const url = String((await script.at('runs')).record_call_url);
    const early = await fetch(url);
    assert.deepEqual([early.status, early.headers.get('retry-after')], [202, '1']);
    const said = await script.speak();
    script.go('runs');
    assert.equal((await script.at('over')).record_call_url, url);
    const { params } = await script.event('finished');
    assert.equal(new URL(url).pathname, new URL(params.url).pathname);
    const { channels } = await script.file({
      params: { ...params, record: { ...params.record!, url } },
    } as never);
    assertExactRun(channels[0]!, said);
    await script.end();
  });

  test('W16: record_call_result is success or failed, at the next step already', async () => {
    const script = stage.script();
    await script.call([
      script.recordCall({ control_id: 'same' }),
      script.note('first'),
      script.recordCall({ control_id: 'same', format: 'mp3' }),
      script.note('second'),
    ]);
    const [first, second] = [await script.at('first'), await script.at('second')];
    assert.deepEqual([first.record_call_result, first.record_control_id], ['success', 'same']);
    // Nothing was started: the variables are those of what runs.
    assert.equal(second.record_call_result, 'failed');
    assert.equal(second.record_call_url, first.record_call_url);
    assert.deepEqual(states(await script.events(2)), ['recording', 'finished']);
  });

  test('W16: an unknown parameter is the vendor’s error', async () => {
    assert.deepEqual(await stage.script().refused([{ record_call: { loudness: 3 } }]), [
      'relay_script_method_parameter_undefined',
      'sections.main[1].record_call.loudness',
    ]);
  });

  test('W31: what the party hears at the same time is mixed in', async () => {
    const script = stage.script();
    const { step, sound } = script.prompt(8000);
    const call = await script.call([script.recordCall(), step, script.gate('over')]);
    await hears(call, sound);
    await script.at('over');
    script.go('over');
    assertSounds(await script.mono(), sound);
  });
});
