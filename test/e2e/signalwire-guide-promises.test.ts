import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { type Format, playedFile } from './played-file.ts';
import { ScriptStage, voiceHz } from './signalwire-scripts.ts';
import type { RestRecording } from './signalwire-stage.ts';
import { hasTone } from './sounds.ts';

/** What the guide "Call Recording" promises beside its examples (docs/dialects/signalwire.md, rows A). */
const stage = await ScriptStage.open();
after(() => stage[Symbol.asyncDispose]());
const path = '/api/relay/rest/recordings';
const played = async (url: unknown, format: Format) => await playedFile(await fetch(String(url)), format);

suite('what the guide promises', { concurrency: 4 }, () => {
  test('A1 A2: nothing of the audio passes the application; event, REST and variable lead to the same file', async () => {
    const script = stage.script();
    await script.call([
      script.recordCall(),
      script.gate('say'),
      { stop_record_call: {} },
      script.gate('over'),
    ]);
    const { record_call_url } = await script.at('say');
    const said = await script.speak();
    script.go('say');
    const { params } = await script.event('finished');
    await script.at('over');
    await script.end();
    const { body } = await stage.stage.http.get<RestRecording>(`${path}/${params.recording_id}`);
    const files = await Promise.all(
      [String(record_call_url), params.record!.url, body.url].map(async (url) => await played(url, 'wav')),
    );
    for (const { channels } of files) assert.deepEqual(channels[0], files[0]!.channels[0]);
    assertExactRun(files[0]!.channels[0]!, said);
    for (const { rawBody } of stage.stage.scene.app.requests()) assert.ok(rawBody.length < 10_000);
  });

  test('A17 A22: no silence ends a recording without time-outs', async () => {
    const script = stage.script();
    await script.call([
      script.recordCall({ control_id: 'continuous' }),
      script.recordCall({ control_id: 'silence', max_length: 6 }),
      { sleep: -1 },
    ]);
    await script.event('finished', 'silence');
    assert.equal(script.requests('continuous').length, 1);
    await script.end();
    assert.ok((await script.event('finished', 'continuous')).params.duration! >= 6);
  });

  test('A30 A50: max_length ends it, whatever else was asked for', async () => {
    const script = stage.script();
    await script.call([
      script.recordCall({ max_length: 1.5, end_silence_timeout: 60, terminators: '#', initial_timeout: 60 }),
      { sleep: -1 },
    ]);
    assert.equal((await script.event('finished')).params.duration, 1.5);
    await script.end();
  });

  test('A41 A42: ten minutes of mono MP3 are 2 to 3 MB; WAV is a multiple of it', async () => {
    const script = stage.script();
    const formats = ['wav', 'mp3', 'mp4'];
    await script.call([
      ...formats.map((format) => script.recordCall({ control_id: format, format, max_length: 4 })),
      { sleep: -1 },
    ]);
    await script.events(3);
    await script.speakTone(3000);
    const [wav, mp3, mp4] = await Promise.all(
      formats.map(async (id) => {
        const { size, duration } = (await script.event('finished', id)).params;
        return (600 * size!) / duration!;
      }),
    );
    assert.ok(mp3! > 2e6 && mp3! < 3e6, `${mp3} bytes`);
    assert.ok(wav! / mp3! > 3.5, `${wav} and ${mp3}`);
    assert.ok(mp4! < wav!);
    await script.end();
  });

  test('A40 X6: an MP4 file of a call without video holds audio', async () => {
    const script = stage.script();
    await script.call([script.recordCall({ format: 'mp4', stereo: true }), script.gate('say')]);
    await script.at('say');
    await script.speakTone();
    script.go('say');
    const { rateHz, channels } = await script.file(await script.event('finished'));
    assert.ok(hasTone(channels[0]!, voiceHz, rateHz));
    assert.equal(hasTone(channels[1]!, voiceHz, rateHz), false);
  });

  test('A51: a status_url that fails changes nothing for the call', async () => {
    const script = stage.script();
    const steps = [
      { record_call: { control_id: 'nobody', status_url: 'http://127.0.0.1:1/nobody' } },
      script.gate('say'),
      { stop_record_call: {} },
      script.note('over'),
    ];
    await script.call(steps);
    const { record_call_url } = await script.at('say');
    const said = await script.speak();
    script.go('say');
    assert.equal((await script.at('over')).stop_record_call_result, 'success');
    assertExactRun((await played(record_call_url, 'wav')).channels[0]!, said);
  });

  test('A52: a side on which nobody was is silent in its channel, the other one is not', async () => {
    const script = stage.script();
    await script.call([script.recordCall({ stereo: true }), script.gate('say')]);
    await script.at('say');
    const said = await script.speak();
    script.go('say');
    const [left, right] = await script.stereo();
    assertExactRun(left, said);
    assert.ok(right.every((sample) => sample === 0));
  });
});
