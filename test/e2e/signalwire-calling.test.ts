import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { maxRunningRecordings } from '../../src/call/recording-factory.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { eventually } from './eventually.ts';
import { variable } from './signalwire-scripts.ts';
import { type CallLeg, type RestRecording, SignalwireStage } from './signalwire-stage.ts';
import { utter } from './utterance.ts';

/** `/api/calling/calls` (docs/dialects/signalwire.md): commands on calls that go on. */
const stage = await SignalwireStage.open();
after(() => stage[Symbol.asyncDispose]());

const waiting = { version: '1.0.0', sections: { main: [{ answer: {} }, { sleep: 60_000 }] } };
const rateHz = 8000;
const [voiceHz, secretHz] = partyTonesHz;

interface Refused {
  error?: string;
  errors?: { type: string; code: string; message: string; attribute: string | null; url: string }[];
}

async function recordings(): Promise<RestRecording[]> {
  const { body } = await stage.http.get<{ data: RestRecording[] }>('/api/relay/rest/recordings');
  return body.data;
}

suite('calls commanded as the real client does (wire-captures/swrest)', { concurrency: false }, () => {
  test('dial, record, pause, resume, stop, end', async () => {
    const { call, leg } = await stage.dial(waiting);
    assert.match(leg.id, /^[0-9a-f]{16}$/);
    assert.deepEqual(
      [leg.status, leg.direction, leg.type, leg.from, leg.url],
      ['queued', 'outbound-api', 'relay_sip_call', '+15558881188', null],
    );
    const record = {
      control_id: 'main',
      record: { audio: { format: 'wav', stereo: true, direction: 'both' } },
      status_url: stage.statusUrl,
    };
    const begun = await stage.command<CallLeg>('calling.record', record, leg.id);
    assert.deepEqual([begun.status, begun.body.id, begun.body.status], [200, leg.id, 'answered']);
    await stage.statuses('main', 1);
    const voice = await utter(call, tone({ frequencyHz: voiceHz, durationMs: 500 }));
    const paused = await stage.command(
      'calling.record.pause',
      { control_id: 'main', behavior: 'silence' },
      leg.id,
    );
    assert.equal(paused.status, 200);
    await stage.statuses('main', 2);
    await utter(call, tone({ frequencyHz: secretHz, durationMs: 500 }));
    const resumed = await stage.command('calling.record.resume', { control_id: 'main' }, leg.id);
    assert.equal(resumed.status, 200);
    await stage.statuses('main', 3);
    await utter(call, tone({ frequencyHz: voiceHz, durationMs: 500 }));
    assert.equal((await stage.command('calling.record.stop', { control_id: 'main' }, leg.id)).status, 200);
    const events = await stage.statuses('main', 4);
    assert.deepEqual(
      events.map(({ params }) => [params.state, params.pause_behavior]),
      [
        ['recording', undefined],
        ['paused', 'silence'],
        ['recording', undefined],
        ['finished', undefined],
      ],
    );
    const last = events.at(-1)!;
    assert.deepEqual(last.params.record?.audio, { format: 'wav', direction: 'both', stereo: true });
    const [said] = (await stage.file(last)).channels;
    assert.ok(said);
    assert.ok(said.length > voice.length * 3, 'the pause is in it as silence');
    assert.ok(hears(said, voiceHz));
    assert.ok(!hears(said, secretHz));
    const [row] = (await recordings()).filter(({ id }) => id === last.params.recording_id);
    assert.deepEqual(
      [row?.status, row?.stereo, row?.track, row?.byte_size, row?.relay_sip_leg_id, row?.error_code],
      ['completed', true, 'both', last.params.size, leg.id, null],
    );
    assert.equal((await stage.command('calling.end', { reason: 'hangup' }, leg.id)).status, 200);
    await call.ended;
    assert.deepEqual((await stage.command('calling.end', {}, leg.id)).body, { error: 'Not Found' });
  });
});

function hears(samples: Int16Array, frequencyHz: number): boolean {
  for (let at = 0; at + 800 <= samples.length; at += 400)
    if (toneLevelDbov(samples, rateHz, frequencyHz, { start: at, end: at + 800 }) > -25) return true;
  return false;
}

suite('the rest of the door', { concurrency: false }, () => {
  test('the defaults of calling.record: mp3, the caller alone, # ends it, half a second of silence too', async () => {
    const { call, leg } = await stage.dial(waiting);
    const { status } = await stage.command(
      'record',
      { control_id: 'd', status_url: stage.statusUrl },
      leg.id,
    );
    assert.equal(status, 200);
    await stage.statuses('d', 1);
    await utter(call, tone({ frequencyHz: voiceHz, durationMs: 100 }));
    await call.pressDigit('#');
    const events = await stage.statuses('d', 2);
    const { params } = events.at(-1)!;
    assert.deepEqual([params.state, params.format], ['finished', 'mp3']);
    assert.deepEqual(params.record?.audio, { format: 'mp3', direction: 'speak', stereo: false });
    await stage.bytes(events.at(-1)!);
    const silent = { control_id: 'silent', status_url: stage.statusUrl, audio: { initial_timeout: 0.1 } };
    assert.equal((await stage.command('calling.record', silent, leg.id)).status, 200);
    const [, end] = await stage.statuses('silent', 2);
    assert.equal(end?.params.state, 'no_input');
    await call.hangUp();
  });

  test('a control id is unique while it runs, and free afterwards', async () => {
    const { call, leg } = await stage.dial(waiting);
    const record = { control_id: 'twice', audio: { initial_timeout: 0, end_silence_timeout: 0 } };
    assert.equal((await stage.command('calling.record', record, leg.id)).status, 200);
    const again = await stage.command<Refused>('calling.record', record, leg.id);
    assert.equal(again.status, 422);
    assert.equal(again.body.errors?.[0]?.type, 'validation_error');
    assert.equal((await stage.command('calling.record.stop', { control_id: 'twice' }, leg.id)).status, 200);
    await eventually('the control id free', async () => {
      const { status } = await stage.command('calling.record', record, leg.id);
      return status === 200 || undefined;
    });
    await call.hangUp();
  });

  test('update and transfer put another document in the place of the one that runs', async () => {
    const { call, leg } = await stage.dial(waiting);
    stage.document = waiting;
    const asked = stage.scene.app.requests('/swml').length;
    const { status } = await stage.command('update', { id: leg.id, url: stage.scene.app.url('/swml') });
    assert.equal(status, 200);
    await eventually('the new document', () =>
      stage.scene.app.requests('/swml').length > asked ? true : undefined,
    );
    const next = { version: '1.0.0', sections: { main: [{ hangup: {} }] } };
    assert.equal((await stage.command('calling.transfer', { dest: next }, leg.id)).status, 200);
    await call.ended;
  });

  test('a document that cannot run is refused, and what goes on goes on', async () => {
    const { call, leg } = await stage.dial(waiting);
    const wrong = { version: '1.0.0', sections: { main: [{ answer: {} }, { recordcall: {} }] } };
    for (const [command, params, attribute] of [
      ['update', { swml: wrong }, 'swml'],
      ['calling.transfer', { dest: JSON.stringify(wrong) }, 'dest'],
      ['dial', { from: '+15558881188', to: 'client:nobody', swml: wrong }, 'swml'],
    ] as const) {
      const { status, body } = await stage.command<Refused>(command, params, leg.id);
      const [error] = body.errors ?? [];
      assert.deepEqual([status, error?.attribute], [422, attribute], command);
      assert.match(error!.message, /relay_script_method_undefined.*recordcall.*sections\.main\[1\]/);
    }
    const wrongRecord = { control_id: 'x', record: { format: 'ogg' } };
    assert.equal((await stage.command('calling.record', wrongRecord, leg.id)).status, 422);
    assert.equal((await stage.command('calling.end', {}, leg.id)).status, 200, 'the call is still there');
    await call.ended;
  });

  test('what is wrong is said as the vendor says it', async () => {
    const { call, leg } = await stage.dial(waiting);
    type Expected = [unknown, number, Partial<NonNullable<Refused['errors']>[0]> | undefined];
    const refused: Expected[] = [
      [
        { command: 'dial', params: { to: 'sip:a@127.0.0.1', swml: waiting } },
        422,
        { code: 'missing_required_parameter', attribute: 'from' },
      ],
      [{ command: 'dial', params: { from: '+1', to: 'sip:a@127.0.0.1' } }, 422, { attribute: 'url' }],
      [
        { command: 'dial', params: { from: 'a\r\nX-Mine: 1', to: 'sip:a@127.0.0.1', swml: waiting } },
        422,
        { attribute: 'from', message: 'must be one line' },
      ],
      [{ command: 'dial', params: { from: '+1', to: 'sip:a@192.0.2.1', swml: waiting } }, 422, {}],
      [
        { command: 'calling.record', id: leg.id, params: { audio: { input_sensitivity: 101 } } },
        422,
        { attribute: 'audio.input_sensitivity' },
      ],
      [
        { command: 'calling.record', id: leg.id, params: { record: { audio: { format: 'flac' } } } },
        422,
        { attribute: 'record.audio.format' },
      ],
      ...['record', 'audio'].map((place): Expected => {
        const audio = { format: 'wav', volume: 5 };
        const params = place === 'audio' ? { audio } : { record: { audio } };
        const attribute = place === 'audio' ? 'audio.volume' : 'record.audio.volume';
        return [
          { command: 'calling.record', id: leg.id, params },
          422,
          { attribute, code: 'invalid_parameter', message: 'is not a known parameter' },
        ];
      }),
      ...[
        ['record', 'recrd'],
        ['record.pause', 'behaviour'],
        ['record.resume', 'controlId'],
        ['record.stop', 'controlId'],
      ].map(
        ([command, attribute = '']): Expected => [
          { command: `calling.${command}`, id: leg.id, params: { [attribute]: 'x' } },
          422,
          { attribute, message: 'is not a known parameter' },
        ],
      ),
      [{ command: 'calling.record.stop', id: leg.id, params: { control_id: 'nobody' } }, 404, undefined],
      [{ command: 'calling.tap', id: leg.id, params: {} }, 422, { attribute: 'command' }],
      [{ command: 'calling.end', id: '3fa85f64-5717-4562-b3fc-2c963f66afa6', params: {} }, 404, undefined],
      [{ params: {} }, 422, { attribute: 'command', code: 'missing_required_parameter' }],
    ];
    for (const [given, status, error] of refused) {
      const answer = await stage.http.json<Refused>('POST', '/api/calling/calls', given);
      const about = JSON.stringify([given, answer.body]);
      assert.equal(answer.status, status, about);
      if (error === undefined) assert.deepEqual(answer.body, { error: 'Not Found' }, about);
      else
        assert.partialDeepStrictEqual(answer.body.errors?.[0], { type: 'validation_error', ...error }, about);
    }
    const stranger = await fetch(`${stage.scene.server.callreel.publicUrl}/api/calling/calls`, {
      method: 'POST',
    });
    assert.equal(stranger.status, 401);
    assert.deepEqual(await stranger.json(), { error: 'Unauthorized' });
    await call.hangUp();
  });

  test('more recordings than may run at once are refused, by REST and by a document; what runs goes on', async () => {
    const { call, leg } = await stage.dial(waiting);
    const record = (control_id: string) => stage.command('calling.record', { control_id }, leg.id);
    for (let started = 0; started < maxRunningRecordings; started++)
      assert.equal((await record(`many-${started}`)).status, 200);
    const { status, body } = await stage.command<Refused>('calling.record', {}, leg.id);
    assert.equal(status, 422);
    assert.match(body.errors?.[0]?.message ?? '', /32 recordings run at once already/);
    const { calls } = stage.scene.server.callreel;
    assert.equal(calls.recordingsOfCall(leg.id).length, maxRunningRecordings);
    const url = stage.scene.handle<{ result: string }>('/one-more', () => ({}));
    const steps = [
      { record_call: {} },
      { request: { url, method: 'POST', body: { result: variable('record_call_result') } } },
      { sleep: -1 },
    ];
    const swml = { version: '1.0.0', sections: { main: steps } };
    assert.equal((await stage.command('update', { swml }, leg.id)).status, 200);
    const told = await stage.scene.app.waitFor<{ result: string }>('/one-more');
    assert.deepEqual(told.body, { result: 'failed' });
    await stage.command('calling.record.stop', { control_id: 'many-0' }, leg.id);
    assert.equal((await record('again')).status, 200);
    await call.hangUp();
  });

  test('status_url of a call that was placed: each status once, in order', async () => {
    const url = stage.scene.handle('/call-status', () => ({}));
    const { call, leg } = await stage.dial(waiting, { status_url: url });
    await stage.command('end', {}, leg.id);
    await call.ended;
    const told = await eventually('the end of the call', () => {
      const bodies = stage.scene.app
        .requests('/call-status')
        .map(({ body }) => body as { call_id: string; status: string });
      return bodies.at(-1)?.status === 'ended' ? bodies : undefined;
    });
    const statuses = told.map(({ status }) => status).filter((status) => status !== 'ringing');
    assert.deepEqual(statuses, ['queued', 'initiated', 'answered', 'ending', 'ended']);
    assert.ok(told.every(({ call_id }) => call_id === leg.id));
  });
});

suite('calling.play', { concurrency: false }, () => {
  const states = (path: string) =>
    stage.scene.app.requests(path).map(({ body }) => (body as { params: { state: string } }).params.state);

  test('plays beside the document that runs, tells how it goes, and is stopped by its control id', async () => {
    const url = stage.scene.handle('/plays', () => ({}));
    const { call, leg } = await stage.dial(waiting);
    const play = [{ type: 'ringtone', params: { name: 'us', duration: 1 } }];
    const given = { control_id: 'once', play, status_url: url };
    assert.equal((await stage.command('calling.play', given, leg.id)).status, 200);
    await eventually('its end', () => states('/plays').at(1));
    assert.deepEqual(states('/plays'), ['playing', 'finished']);
    assert.ok(hears(call.received(rateHz), 440), 'the ringing tone');
    const endless = {
      control_id: 'long',
      play: [{ type: 'silence', params: { duration: 600 } }],
      status_url: url,
    };
    assert.equal((await stage.command('calling.play', endless, leg.id)).status, 200);
    assert.equal((await stage.command('calling.play', endless, leg.id)).status, 422);
    assert.equal((await stage.command('calling.play.stop', { control_id: 'long' }, leg.id)).status, 200);
    await eventually('its end', () => states('/plays').at(3));
    assert.deepEqual(states('/plays').slice(2), ['playing', 'finished']);
    assert.equal((await stage.command('calling.play.stop', { control_id: 'long' }, leg.id)).status, 404);
    await call.hangUp();
  });
});
