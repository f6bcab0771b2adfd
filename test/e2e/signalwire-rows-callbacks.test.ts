import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { answer } from '../../src/testkit/callback-app.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { eventually } from './eventually.ts';
import { type Script, ScriptStage, states } from './signalwire-scripts.ts';
import type { RecordEvent } from './signalwire-stage.ts';
import { utter } from './utterance.ts';

/** What the `status_url` of a `record_call` is told (docs/dialects/signalwire.md, W17 to W27 and W38). */
const stage = await ScriptStage.open();
after(() => stage[Symbol.asyncDispose]());

interface Told {
  script: Script;
  callId: string;
  events: RecordEvent[];
  /** Of a second recording, as MP3, and a third, as MP4. */
  mp3: RecordEvent;
  mp4: RecordEvent;
}

/** One call that all look at: it is recorded with a pause, and ended by a key; beside it as MP3 and MP4. */
const told: Promise<Told> = tell();

async function tell(): Promise<Told> {
  const script = stage.script();
  const call = await script.call([
    script.recordCall({ control_id: 'mp3', format: 'mp3', stereo: true, direction: 'speak' }),
    script.recordCall({ control_id: 'mp4', format: 'mp4' }),
    script.recordCall({ control_id: 'main', beep: true, terminators: '#' }),
    { sleep: -1 },
  ]);
  const callId = await script.callId();
  await script.events(1, 'main');
  const say = () => utter(call, tone({ frequencyHz: partyTonesHz[0], durationMs: 400 }));
  await say();
  await script.command('record.pause', { control_id: 'main' }, callId);
  await script.event('paused', 'main');
  await script.command('record.resume', { control_id: 'main' }, callId);
  await script.events(3, 'main');
  await say();
  await call.pressDigit('#');
  const events = await script.events(4, 'main');
  await call.hangUp();
  const [mp3, mp4] = [await script.event('finished', 'mp3'), await script.event('finished', 'mp4')];
  return { script, callId, events, mp3, mp4 };
}
// Whoever asks for it is told.
told.catch(() => undefined);

suite('status callbacks of record_call', { concurrency: 6 }, () => {
  test('W17: JSON by POST; one that fails comes again under the same id, and the call knows nothing of it', async () => {
    const script = stage.script();
    let failures = 0;
    const path = new URL(script.statusUrl).pathname;
    stage.stage.scene.handle(path, () => answer(++failures === 1 ? 500 : 200, {}));
    await script.call([
      script.recordCall(),
      script.note('goes on'),
      { stop_record_call: {} },
      script.note('over'),
    ]);
    assert.equal((await script.at('over')).stop_record_call_result, 'success');
    await script.events(3);
    const [first, again, next] = script.requests();
    assert.deepEqual([first!.method, first!.headers['content-type']], ['POST', 'application/json']);
    assert.equal(again!.headers['webhook-id'], first!.headers['webhook-id']);
    assert.deepEqual(again!.body, first!.body);
    assert.notEqual(next!.headers['webhook-id'], first!.headers['webhook-id']);
    assert.deepEqual(states([first!, again!, next!].map(({ body }) => body as RecordEvent)), [
      'recording',
      'recording',
      'finished',
    ]);
  });

  test('W18: event_type is calling.call.record always', async () => {
    const { events, mp3, mp4 } = await told;
    for (const { event_type } of [...events, mp3, mp4]) assert.equal(event_type, 'calling.call.record');
  });

  test('W19: event_channel is swml: and the session, another one for each run of a document', async () => {
    const { events, mp3 } = await told;
    for (const { event_channel } of [...events, mp3]) {
      assert.match(event_channel, /^swml:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.equal(event_channel, events[0]!.event_channel);
    }
    const other = stage.script();
    await other.call([other.recordCall()]);
    assert.notEqual((await other.events(1))[0]!.event_channel, events[0]!.event_channel);
  });

  test('W20: timestamp is Unix time, a float, in order', async () => {
    const { events } = await told;
    const times = events.map(({ timestamp }) => timestamp);
    assert.deepEqual(times, times.toSorted());
    for (const time of times) assert.ok(Math.abs(time - Date.now() / 1000) < 120, `${time}`);
    assert.ok(times.some((time) => !Number.isInteger(time)));
  });

  test('W21: project_id is the account, space_id the same always', async () => {
    const { events, mp4 } = await told;
    const { accountId } = stage.stage.scene.server.callreel.credentials;
    const [first] = events;
    assert.match(first!.space_id, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    for (const { project_id, space_id } of [...events, mp4])
      assert.deepEqual([project_id, space_id], [accountId, first!.space_id]);
  });

  test('W22: call_id and node_id as in the request for the document, control_id as given', async () => {
    const { script, callId, events, mp3 } = await told;
    const asked = await script.asked();
    for (const { params } of events)
      assert.deepEqual([params.call_id, params.node_id, params.control_id], [callId, asked.node_id, 'main']);
    assert.equal(mp3.params.control_id, 'mp3');
    const { recording_id } = events[0]!.params;
    for (const { params } of events) assert.equal(params.recording_id, recording_id);
  });

  test('W23: recording, paused, finished, no_input: one event for each transition', async () => {
    const { script, events } = await told;
    assert.deepEqual(states(events), ['recording', 'paused', 'recording', 'finished']);
    assert.deepEqual(
      script.requests('mp3').map(({ body }) => (body as RecordEvent).params.state),
      ['recording', 'finished'],
    );
    const ids = script.requests().map(({ headers }) => headers['webhook-id']);
    assert.equal(new Set(ids).size, ids.length);
    const silent = stage.script();
    await silent.call([silent.recordCall({ initial_timeout: 0.3 }), { sleep: -1 }]);
    assert.deepEqual(states(await silent.events(2)), ['recording', 'no_input']);
    await silent.end();
  });

  test('W24: record is there when it has finished, and what it says beside the state too', async () => {
    const { events, mp3 } = await told;
    const last = events.at(-1)!;
    for (const { params } of events.slice(0, -1))
      for (const name of ['record', 'duration', 'size', 'format', 'start_time', 'end_time'])
        assert.equal(name in params, false, name);
    for (const { params } of [last, mp3]) {
      const { url, duration, size, format } = params.record!;
      assert.deepEqual(
        { url, duration, size, format },
        {
          url: params.url,
          duration: params.duration,
          size: params.size,
          format: params.format,
        },
      );
    }
    assert.deepEqual(mp3.params.record!.audio, { format: 'mp3', direction: 'speak', stereo: true });
  });

  test('W25: url, duration, size and format are those of the file', async () => {
    const { script, events, mp3, mp4 } = await told;
    for (const event of [events.at(-1)!, mp3, mp4]) {
      const { url, size, duration, format } = event.params.record!;
      const bytes = await (await fetch(url)).arrayBuffer();
      assert.equal(bytes.byteLength, size, format);
      const { rateHz, channels } = await script.file(event);
      assert.ok(Math.abs(channels[0]!.length / rateHz - duration) < 0.15, format);
    }
    const { duration, start_time, end_time } = events.at(-1)!.params;
    assert.ok(duration! >= 0.8 && end_time! - start_time! >= duration!);
  });

  test('W26: format is wav, mp3, and mp4 where it is mp4', async () => {
    const { events, mp3, mp4 } = await told;
    const formats = [events.at(-1)!, mp3, mp4].map(({ params }) => params.record!.format);
    assert.deepEqual(formats, ['wav', 'mp3', 'mp4']);
  });

  test('W27: the URL has the vendor’s path, and needs no header', async () => {
    const { events } = await told;
    const { url } = events.at(-1)!.params.record!;
    const { origin, pathname } = new URL(url);
    assert.equal(origin, stage.stage.scene.server.callreel.publicUrl);
    assert.equal(pathname, `/api/v1/recordings/${events[0]!.params.recording_id}/download`);
    const response = await fetch(url);
    assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'audio/wav']);
  });

  test('W38: recording is told when audio begins, behind the beep', async () => {
    const script = stage.script();
    await script.call([
      script.recordCall({ control_id: 'at once' }),
      script.recordCall({ control_id: 'beep', beep: true }),
      script.gate('both'),
    ]);
    await script.at('both');
    const [atOnce, beep] = [await script.events(1, 'at once'), await script.events(1, 'beep')];
    assert.deepEqual([states(atOnce), states(beep)], [['recording'], ['recording']]);
    script.go('both');
    const [first, second] = [
      await script.event('finished', 'at once'),
      await script.event('finished', 'beep'),
    ];
    assert.ok(second.params.start_time! - first.params.start_time! > 0.3);
    assert.ok(beep[0]!.timestamp >= second.params.start_time! - 0.1);
  });

  test('W23: what never came to audio ends too', async () => {
    const script = stage.script();
    const call = await script.call([script.recordCall({ beep: true }), { sleep: -1 }]);
    await call.hangUp();
    const events = await eventually('its end', () => {
      const found = script.requests().map(({ body }) => body as RecordEvent);
      return found.some(({ params }) => params.end_time !== undefined) ? found : undefined;
    });
    assert.equal(events.filter(({ params }) => params.end_time !== undefined).length, 1);
  });
});
