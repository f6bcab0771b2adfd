import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { Secret } from '../../src/secret.ts';
import { parseSipUri } from '../../src/sip/uri.ts';
import { lineCodecs, packetPayloads } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { type IncomingPhoneCall, Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun, findPayloadRun } from '../../src/testkit/sample-run.ts';
import { tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import type { ConversationBody, EndedEvent } from './bodies.ts';
import { channelFrom, samplesOf } from './channel-audio.ts';
import { eventually } from './eventually.ts';
import { HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';

interface ConnectionBody {
  to: string;
  end_reason: string | null;
}

interface RecordingBody {
  state: string;
  channels: { connection_id: string; from: string; no_media: boolean | null }[];
}

const password = 'secret';
const user = '2001';
const ringbackHz = 425;
const announcementHz = 1100;

const scene = await Scene.open({
  settings: { CALLREEL_SIP_USERS: JSON.stringify([{ username: user, password }]) },
});
const http = new HttpClient(scene.server.callreel);
const phones: Phone[] = [];
after(async () => {
  await Promise.all(phones.map((phone) => phone.close()));
  await scene[Symbol.asyncDispose]();
});

async function phone(number: string): Promise<Phone> {
  const made = await Phone.create({ number });
  phones.push(made);
  return made;
}

/** A phone that a trunk of its own reaches by these numbers. */
async function dialled(prefix: string): Promise<Phone> {
  const called = await phone('called');
  const trunk = { name: `to${prefix.slice(1)}`, host: '127.0.0.1', port: parseSipUri(called.sipUri)?.port };
  assert.equal((await http.json('POST', '/v1/trunks', { ...trunk, routes: [{ prefix }] })).status, 201);
  await http.json('POST', '/v1/dial-permissions', { prefix, allow: true });
  return called;
}

async function endReasons(to: string, count: number): Promise<string[]> {
  return eventually(`${count} calls to ${to} ended`, async () => {
    const { body } = await http.get<{ results: ConnectionBody[] }>(
      `/v1/connections?direction=outgoing&to=${encodeURIComponent(to)}`,
    );
    const reasons = body.results.flatMap(({ end_reason }) => (end_reason === null ? [] : [end_reason]));
    return reasons.length === count ? reasons.toSorted() : undefined;
  });
}

/** Over a tenth of a second. */
function levelAt(samples: Int16Array, at: number, frequencyHz: number): number {
  return toneLevelDbov(samples.subarray(at, at + 800), 8000, frequencyHz);
}

async function heard(call: Promise<PhoneCall>, frequencyHz: number): Promise<void> {
  const listener = await call;
  await eventually(`a tone of ${frequencyHz} Hz`, () => {
    const samples = listener.received();
    return levelAt(samples, samples.length - 800, frequencyHz) > -30 || undefined;
  });
}

/** As it sounds after G.711. */
function lineCoded(samples: Int16Array): Int16Array {
  const { PCMU } = lineCodecs;
  return PCMU.decode(Buffer.concat(packetPayloads(PCMU, samples)));
}

suite('dialling', { concurrency: true }, () => {
  test('early media is heard by a caller that was not answered yet, and is in no recording', async () => {
    const called = await dialled('+4911');
    scene.handle('/early-events', () => ({}));
    const announcement = noise({ samples: 4000, seed: 11 });
    const answered = Promise.withResolvers<PhoneCall>();
    const progress: number[] = [];
    called.onCall = async (incoming) => {
      incoming.ring();
      const play = await incoming.early();
      await play(announcement);
      answered.resolve(await incoming.answer());
    };
    const caller = await scene.call(
      [
        {
          name: 'CallPhone',
          phone_number: '+4911123456',
          do_record: true,
          event_callback: scene.app.url('/early-events'),
        },
      ],
      { onProgress: (status) => progress.push(status) },
    );
    const callee = await answered.promise;
    assert.deepEqual([...new Set(progress)], [180, 183]);
    const [said, replied] = [noise({ samples: 4000, seed: 12 }), noise({ samples: 4000, seed: 13 })];
    await Promise.all([caller.play(said), callee.play(replied)]);
    await eventually('the reply heard', () => (caller.received().length > 12_000 ? true : undefined));
    await callee.hangUp();
    await caller.ended;
    assertExactRun(caller.received(), lineCoded(announcement), { label: 'the announcement' });
    assertExactRun(caller.received(), lineCoded(replied), { label: 'the reply' });
    const ended = await scene.app.waitFor<{ type: string }>('/early-events', ({ type }) => type === 'ended');
    const { conversation_id: id } = ended.body as { conversation_id: string };
    const { mixed_audio, channels } = await scene.conversation(id);
    assert.equal(channels.length, 2);
    for (const audio of [mixed_audio!, ...channels.map((channel) => channel.audio)])
      assertNoRun(await samplesOf(audio), lineCoded(announcement));
  });

  test('an answered caller hears a ringing tone until the called side sends something itself', async () => {
    const called = await dialled('+4912');
    const announcement = tone({ frequencyHz: announcementHz, durationMs: 1000 });
    const answered = Promise.withResolvers<PhoneCall>();
    called.onCall = async (incoming) => {
      incoming.ring();
      await heard(caller, ringbackHz);
      const play = await incoming.early();
      await play(announcement);
      answered.resolve(await incoming.answer());
    };
    const caller = scene.call([
      { name: 'Say', text: 'Hello.' },
      { name: 'CallPhone', phone_number: '+4912123456' },
    ]);
    const callee = await answered.promise;
    await heard(caller, announcementHz);
    await callee.hangUp();
    const listener = await caller;
    await listener.ended;
    const samples = listener.received();
    const first = samples.findIndex((_, at) => at % 160 === 0 && levelAt(samples, at, announcementHz) > -30);
    assert.ok(first > 0);
    for (let at = first + 800; at + 800 <= samples.length; at += 160)
      assert.ok(levelAt(samples, at, ringbackHz) < -40, `the tone goes on at ${at}`);
  });

  test('T7 the first word of a phone that speaks as it answers is recorded and heard', async () => {
    const called = await dialled('+4913');
    for (let round = 0; round < 5; round++) {
      const word = noise({ samples: 1600, seed: 130 + round });
      const events = `/first-word-${round}`;
      const phone_number = `+4913${round}23456`;
      const answered = Promise.withResolvers<PhoneCall>();
      called.onCall = async (incoming) => {
        incoming.ring();
        answered.resolve(await incoming.answer({ atOnce: word }));
      };
      const event_callback = scene.handle(events, () => ({}));
      const caller = await scene.call([{ name: 'CallPhone', phone_number, do_record: true, event_callback }]);
      const callee = await answered.promise;
      const end = lineCoded(word).subarray(-160);
      await eventually('the word heard', () => findPayloadRun(caller.received(), end) >= 0 || undefined);
      await callee.hangUp();
      await caller.ended;
      assertExactRun(caller.received(), lineCoded(word), { label: `heard, call ${round}` });
      const ended = await scene.app.waitFor<{ type: string }>(events, ({ type }) => type === 'ended');
      const { channels } = await scene.conversation((ended.body as EndedEvent).conversation_id);
      const channel = channels.find(({ to }) => to === phone_number)!;
      const label = `recorded, call ${round}`;
      const at = assertExactRun(await samplesOf(channel.audio), lineCoded(word), { label });
      assert.equal(at, 0, 'from the first sample of its channel on');
    }
  });

  test('a caller that nobody answered is told what the called party said', async () => {
    const called = await dialled('+4914');
    const routine = [{ name: 'CallPhone', phone_number: '+4914123456' }];
    for (const status of [486, 603, 404]) {
      called.onCall = (incoming) => incoming.reject(status);
      await assert.rejects(scene.call(routine), new RegExp(`${status}`));
    }
    // What it said is about its own phone, not about the call.
    called.onCall = (incoming) => incoming.reject(488);
    await assert.rejects(scene.call(routine), /480/);
    // Somebody else is tried, and the caller is told of that one.
    called.onCall = (incoming) => incoming.reject(486);
    await assert.rejects(scene.call([...routine, { name: 'CallClient', client_name: 'nobody' }]), /480/);
    // Whoever was answered hears no status.
    const answered = await scene.call([{ name: 'Say', text: 'One moment.' }, ...routine]);
    assert.equal((await answered.ended).cause, 'remote');
  });

  test('every phone of a user rings, the first answer wins, the others stop', async () => {
    const [desk, mobile] = [await phone(user), await phone(user)];
    const sip = scene.server.callreel.sip.find(({ transport }) => transport === 'udp')!;
    for (const each of [desk, mobile]) await each.register(sip, new Secret(password));
    const ringing = Promise.withResolvers<IncomingPhoneCall>();
    desk.onCall = (incoming) => {
      incoming.ring();
      ringing.resolve(incoming);
    };
    const answered = Promise.withResolvers<PhoneCall>();
    mobile.onCall = async (incoming) => {
      incoming.ring();
      await ringing.promise;
      answered.resolve(await incoming.answer());
    };
    const caller = await scene.call([{ name: 'CallClient', client_name: user }]);
    const callee = await answered.promise;
    const { session } = await ringing.promise;
    await eventually('the other phone stops', () => (session.state === 'ended' ? true : undefined));
    const said = noise({ samples: 2400, seed: 21 });
    await caller.play(said);
    await eventually('it was heard', () => (callee.received().length >= 2400 ? true : undefined));
    await callee.hangUp();
    await caller.ended;
    assert.deepEqual(await endReasons(`sip:${user}`, 2), ['answered-elsewhere', 'hung-up']);
  });

  test('T8 one-way audio: a file, and `no_media` on the leg that was silent', async () => {
    const ann = await scene.call([scene.join('one way', { do_record: true })]);
    const bob = await scene.call([scene.join('one way', { do_record: true })]);
    const said = noise({ samples: 8000, seed: 31 });
    await ann.play(said);
    await Promise.all([ann, bob].map((call) => call.hangUp()));
    const conversation: ConversationBody = await scene.endedConversation({ conference_name: 'one way' });
    assertExactRun(await samplesOf(channelFrom(conversation, ann).audio), ann.sent());
    const silent = channelFrom(conversation, bob);
    assert.ok((await samplesOf(silent.audio)).every((sample) => sample === 0));
    assertExactRun(await samplesOf(conversation.mixed_audio!), ann.sent());

    const { body: list } = await http.get<{ results: { recording_id: string }[] }>(
      `/v1/recordings?conversation_id=${conversation.conversation_id}`,
    );
    const { body } = await http.get<RecordingBody>(`/v1/recordings/${list.results[0]!.recording_id}`);
    const flags = new Map(body.channels.map((channel) => [channel.from, channel.no_media]));
    assert.deepEqual(
      [ann, bob].map(({ session }) => flags.get(session.from.user)),
      [false, true],
    );
  });
});
