import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { type IncomingPhoneCall, Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { tone } from '../../src/testkit/tone.ts';
import { eventually } from './eventually.ts';
import { type ErrorBody, type HttpAnswer, HttpClient, type Page } from './http-client.ts';
import { Scene } from './scene.ts';

interface CallBody {
  call_id: string;
  from: string;
  to: string;
  status: string;
  end_reason: string | null;
  client_state: unknown;
}

interface ConferenceBody {
  name: string;
  recording: boolean;
  participants: { connection_id: string; from: string; to: string; direction: string }[];
}

interface NativeEvent {
  type: string;
  conference: string;
  conversation_id: string;
  recordings: { recording_id: string; reason: string; client_state: unknown }[];
}

const from = '+15558881188';
const clientState = { order: 4711, note: 'größer' };

const scene = await Scene.open();
const http = new HttpClient(scene.server.callreel);
const events: NativeEvent[] = [];
const eventCallback = scene.handle<NativeEvent>('/native-events', (event) => {
  events.push(event);
  return {};
});
const phones: Phone[] = [];
after(async () => {
  await Promise.all(phones.map((phone) => phone.close()));
  await scene[Symbol.asyncDispose]();
});
await http.json('POST', '/v1/dial-permissions', { prefix: 'sip:127.0.0.1', allow: true });

async function phoneThat(onCall: (call: IncomingPhoneCall) => unknown): Promise<Phone> {
  const phone = await Phone.create({ number: `2${phones.length}` });
  phone.onCall = onCall;
  phones.push(phone);
  return phone;
}

function place(to: string, conference: Record<string, unknown>, rest = {}): Promise<HttpAnswer<CallBody>> {
  return http.json('POST', '/v1/calls', { to, from, conference, client_state: clientState, ...rest });
}

async function call(callId: string, status: string): Promise<CallBody> {
  return eventually(`the call ${callId} ${status}`, async () => {
    const { body } = await http.get<CallBody>(`/v1/calls/${callId}`);
    return body.status === status ? body : undefined;
  });
}

suite('calls by the native API', () => {
  test('a call is placed into a conference, recorded, and hung up; its client state is said again', async () => {
    const answered = Promise.withResolvers<PhoneCall>();
    const phone = await phoneThat((incoming) => answered.resolve(incoming.answer()));
    const { status, body } = await place(phone.sipUri, {
      name: 'placed room',
      record: true,
      event_callback: eventCallback,
    });
    assert.equal(status, 201, JSON.stringify(body));
    assert.deepEqual([body.from, body.to, body.client_state], [from, phone.sipUri, clientState]);
    const party = await answered.promise;
    assert.equal(party.session.from.user, from);
    await call(body.call_id, 'connected');
    const conference = await eventually('the conference', async () => {
      const answer = await http.get<ConferenceBody>('/v1/conferences/placed%20room');
      return answer.status === 200 && answer.body.participants.length > 0 ? answer.body : undefined;
    });
    assert.equal(conference.recording, true);
    assert.deepEqual(
      conference.participants.map(({ connection_id, direction, to }) => [connection_id, direction, to]),
      [[body.call_id, 'outgoing', phone.sipUri]],
    );
    await party.play(tone({ frequencyHz: 440, durationMs: 200 }));
    const again = await http.json<CallBody>('POST', '/v1/conferences/placed%20room/recordings', {
      client_state: 'not heard: it runs already',
    });
    assert.equal(again.body.client_state, null);

    assert.equal((await http.post(`/v1/calls/${body.call_id}/hang-up`)).status, 202);
    await party.ended;
    const ended = await call(body.call_id, 'finished');
    assert.deepEqual([ended.client_state, ended.end_reason], [clientState, 'hung-up']);
    const listed = await http.get<Page<CallBody>>(`/v1/calls?to=${encodeURIComponent(phone.sipUri)}`);
    assert.deepEqual(
      listed.body.results.map(({ call_id, client_state }) => [call_id, client_state]),
      [[body.call_id, clientState]],
    );
    // Once more changes nothing.
    assert.equal((await http.post(`/v1/calls/${body.call_id}/hang-up`)).status, 202);
    const event = await eventually('its event', () =>
      events.find((each) => each.conference === 'placed room'),
    );
    assert.equal(event.type, 'conversation.ended');
    assert.deepEqual(
      event.recordings.map(({ reason }) => reason),
      ['conversation_ended'],
    );
  });

  test("a recording's client state is in its GET and in the event", async () => {
    const answered = Promise.withResolvers<PhoneCall>();
    const phone = await phoneThat((incoming) => answered.resolve(incoming.answer()));
    const placed = await place(phone.sipUri, { name: 'states', event_callback: eventCallback });
    const party = await answered.promise;
    const started = await eventually('the recording', async () => {
      const answer = await http.json<{ recording_id: string }>('POST', '/v1/conferences/states/recordings', {
        client_state: clientState,
      });
      return answer.status === 201 ? answer.body : undefined;
    });
    await party.play(tone({ frequencyHz: 440, durationMs: 100 }));
    await http.post(`/v1/calls/${placed.body.call_id}/hang-up`);
    const event = await eventually('its event', () => events.find((each) => each.conference === 'states'));
    assert.deepEqual(event.recordings, [
      {
        recording_id: started.recording_id,
        reason: 'conversation_ended',
        client_state: clientState,
      },
    ]);
    const { body } = await http.get<CallBody>(`/v1/recordings/${started.recording_id}`);
    assert.deepEqual(body.client_state, clientState);
  });

  test('who does not answer, and why', async () => {
    const busy = await phoneThat((incoming) => incoming.reject(486));
    const refused = await place(busy.sipUri, { name: 'nobody' });
    assert.equal((await call(refused.body.call_id, 'failed')).end_reason, 'busy');
    const ringing = await phoneThat((incoming) => incoming.ring());
    const late = await place(ringing.sipUri, { name: 'nobody' }, { answer_timeout_ms: 1000 });
    assert.equal((await call(late.body.call_id, 'failed')).end_reason, 'no-answer');
    const cancelled = await place(ringing.sipUri, { name: 'nobody' });
    assert.equal((await http.post(`/v1/calls/${cancelled.body.call_id}/hang-up`)).status, 202);
    assert.equal((await call(cancelled.body.call_id, 'failed')).end_reason, 'cancelled');
    assert.equal((await http.get('/v1/conferences/nobody')).status, 404);
  });

  test('a conference is ended: its recordings with it, placed calls too', async () => {
    const answered = Promise.withResolvers<PhoneCall>();
    const phone = await phoneThat((incoming) => answered.resolve(incoming.answer()));
    const placed = await place(phone.sipUri, { name: 'short', record: true });
    const party = await answered.promise;
    await eventually('the conference', async () =>
      (await http.get('/v1/conferences/short')).status === 200 ? true : undefined,
    );
    assert.equal((await http.delete('/v1/conferences/short')).status, 204);
    await party.ended;
    await call(placed.body.call_id, 'finished');
    assert.equal((await http.get('/v1/conferences/short')).status, 404);
    assert.equal((await http.delete('/v1/conferences/short')).status, 404);
  });

  test('a key: one call, however often it is asked for', async () => {
    let rings = 0;
    const phone = await phoneThat((incoming) => {
      rings++;
      incoming.reject(486);
    });
    const body = { to: phone.sipUri, from, conference: { name: 'keyed' } };
    const send = (key: string, value: unknown) => http.keyed<CallBody>(key, 'POST', '/v1/calls', value);
    const answers = await Promise.all([send('one', body), send('one', body), send('one', body)]);
    assert.equal(new Set(answers.map((answer) => answer.body.call_id)).size, 1);
    assert.deepEqual(
      answers.map(({ status, headers }) => [status, headers.get('idempotency-replayed')]).toSorted(),
      [
        [201, 'true'],
        [201, 'true'],
        [201, null],
      ].toSorted(),
    );
    const reused = await send('one', { ...body, from: '+15551112222' });
    const { error } = reused.body as unknown as ErrorBody;
    assert.deepEqual([reused.status, error.code], [422, 'IDEMPOTENCY_KEY_REUSED']);
    const wrongKey = await send('x'.repeat(256), body);
    assert.equal((wrongKey.body as unknown as ErrorBody).error.where, 'headers.idempotency-key');
    await call(answers[0]!.body.call_id, 'failed');
    assert.equal(rings, 1);
  });

  const valid = { to: '+15557772277', from, conference: { name: 'a' } };
  const wrong: [label: string, body: unknown, status: number, where: string][] = [
    ['no body', undefined, 400, 'body'],
    ['a text', 'call', 400, 'body'],
    ['to missing', { ...valid, to: undefined }, 400, 'body.to'],
    ['to wrong typed', { ...valid, to: 15557772277 }, 400, 'body.to'],
    ['to nothing', { ...valid, to: '' }, 400, 'body.to'],
    ['to with a header in it', { ...valid, to: 'sip:a@b\r\nVia: c' }, 400, 'body.to'],
    ['from', { ...valid, from: 'Ann' }, 400, 'body.from'],
    ['conference', { ...valid, conference: 'a' }, 400, 'body.conference'],
    ['name', { ...valid, conference: { name: '' } }, 400, 'body.conference.name'],
    ['record', { ...valid, conference: { name: 'a', record: 'yes' } }, 400, 'body.conference.record'],
    ['leave_key', { ...valid, conference: { name: 'a', leave_key: '12' } }, 400, 'body.conference.leave_key'],
    [
      'event_callback',
      { ...valid, conference: { name: 'a', event_callback: 'file:///x' } },
      400,
      'body.conference.event_callback',
    ],
    ['an unknown field', { ...valid, colour: 'blue' }, 400, 'body.colour'],
    ['an unknown field inside', { ...valid, conference: { name: 'a', x: 1 } }, 400, 'body.conference.x'],
    ['too short a time', { ...valid, answer_timeout_ms: 999 }, 400, 'body.answer_timeout_ms'],
    ['too long a time', { ...valid, answer_timeout_ms: 600_001 }, 400, 'body.answer_timeout_ms'],
    ['half a millisecond', { ...valid, answer_timeout_ms: 1000.5 }, 400, 'body.answer_timeout_ms'],
    ['client_state', { ...valid, client_state: 7 }, 400, 'body.client_state'],
    ['client_state too large', { ...valid, client_state: 'x'.repeat(4095) }, 400, 'body.client_state'],
    ['not allowed', valid, 403, '+15557772277'],
    ['nobody registered', { ...valid, to: 'client:ann' }, 404, 'ann'],
  ];
  for (const [label, body, status, where] of wrong)
    test(`refused: ${label}`, async () => {
      const answer =
        body === undefined
          ? await http.post<ErrorBody>('/v1/calls')
          : await http.json<ErrorBody>('POST', '/v1/calls', body);
      const { error } = answer.body;
      assert.deepEqual([answer.status, error.where], [status, where], JSON.stringify(answer.body));
      assert.ok(error.message !== '' && error.todo !== '' && error.blame === 'caller');
    });

  test('nothing to hang up, nothing to end', async () => {
    assert.equal((await http.post('/v1/calls/none/hang-up')).status, 404);
    assert.equal((await http.delete('/v1/conferences/none')).status, 404);
  });
});
