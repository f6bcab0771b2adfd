import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, suite, test } from 'node:test';
import { tone } from '../../src/testkit/tone.ts';
import { ScriptStage, states, voiceHz } from './signalwire-scripts.ts';
import { assertEndSilence } from './sounds.ts';
import { utter } from './utterance.ts';

/** What ends a `record_call` by itself, and who is told (docs/dialects/signalwire.md, W10 to W14). */
const stage = await ScriptStage.open();
after(() => stage[Symbol.asyncDispose]());

suite('limits of record_call', { concurrency: 6 }, () => {
  test('W10: input_sensitivity 0.0 to 100.0, 44.0 unless given, larger is more sensitive', async () => {
    const ids = ['0', '40', 'default', '48', '100'];
    /** Whose it is speech. */
    const hearing = async (levelDbov: number): Promise<string[]> => {
      const script = stage.script();
      const call = await script.call([
        ...ids.map((id) =>
          script.recordCall({
            ...{ control_id: id, initial_timeout: 8 },
            ...(id !== 'default' && { input_sensitivity: Number(id) }),
          }),
        ),
        script.recordCall({ control_id: 'until', max_length: 9 }),
        { sleep: -1 },
      ]);
      await script.events(ids.length + 1);
      await utter(call, tone({ frequencyHz: voiceHz, durationMs: 700, levelDbov }));
      await script.event('finished', 'until');
      const deaf = await Promise.all(
        ids.map(async (id) => (script.requests(id).length > 1 ? (await script.events(2, id))[1] : undefined)),
      );
      for (const event of deaf) if (event) assert.equal(event.params.state, 'no_input');
      await script.end();
      return ids.filter((_, index) => deaf[index] === undefined);
    };
    // What is heard from 40, 44 and 48 on lies 1.4 dB apart (docs/voice-activity.md).
    const heard = await Promise.all([-50, -42.6, -41.1, -15].map(hearing));
    assert.deepEqual(heard, [['100'], ['48', '100'], ['default', '48', '100'], ids]);
    await stage.assertInvalid('input_sensitivity', 100.1, -0.1, 'much');
  });

  test('W11: initial_timeout: without speech no_input; 0 or none is off; speech turns it off', async () => {
    const script = stage.script();
    const call = await script.call([
      script.recordCall({ control_id: 'short', initial_timeout: 0.35 }),
      script.recordCall({ control_id: 'zero', initial_timeout: 0 }),
      script.recordCall({ control_id: 'none' }),
      script.gate('spoken to'),
      script.recordCall({ control_id: 'spoken', initial_timeout: 8 }),
      script.recordCall({ control_id: 'until', max_length: 9 }),
      { sleep: -1 },
    ]);
    const events = await script.events(2, 'short');
    assert.deepEqual(states(events), ['recording', 'no_input']);
    assert.equal(events[1]!.params.duration, 0.35);
    script.go('spoken to');
    await script.events(1, 'until');
    await utter(call, tone({ frequencyHz: voiceHz, durationMs: 400 }));
    await script.event('finished', 'until');
    for (const id of ['zero', 'none', 'spoken']) assert.equal(script.requests(id).length, 1, id);
    await script.end();
    await stage.assertInvalid('initial_timeout', -1, 'soon');
  });

  test('W12: end_silence_timeout counts from the end of speech; before it never; 0 or none is off', async () => {
    const script = stage.script();
    const call = await script.call([
      script.recordCall({ control_id: 'ends', end_silence_timeout: 1.2 }),
      script.recordCall({ control_id: 'zero', end_silence_timeout: 0 }),
      script.recordCall({ control_id: 'none' }),
      script.recordCall({ control_id: 'silence', max_length: 1.2 }),
      { sleep: -1 },
    ]);
    await script.event('finished', 'silence');
    assert.equal(script.requests('ends').length, 1);
    await utter(call, tone({ frequencyHz: voiceHz, durationMs: 400 }));
    const samples = await script.mono('ends');
    assertEndSilence(samples, 1.2);
    for (const id of ['zero', 'none']) assert.equal(script.requests(id).length, 1, id);
    await script.end();
    await stage.assertInvalid('end_silence_timeout', -1, 'soon');
  });

  test('W13: max_length: fractions of seconds of what is recorded, pauses left out', async () => {
    const script = stage.script();
    await script.call([
      script.recordCall({ control_id: 'exact', max_length: 0.75 }),
      script.recordCall({ control_id: 'paused', max_length: 8 }),
      script.recordCall({ control_id: 'least', max_length: 0.0004 }),
      { sleep: -1 },
    ]);
    const callId = await script.callId();
    await script.events(1, 'paused');
    assert.equal((await script.command('record.pause', { control_id: 'paused' }, callId)).status, 200);
    await script.event('paused');
    const { params } = await script.event('finished', 'exact');
    assert.equal(params.duration, 0.75);
    assert.equal((await script.mono('exact')).length, 6000);
    assert.equal((await script.mono('least')).length, 8);
    await script.command('record.resume', { control_id: 'paused' }, callId);
    const events = await script.events(4, 'paused');
    assert.deepEqual(states(events), ['recording', 'paused', 'recording', 'finished']);
    const end = events.at(-1)!.params;
    assert.equal(end.duration, 8);
    assert.ok(end.end_time! - end.start_time! > 8);
    assert.equal((await script.mono('paused')).length, 64_000);
    await script.end();
    await stage.assertInvalid('max_length', -1, 'long');
  });

  test('W14: status_url is http or https, and gets JSON by POST', async () => {
    const script = stage.script();
    const bytes = Promise.withResolvers<number>();
    const tls = createServer((socket) =>
      socket
        .on('error', () => undefined)
        .once('data', (data) => {
          bytes.resolve((data as Buffer)[0]!);
          socket.destroy();
        }),
    );
    await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
    const { port } = tls.address() as { port: number };
    const call = await script.call([
      script.recordCall(),
      { record_call: { control_id: 'tls', status_url: `https://127.0.0.1:${port}/status` } },
    ]);
    await call.ended;
    await script.events(2);
    for (const { method, headers } of script.requests())
      assert.deepEqual([method, headers['content-type']], ['POST', 'application/json']);
    assert.equal(await bytes.promise, 0x16, 'a handshake of TLS');
    await new Promise<void>((resolve) => tls.close(() => resolve()));
    await stage.assertInvalid('status_url', 'ftp://127.0.0.1/', 'no url');
  });
});
