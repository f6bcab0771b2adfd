import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { askedNumber, type RecordEvent, SignalwireStage } from './signalwire-stage.ts';
import { utter } from './utterance.ts';

/** A `record_call` from its start to each of its ends, as its `status_url` is told of it. */
const stage = await SignalwireStage.open();
after(() => stage[Symbol.asyncDispose]());
const rateHz = 8000;
const [voiceHz] = partyTonesHz;
const beepHz = 1400;

async function callWith(...main: unknown[]): Promise<PhoneCall> {
  stage.document = { version: '1.0.0', sections: { main: [{ answer: {} }, ...main] } };
  return await stage.call(askedNumber);
}

function recordCall(control_id: string, parameters: object = {}) {
  return { record_call: { control_id, status_url: stage.statusUrl, ...parameters } };
}

/** As a document names it. */
const variable = (name: string) => `\${${name}}`;
const states = (events: readonly RecordEvent[]) => events.map(({ params }) => params.state);
const say = (call: PhoneCall, durationMs = 400) => utter(call, tone({ frequencyHz: voiceHz, durationMs }));

suite('the life of a record_call', { concurrency: false }, () => {
  test('W8 W17-W27 W38 X15: a beep, a pause of each kind, and a key: one event for each, in order', async () => {
    const call = await callWith(recordCall('life', { beep: true, terminators: '#' }), { sleep: 60_000 });
    const [begun] = await stage.statuses('life', 1);
    assert.ok(begun);
    const { call_id } = begun.params;
    await say(call);
    for (const behavior of ['skip', 'silence']) {
      const count = stage.statusRequests('life').length;
      await stage.command('calling.record.pause', { control_id: 'life', behavior }, call_id);
      await stage.statuses('life', count + 1);
      await say(call, 200);
      await stage.command('calling.record.resume', { control_id: 'life' }, call_id);
      await stage.statuses('life', count + 2);
    }
    await say(call);
    await call.pressDigit('#');
    const events = await stage.statuses('life', 6);
    assert.deepEqual(states(events), ['recording', 'paused', 'recording', 'paused', 'recording', 'finished']);
    assert.deepEqual(
      events.map(({ params }) => params.pause_behavior),
      [undefined, 'skip', undefined, 'silence', undefined, undefined],
    );
    const last = events.at(-1)!;
    for (const event of events) {
      assert.deepEqual(Object.keys(event).toSorted(), Object.keys(begun).toSorted());
      assert.equal(event.event_type, 'calling.call.record');
      assert.deepEqual(
        [event.project_id, event.space_id, event.event_channel],
        [begun.project_id, begun.space_id, begun.event_channel],
      );
      const { params } = event;
      assert.deepEqual(
        [params.call_id, params.node_id, params.control_id, params.recording_id],
        [call_id, begun.params.node_id, 'life', begun.params.recording_id],
      );
      assert.equal('record' in params, event === last, 'the file is told of when it is there');
      for (const name of ['duration', 'size', 'start_time', 'end_time'])
        assert.equal(name in params, event === last, name);
    }
    const times = events.map(({ timestamp }) => timestamp);
    assert.deepEqual(times, times.toSorted());
    const { duration, start_time, end_time } = last.params;
    assert.ok(end_time! - start_time! > duration!, 'what was skipped is not in the file');
    const { channels } = await stage.file(last);
    const [samples] = channels;
    assert.equal(channels.length, 1);
    assert.ok(toneLevelDbov(samples!, rateHz, beepHz, { start: 0, end: rateHz / 5 }) < -40, 'no beep in it');
    await call.hangUp();
  });

  test('W11 A18 A23: nobody speaks: no_input, with the file that there is', async () => {
    const call = await callWith(recordCall('silent', { initial_timeout: 0.3 }), { sleep: 60_000 });
    const events = await stage.statuses('silent', 2);
    assert.deepEqual(states(events), ['recording', 'no_input']);
    const { duration, record } = events.at(-1)!.params;
    assert.equal(duration, 0.3);
    assert.equal(record?.duration, 0.3);
    await call.hangUp();
  });

  test('A8 A38: hanging up ends all that run, each told for itself', async () => {
    const call = await callWith(
      recordCall('first', { format: 'mp3' }),
      recordCall('second', { stereo: true, direction: 'speak' }),
      { sleep: 60_000 },
    );
    await Promise.all(['first', 'second'].map((id) => stage.statuses(id, 1)));
    await say(call);
    await call.hangUp();
    const ends = await Promise.all(
      ['first', 'second'].map(async (id) => (await stage.statuses(id, 2)).at(-1)!),
    );
    assert.deepEqual(
      ends.map(({ params }) => [params.state, params.record?.audio]),
      [
        ['finished', { format: 'mp3', direction: 'both', stereo: false }],
        ['finished', { format: 'wav', direction: 'speak', stereo: true }],
      ],
    );
    for (const end of ends) await stage.bytes(end);
  });

  test('X16: a control id that runs: the second record_call fails, the first goes on; afterwards it is free', async () => {
    const reports: unknown[] = [];
    const url = stage.scene.handle('/report', (body) => {
      reports.push(body);
      return {};
    });
    const report = { request: { url, method: 'POST', body: { result: variable('record_call_result') } } };
    const call = await callWith(
      recordCall('same'),
      report,
      recordCall('same'),
      report,
      { stop_record_call: { control_id: 'same' } },
      recordCall('same'),
      report,
    );
    await call.ended;
    assert.deepEqual(reports, [{ result: 'success' }, { result: 'failed' }, { result: 'success' }]);
    assert.deepEqual(states(await stage.statuses('same', 4)), [
      'recording',
      'finished',
      'recording',
      'finished',
    ]);
  });

  test('W30 W33: the file is played the moment that stop_record_call is done', async () => {
    const call = await callWith(
      recordCall('back', { direction: 'speak' }),
      { sleep: 700 },
      { stop_record_call: {} },
      { play: { urls: [variable('record_call_url')] } },
    );
    await say(call);
    await call.ended;
    const heard = call.received(rateHz);
    let isHeard = false;
    for (let at = 0; at + 800 <= heard.length; at += 400)
      isHeard ||= toneLevelDbov(heard, rateHz, voiceHz, { start: at, end: at + 800 }) > -25;
    assert.ok(isHeard, 'what was said comes back');
  });
});

test('a recorded conference tells its recording_status_callback what it asked for', async () => {
  const url = stage.scene.handle('/conference-recordings', () => ({}));
  const call = await callWith({
    join_conference: {
      name: 'recorded',
      record: 'record-from-start',
      trim: 'do-not-trim',
      recording_status_callback: url,
      recording_status_callback_event: 'in-progress completed',
    },
  });
  const told = async (count: number) => {
    await stage.scene.app.waitFor(
      '/conference-recordings',
      () => stage.scene.app.requests('/conference-recordings').length >= count,
    );
    return stage.scene.app.requests('/conference-recordings').map(({ body }) => body as RecordEvent);
  };
  await told(1);
  await say(call);
  await call.hangUp();
  const events = await told(2);
  assert.deepEqual(states(events), ['recording', 'finished']);
  await stage.file(events.at(-1)!);
});
