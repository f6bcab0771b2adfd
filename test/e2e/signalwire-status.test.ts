import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { validateRequest } from '@signalwire/web-api';
import { assertExactRun, assertNoRun } from '../../src/testkit/sample-run.ts';
import { eventually } from './eventually.ts';
import { type Script, ScriptStage } from './signalwire-scripts.ts';

/** Status callbacks of conferences and of `connect`, and what documents tell whoever is told of the call. */
const stage = await ScriptStage.open();
after(() => stage[Symbol.asyncDispose]());

interface StatusEvent {
  event_type: string;
  event_channel: string;
  timestamp: number;
  project_id: string;
  space_id: string;
  params: Record<string, unknown>;
}

const { calls } = stage.stage.scene.server.callreel;
const events = (script: Script): StatusEvent[] => script.requests().map(({ body }) => body as StatusEvent);
const statuses = (script: Script) => events(script).map(({ params }) => params.status);

/** Once an event of this status came. */
async function told(script: Script, status: string): Promise<StatusEvent> {
  return await eventually(status, () => events(script).find(({ params }) => params.status === status));
}

async function join(name: string, parameters: (script: Script) => object, number: number): Promise<Script> {
  const script = stage.script();
  await script.call([
    { join_conference: { name, beep: 'false', ...parameters(script) } },
    script.gate('out'),
  ]);
  await stage.stage.scene.participants(name, number);
  return script;
}

suite('status callbacks', { concurrency: 4 }, () => {
  test('status_callback of a conference tells start, join, mute, hold, leave and end, with what the vendor says of them', async () => {
    const all = (script: Script) => ({ status_callback: script.statusUrl });
    const ann = await join('all', all, 1);
    const bob = await join('all', () => ({ end_on_exit: true, start_on_enter: true }), 2);
    const [annId, bobId] = [await ann.callId(), await bob.callId()];
    const conference = calls.conferenceOf(annId)!;
    for (const muted of [true, false]) conference.mute(bobId, muted);
    for (const held of [true, false]) conference.hold(bobId, held);
    await told(ann, 'participant-unhold');
    await bob.end();
    const end = await told(ann, 'conference-end');
    assert.deepEqual(statuses(ann), [
      'participant-join',
      'participant-join',
      'conference-start',
      'participant-mute',
      'participant-unmute',
      'participant-hold',
      'participant-unhold',
      'participant-leave',
      'participant-leave',
      'conference-end',
    ]);
    const [first, second, start, mute, , hold, , leave] = events(ann);
    const { conversationId } = conference;
    const asked = await ann.asked();
    assert.equal(first?.event_type, 'calling.conference');
    assert.match(first?.event_channel ?? '', /^swml:[0-9a-f-]{36}$/);
    assert.deepEqual(first?.params, {
      ...{ call_id: annId, name: 'all', conference_id: conversationId, status: 'participant-join', size: 1 },
      ...{ node_id: asked.node_id, segment_id: annId, muted: false, hold: false },
      ...{ start_on_join: true, end_on_leave: false, coaching: false },
    });
    assert.deepEqual(
      [second?.params.call_id, second?.params.size, second?.params.end_on_leave, start?.params.size],
      [bobId, 2, true, 2],
    );
    assert.deepEqual([mute?.params.call_id, mute?.params.muted, mute?.params.hold], [bobId, true, false]);
    assert.deepEqual([hold?.params.muted, hold?.params.hold], [false, true]);
    assert.deepEqual(
      [leave?.params.call_id, leave?.params.size, leave?.params.end_on_leave],
      [bobId, 1, true],
    );
    assert.deepEqual(
      [end.params.size, end.params.reason_ended, end.params.call_id_ending_conf, end.params.conference_id],
      [0, 'participant-with-end-conference-on-exit-left', bobId, conversationId],
    );
    assert.equal('recording_url' in end.params, false);
    await ann.end();
  });

  test('status_callback_event filters; a URL that several name is told each event once', async () => {
    const shared = stage.script();
    const ann = await join(
      'filtered',
      () => ({ status_callback: shared.statusUrl, status_callback_event: 'join' }),
      1,
    );
    const bob = await join(
      'filtered',
      (script) => ({
        status_callback: shared.statusUrl,
        status_callback_event: 'leave end',
        record: 'record-from-start',
        recording_status_callback: script.statusUrl,
      }),
      2,
    );
    await bob.end();
    await ann.end();
    const end = await told(shared, 'conference-end');
    assert.deepEqual(statuses(shared), [
      'participant-join',
      'participant-join',
      'participant-leave',
      'participant-leave',
      'conference-end',
    ]);
    assert.equal(end.params.reason_ended, 'last-participant-left');
    assert.equal(end.params.call_id_ending_conf, await ann.callId());
    // The end of the recording is told unless others are named; the file is that of the conference's end.
    const [stop] = await bob.events(1);
    assert.equal(stop?.event_type, 'calling.conference');
    const { params } = stop as unknown as StatusEvent;
    assert.equal(params.status, 'record-stop');
    assert.deepEqual(
      [params.recording_duration, params.recording_file_size],
      [end.params.recording_duration, end.params.recording_file_size],
    );
    const file = await fetch(String(end.params.recording_url));
    assert.equal((await file.arrayBuffer()).byteLength, end.params.recording_file_size);
  });

  test('the recording of a conference tells start, pause, resume and stop', async () => {
    const ann = await join(
      'paused',
      (script) => ({
        record: 'record-from-start',
        trim: 'do-not-trim',
        recording_status_callback: script.statusUrl,
        recording_status_callback_event: 'in-progress completed absent',
      }),
      1,
    );
    await told(ann, 'record-start');
    const [recording] = calls.conferenceOf(await ann.callId())!.recordings;
    await recording!.pause('skip', 'recording');
    await told(ann, 'record-pause');
    await recording!.resume();
    await told(ann, 'record-resume');
    await ann.end();
    await told(ann, 'record-stop');
    assert.deepEqual(statuses(ann), ['record-start', 'record-pause', 'record-resume', 'record-stop']);
  });

  test('a recording is absent where no phone sent anything, and completed where one did', async () => {
    for (const [name, expected] of [
      ['mute', 'absent'],
      ['speaking', 'completed'],
    ] as const) {
      const ann = await join(
        name,
        (script) => ({
          record: 'record-from-start',
          recording_status_callback: script.statusUrl,
          recording_status_callback_event: expected,
        }),
        1,
      );
      if (expected === 'completed') await ann.speak();
      await ann.end();
      await told(ann, 'record-stop');
    }
  });

  test('by GET the fields are in the query, signed for the whole URL', async () => {
    const ann = await join(
      'get',
      (script) => ({
        status_callback: `${script.statusUrl}?own=1`,
        status_callback_method: 'GET',
        record: 'record-from-start',
        recording_status_callback: script.statusUrl,
        recording_status_callback_method: 'GET',
      }),
      1,
    );
    await ann.end();
    const queries = () => ann.requests().map(({ query }) => Object.fromEntries(query));
    await eventually('the end', () => queries().find(({ status }) => status === 'conference-end'));
    assert.deepEqual(
      queries()
        .map(({ status }) => status)
        .toSorted(),
      ['conference-end', 'participant-join', 'participant-leave', 'record-stop'],
    );
    const [joined] = ann.requests();
    assert.equal(joined?.method, 'GET');
    assert.equal(joined?.rawBody.length, 0);
    const { own, call_id, event_type, name, size, muted } = queries()[0]!;
    assert.deepEqual(
      { own, call_id, event_type, name, size, muted },
      {
        ...{ own: '1', call_id: await ann.callId(), event_type: 'calling.conference' },
        ...{ name: 'get', size: '1', muted: 'false' },
      },
    );
    const url = `${ann.statusUrl}?${joined?.query}`;
    const signature = String(joined?.headers['x-signalwire-signature']);
    assert.equal(validateRequest(stage.stage.signingKey, signature, url, ''), true);
  });

  test('as cxml the fields have the names of the compatibility API, and its signature', async () => {
    const ann = await join(
      'form',
      (script) => ({
        ...{ status_callback: script.statusUrl, status_callback_event_type: 'cxml' },
        ...{ record: 'record-from-start', recording_status_callback: script.statusUrl },
        ...{ recording_status_callback_event_type: 'laml' },
      }),
      1,
    );
    await ann.speak();
    await ann.end();
    const bodies = () => ann.requests().map(({ body }) => body as Record<string, string>);
    const end = await eventually('the end', () =>
      bodies().find(({ StatusCallbackEvent }) => StatusCallbackEvent === 'conference-end'),
    );
    const [joined] = bodies();
    assert.deepEqual(
      [joined?.StatusCallbackEvent, joined?.FriendlyName, joined?.CallSid, joined?.Muted],
      ['participant-join', 'form', await ann.callId(), 'false'],
    );
    const recorded = bodies().find(({ RecordingStatus }) => RecordingStatus === 'completed');
    assert.equal(recorded?.RecordingDuration, end.RecordingDuration);
    assert.equal((await fetch(recorded?.RecordingUrl ?? '')).status, 200);
    for (const { headers, body } of ann.requests()) {
      assert.equal(headers['content-type'], 'application/x-www-form-urlencoded');
      const signature = String(headers['x-signalwire-signature']);
      const { signingKey } = stage.stage;
      assert.equal(validateRequest(signingKey, signature, ann.statusUrl, JSON.stringify(body)), true);
      const other = JSON.stringify({ ...(body as object), FriendlyName: 'other' });
      assert.equal(validateRequest(signingKey, signature, ann.statusUrl, other), false);
    }
  });

  test('muted: nothing of who joins so is heard or recorded until it is let speak', async () => {
    const ann = await join(
      'quiet',
      (script) => ({
        record: 'record-from-start',
        trim: 'do-not-trim',
        recording_status_callback: script.statusUrl,
      }),
      1,
    );
    const bob = await join('quiet', (script) => ({ muted: true, status_callback: script.statusUrl }), 2);
    assert.equal((await told(bob, 'participant-join')).params.muted, true);
    const unheard = await bob.speak();
    const said = await ann.speak();
    assertNoRun(ann.phone.received(), unheard);
    await ann.end();
    await bob.end();
    const stop = await told(ann, 'record-stop');
    const { channels } = await ann.file(stop as never);
    assertExactRun(channels[0]!, said);
    assertNoRun(channels[0]!, unheard);
  });

  test('connect tells connecting, connected and disconnected with the peer', async () => {
    const phone = await stage.stage.phone();
    const answered = Promise.withResolvers<string>();
    phone.onCall = (incoming) => {
      incoming.answer();
      answered.resolve('answered');
    };
    const script = stage.script();
    await script.call([
      { connect: { to: phone.sipUri, status_url: script.statusUrl } },
      script.note('after'),
    ]);
    const connected = await eventually('connected', () =>
      events(script).find(({ params }) => params.connect_state === 'connected'),
    );
    assert.equal(
      events(script).some(({ params }) => params.connect_state === 'disconnected'),
      false,
    );
    await script.end();
    await eventually('disconnected', () =>
      events(script).find(({ params }) => params.connect_state === 'disconnected'),
    );
    assert.deepEqual(
      events(script).map(({ event_type, params }) => [event_type, params.connect_state]),
      ['connecting', 'connected', 'disconnected'].map((state) => ['calling.call.connect', state]),
    );
    const { call_id, node_id, from } = await script.asked();
    const { peer, ...about } = connected.params as { peer: { call_id: string } & Record<string, unknown> };
    assert.deepEqual(about, { call_id, node_id, segment_id: call_id, connect_state: 'connected' });
    assert.match(peer.call_id, /^[0-9a-f]{16}$/);
    assert.notEqual(peer.call_id, call_id);
    assert.equal(peer.node_id, node_id);
    assert.equal((peer.device as { type: string }).type, 'sip');
    assert.equal(typeof from, 'string');
  });

  test('connect tells failed with the reason, and tells it whoever is told of the call', async () => {
    const busy = await stage.stage.phone();
    busy.onCall = (incoming) => incoming.reject(486);
    const script = stage.script();
    const listener = stage.script();
    const { call } = await stage.stage.dial(
      {
        version: '1.0.0',
        sections: { main: [{ connect: { to: busy.sipUri, status_url: script.statusUrl } }] },
      },
      { status_url: listener.statusUrl },
    );
    await call.ended;
    const failed = await eventually('failed', () =>
      events(script).find(({ params }) => params.connect_state === 'failed'),
    );
    assert.equal(failed.params.failed_reason, 'busy');
    assert.equal('peer' in failed.params, false);
    const heard = await eventually('the call is told of it', () =>
      events(listener).find(({ event_type }) => event_type === 'calling.call.connect'),
    );
    assert.deepEqual(heard.params, failed.params);
  });

  test('user_event and warnings reach the status_url of the call', async () => {
    const listener = stage.script();
    const { call, leg } = await stage.stage.dial(
      {
        version: '1.0.0',
        sections: {
          main: [
            { user_event: { event: { type: 'menu', choice: 3, of: { who: 'ann' } } } },
            { switch: { variable: 'vars.nothing', case: { a: [] } } },
          ],
        },
      },
      { status_url: listener.statusUrl },
    );
    await call.ended;
    const event = await eventually('the event', () =>
      events(listener).find(({ event_type }) => event_type === 'user_event'),
    );
    assert.match(event.event_channel, /^swml:/);
    assert.equal(event.params.call_id, leg.id);
    assert.deepEqual(event.params.event, { type: 'menu', choice: 3, of: { who: 'ann' } });
    const warning = await eventually('the warning', () =>
      events(listener).find(({ event_type }) => event_type === 'calling.script.warning'),
    );
    assert.deepEqual(
      [warning.params.code, warning.params.step],
      ['relay_script_method_no_matching_condition', 'sections.main[1].switch'],
    );
  });
});
