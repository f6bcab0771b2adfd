import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Secret } from '../../src/secret.ts';
import { noise } from '../../src/testkit/noise.ts';
import { Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, longestRun } from '../../src/testkit/sample-run.ts';
import type { ConversationBody, EndedEvent, IncomingBody } from './bodies.ts';
import { channelFrom, samplesOf } from './channel-audio.ts';
import { eventually } from './eventually.ts';
import { assertBothHeard } from './heard.ts';
import { HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';
import { say } from './utterance.ts';

/** Rows of docs/dialects/sift.md about how conversations begin: commands, numbers, callbacks, and what is asked for. */
const clientName = 'agent';
const clientPassword = 'a long password';
const users = [{ username: clientName, password: clientPassword }];
const scene = await Scene.open({ settings: { CALLREEL_SIP_USERS: JSON.stringify(users) } });
const client = new HttpClient(scene.server.callreel);
after(() => scene[Symbol.asyncDispose]());

/** The next call that this phone is given, answered. */
function nextCall(phone: Phone): Promise<PhoneCall> {
  const { promise, resolve, reject } = Promise.withResolvers<PhoneCall>();
  phone.onCall = (incoming) => {
    incoming.ring();
    incoming.answer().then(resolve, reject);
  };
  return promise;
}

/** Quiet enough to hold the code 0x7F of the mu-law, which nothing that decodes and encodes again gives back. */
function quiet(seed: number): Int16Array {
  return noise({ samples: 1600, seed, levelDbov: -75 });
}

/** The audio of packets of one codec, one after the other. */
function bytesOf(packets: readonly { payload: Uint8Array; payloadType: number }[]): Buffer {
  return Buffer.concat(packets.filter(({ payloadType }) => payloadType === 0).map(({ payload }) => payload));
}

/** Asserts that the packets of one came to the other as they were sent. */
function assertRelayed(from: PhoneCall, to: PhoneCall): void {
  const sent = bytesOf(from.sentPackets);
  assert.ok(sent.includes(0x7f), 'the audio could not tell a relay from a mixer');
  assert.ok(bytesOf(to.receivedPackets).includes(sent), 'the payloads did not come as they were sent');
}

/** Nothing of the conversation is on record. */
async function assertNotRecorded(eventPath: string): Promise<void> {
  const { body } = await scene.app.waitFor<EndedEvent>(eventPath, ({ type }) => type === 'ended');
  const { audio, channels } = await scene.conversation((body as EndedEvent).conversation_id);
  assert.deepEqual({ audio, channels }, { audio: null, channels: [] });
}

/** Both say something, the called party hangs up, and both hear and are recorded exactly. */
async function assertRecordedPair(
  caller: PhoneCall,
  called: PhoneCall,
  eventPath: string,
  calledName: string,
): Promise<void> {
  await Promise.all([
    caller.play(Int16Array.of(...noise({ samples: 4000, seed: 401 }), ...quiet(403))),
    called.play(Int16Array.of(...noise({ samples: 4000, seed: 402 }), ...quiet(404))),
  ]);
  await assertBothHeard(caller, called);
  await called.hangUp();
  await caller.ended;
  assertRelayed(caller, called);
  assertRelayed(called, caller);
  const { body } = await scene.app.waitFor<EndedEvent>(eventPath, ({ type }) => type === 'ended');
  const conversation = await scene.conversation((body as EndedEvent).conversation_id);
  assert.equal(conversation.channels.length, 2);
  const mine = channelFrom(conversation, caller);
  const other = conversation.channels.find(({ direction }) => direction === 'outgoing');
  assert.deepEqual([mine.direction, other?.to], ['incoming', calledName]);
  assert.notEqual(mine.connection_id, other!.connection_id);
  assertExactRun(await samplesOf(mine.audio), caller.sent(), { label: 'the channel of the caller' });
  assertExactRun(await samplesOf(other!.audio), called.sent(), { label: 'the channel of the called' });
  assert.ok((await samplesOf(conversation.audio!)).some((sample) => sample !== 0));
}

/** What the application was told at one of its paths, by the type of event. */
function typesAt(path: string, isWanted: (event: EndedEvent) => boolean = () => true): string[] {
  return scene.app
    .requests(path)
    .map(({ body }) => body as EndedEvent & { feature?: string })
    .filter(isWanted)
    .map(({ type, feature }) => (feature ? `${type} ${feature}` : type));
}

/** What it was told of a conference. */
function eventTypes(conferenceName: string): string[] {
  return typesAt('/events', ({ conference_name }) => conference_name === conferenceName);
}

/** A phone that can be called, and a routine's target for it. */
async function desk(): Promise<{ phone: Phone; phone_number: string }> {
  const phone = await scene.audience.phone();
  await client.json('POST', '/v1/dial-permissions', { prefix: 'sip:127.0.0.1', allow: true });
  return { phone, phone_number: phone.sipUri };
}

suite('sift rows: start', { concurrency: true }, () => {
  test('G3: CallPhone connects two by a SIP URI or a number and records both', async () => {
    const { phone, phone_number: uri } = await desk();
    const port = Number(/:(\d+)$/.exec(uri)![1]);
    const routes = [{ prefix: '+49', cost: 1 }];
    await client.json('POST', '/v1/trunks', { name: 'carrier', host: '127.0.0.1', port, routes });
    await client.json('POST', '/v1/dial-permissions', { prefix: '+49', allow: true });
    for (const phone_number of ['+4930123456', uri]) {
      const answered = nextCall(phone);
      const path = `/pair-${phone_number.length}`;
      const event_callback = scene.handle(path, () => ({}));
      const caller = await scene.call([{ name: 'CallPhone', phone_number, do_record: true, event_callback }]);
      await assertRecordedPair(caller, await answered, path, phone_number);
    }
  });

  test('G4: CallClient rings a registered SIP user and records unless told otherwise', async (t) => {
    const agent = await Phone.create({ number: clientName });
    t.after(() => agent.close());
    const listener = scene.server.callreel.sip.find(({ transport }) => transport === 'udp')!;
    await assert.rejects(agent.register(listener, new Secret('wrong')), { code: 'SIP_REFUSED' });
    await agent.register(listener, new Secret(clientPassword));
    const answered = nextCall(agent);
    const event_callback = scene.handle('/client', () => ({}));
    const caller = await scene.call([{ name: 'CallClient', client_name: clientName, event_callback }]);
    await assertRecordedPair(caller, await answered, '/client', `sip:${clientName}`);
    const unrecorded = nextCall(agent);
    const off = scene.handle('/client-off', () => ({}));
    const command = { name: 'CallClient', client_name: clientName, do_record: false, event_callback: off };
    const other = await scene.call([command]);
    await say(await unrecorded, 403);
    await other.hangUp();
    await assertNotRecorded('/client-off');
  });

  test('G5: JoinConference brings many connections into one room, where each hears the others', async () => {
    const calls: PhoneCall[] = [];
    for (let count = 1; count <= 5; count++) calls.push(await scene.call([scene.join('five')]));
    const participants = await scene.participants('five', 5);
    assert.equal(new Set(participants.map(({ connection_id }) => connection_id)).size, 5);
    const words = await say(calls[0]!, 411);
    // Live audio may lose packets that come late on a busy machine; a tenth of a second of noise is no chance.
    for (const listener of calls.slice(1))
      await eventually(
        'the words heard',
        () => longestRun(listener.received(), words).length >= 800 || undefined,
      );
    await Promise.all(calls.map((call) => call.hangUp()));
  });

  test('G6: a dial-in number belongs to an Application', async () => {
    const onIncoming = scene.handle('/sales', () => ({ routine: [scene.join('sales')] }));
    const numbers = ['+15552223333', 'sales'];
    const { body } = await client.json<{ app_id: string }>('POST', '/v0/applications', {
      name: 'sales',
      on_incoming: onIncoming,
      phone_numbers: numbers,
    });
    const caller = await scene.audience.phone();
    for (const [index, number] of numbers.entries()) {
      await caller.call(scene.server.sipUri(number));
      await scene.participants('sales', index + 1);
    }
    const called = scene.app.requests('/sales').map(({ body: sent }) => (sent as IncomingBody).connection.to);
    assert.equal(called[0], numbers[0]);
    assert.equal(called.length, 2);
    assert.equal((await client.delete(`/v0/applications/${body.app_id}`)).status, 204);
    await assert.rejects(caller.call(scene.server.sipUri('sales')), /404/);
  });

  test('G7: on_incoming is a POST of JSON with account_id and connection, answered by {routine}', async () => {
    const caller = await scene.call([scene.join('incoming')]);
    const [participant] = await scene.participants('incoming', 1);
    const from = caller.session.from.user;
    const request = scene.app
      .requests('/incoming')
      .find(({ body }) => (body as IncomingBody).connection.from === from)!;
    assert.equal(request.method, 'POST');
    assert.match(request.headers['content-type']!, /^application\/json/);
    const { account_id, connection } = request.body as IncomingBody & { connection: { start_time: string } };
    assert.equal(account_id, scene.server.callreel.credentials.accountId);
    assert.deepEqual(connection, {
      connection_id: participant!.connection_id,
      status: 'connecting',
      start_time: new Date(Date.parse(connection.start_time)).toISOString(),
      end_time: null,
      from,
      to: '1000',
      direction: 'incoming',
    });
    await caller.hangUp();
    await assert.rejects(scene.call([]), /480/);
  });

  test('G8: the commands of a routine run in their order', async () => {
    const done = (path: string) => scene.handle(path, () => ({}));
    const caller = await scene.call([
      { name: 'Say', text: 'One.', on_done: done('/order/said') },
      { name: 'GetDigits', count: 1, on_done: done('/order/pressed') },
      scene.join('in order', { leave_key: '#' }),
      { name: 'Say', text: 'Two.', on_done: done('/order/said-again') },
      { name: 'HangUp' },
      { name: 'Say', text: 'Never.', on_done: done('/order/never') },
    ]);
    await scene.app.waitFor('/order/said');
    await caller.pressDigit('7');
    await scene.participants('in order', 1);
    await caller.pressDigit('#');
    assert.equal((await caller.ended).cause, 'remote');
    await scene.audience.ended({ conference_name: 'in order' });
    const order = scene.app.requests().filter(({ path }) => path.startsWith('/order/'));
    assert.deepEqual(
      order.map(({ path }) => path),
      ['/order/said', '/order/pressed', '/order/said-again'],
    );
  });

  test('G9: the conference_name brings all incoming calls into one room, made by the first', async () => {
    const [first, other] = [await scene.call([scene.join('red')]), await scene.call([scene.join('blue')])];
    const { conversation_id: id } = await scene.conference('red');
    const second = await scene.call([scene.join('red')]);
    await scene.participants('red', 2);
    assert.equal((await scene.conference('red')).conversation_id, id);
    const [blue] = await scene.participants('blue', 1);
    const red = await scene.participants('red', 2);
    assert.ok(red.every(({ connection_id }) => connection_id !== blue!.connection_id));
    await Promise.all([first, second, other].map((call) => call.hangUp()));
  });

  test('G11: without do_record nothing is recorded', async () => {
    const conference_name = 'off the record';
    const calls = [
      await scene.call([scene.join(conference_name)]),
      await scene.call([scene.join(conference_name)]),
    ];
    await scene.participants(conference_name, 2);
    assert.equal((await scene.conference(conference_name)).recording, false);
    await say(calls[0]!, 421);
    await Promise.all(calls.map((call) => call.hangUp()));
    const { audio, mixed_audio, channels } = await scene.endedConversation({ conference_name });
    assert.deepEqual({ audio, mixed_audio, channels }, { audio: null, mixed_audio: null, channels: [] });
  });

  test('G11: CallPhone without do_record, or with false, records nothing', async () => {
    const { phone, phone_number } = await desk();
    for (const parameters of [{}, { do_record: false }]) {
      const answered = nextCall(phone);
      const path = `/unrecorded-${Object.keys(parameters).length}`;
      const event_callback = scene.handle(path, () => ({}));
      const caller = await scene.call([{ name: 'CallPhone', phone_number, event_callback, ...parameters }]);
      await say(await answered, 422);
      await caller.hangUp();
      await assertNotRecorded(path);
    }
  });

  test("G12: an event_callback of '' is none, and no error", async () => {
    const conference_name = 'nobody told';
    const caller = await scene.call([scene.join(conference_name, { do_record: true, event_callback: '' })]);
    const { conversation_id: id } = await scene.conference(conference_name);
    await say(caller, 431);
    await caller.hangUp();
    const { channels } = await eventually('the end on record', async () => {
      const conversation: ConversationBody = await scene.conversation(id);
      return conversation.status === 'ended' ? conversation : undefined;
    });
    // The event of one that ended later has come: this one's would have, too.
    const witness = await scene.call([scene.join('witness', { do_record: true })]);
    await scene.participants('witness', 1);
    await witness.hangUp();
    await scene.audience.ended({ conference_name: 'witness' });
    assert.equal(channels.length, 1);
    assert.deepEqual(eventTypes(conference_name), []);
  });

  test('G16: live_* is opt-in, answered by a warning event for each; without it there is only ended', async () => {
    const live = { live_transcripts: true, live_topics: true };
    for (const [name, flags, expected] of [
      ['with live', live, ['warning live_topics', 'warning live_transcripts', 'ended']],
      ['without live', {}, ['ended']],
      ['live off', { live_transcripts: false }, ['ended']],
      ['processors', { do_record: true, processors: ['emotion'] }, ['warning processors', 'ended']],
      ['processors for nothing', { processors: ['grade', 'transcribe'] }, ['ended']],
    ] as const) {
      const caller = await scene.call([scene.join(name, flags)]);
      await scene.participants(name, 1);
      await caller.hangUp();
      await scene.audience.ended({ conference_name: name });
      const [last, ...before] = eventTypes(name).reverse();
      assert.deepEqual([...before.sort(), last], expected);
    }
  });

  test('G16: each warning comes once, however many parties there are', async () => {
    const { phone, phone_number } = await desk();
    const answered = nextCall(phone);
    const event_callback = scene.handle('/pair-warned', () => ({}));
    const live = { live_transcripts: true, live_topics: true };
    const caller = await scene.call([{ name: 'CallPhone', phone_number, event_callback, ...live }]);
    await answered;
    await caller.hangUp();
    await scene.app.waitFor<EndedEvent>('/pair-warned', ({ type }) => type === 'ended');
    const [pairEnd, ...pairWarnings] = typesAt('/pair-warned').reverse();
    assert.deepEqual(
      [pairEnd, ...pairWarnings.sort()],
      ['ended', 'warning live_topics', 'warning live_transcripts'],
    );
    const name = 'warned once';
    const calls = [await scene.call([scene.join(name, live)]), await scene.call([scene.join(name, live)])];
    await scene.participants(name, 2);
    await Promise.all(calls.map((call) => call.hangUp()));
    await scene.audience.ended({ conference_name: name });
    const [end, ...warnings] = eventTypes(name).reverse();
    assert.deepEqual([end, ...warnings.sort()], ['ended', 'warning live_topics', 'warning live_transcripts']);
  });

  test('X17: the other names: on_event, live_talk_time, live_transcription; both names of each output', async () => {
    const on_event = scene.handle('/on-event', () => ({}));
    const conference_name = 'other names';
    const call = await scene.call([
      {
        name: 'JoinConference',
        conference_name,
        do_record: true,
        event_callback: '',
        on_event,
        live_talk_time: true,
        live_transcription: true,
      },
    ]);
    await scene.participants(conference_name, 1);
    await say(call, 441);
    await call.hangUp();
    const { body } = await scene.app.waitFor<EndedEvent>('/on-event', ({ type }) => type === 'ended');
    assert.equal((body as EndedEvent).event_type, 'ended');
    const [end, ...warnings] = typesAt('/on-event').reverse();
    const expected = ['ended', 'warning live_talk_time', 'warning live_transcription'];
    assert.deepEqual([end, ...warnings.sort()], expected);
    const { audio, mixed_audio, channels } = await scene.conversation((body as EndedEvent).conversation_id);
    assert.deepEqual(mixed_audio, audio);
    for (const { wav_file, wave_file } of [audio!, ...channels.map((channel) => channel.audio)])
      assert.equal(new URL(wave_file).pathname, new URL(wav_file).pathname);
  });
});
