import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { decodeWav } from '../../src/testkit/audio-file.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun, assertNoRun, findPayloadRun } from '../../src/testkit/sample-run.ts';
import { type BareAnswer, bareGet } from './bare-request.ts';
import type { ChannelBody, ConversationBody, EndedEvent } from './bodies.ts';
import { assertOnlyRun, channelFrom, channelsFrom, samplesOf, settledSamples } from './channel-audio.ts';
import { eventually } from './eventually.ts';
import { type ErrorBody, HttpClient, type Page } from './http-client.ts';
import { Scene } from './scene.ts';
import { say } from './utterance.ts';

/**
 * Rows of docs/dialects/sift.md about the Conversation object and its event. Ann joins, Bob joins, Ann speaks twice with a
 * pause, leaves by key while Bob speaks, comes back and speaks again; later Ann is alone in a conference of that name.
 */
const guideNumber = '+15558881188';
const conference_name = 'my_conference';
const pauseMs = 300;

interface Witnessed {
  conversation: ConversationBody;
  /** Of every link in it: the mix's and the channels' WAV and MP3. */
  files: BareAnswer[];
}

const scene = await Scene.open();
const client = new HttpClient(scene.server.callreel);
/** What the application saw in each of its events, while the event was still being delivered. */
const witnessed = new Map<string, Witnessed>();
const event_callback = scene.handle<EndedEvent>('/conference_event', async (event) => {
  const conversation = await scene.conversation(event.conversation_id);
  const audios = [conversation.audio!, ...conversation.channels.map(({ audio }) => audio)];
  const links = audios.flatMap(({ wav_file, mp3_file }) => [wav_file, mp3_file]);
  witnessed.set(event.conversation_id, {
    conversation,
    files: await Promise.all(links.map((u) => bareGet(u))),
  });
  return {};
});
let ann: PhoneCall;
let bob: PhoneCall;
let onlyAnn: ConversationBody;
let both: ConversationBody;
let said: { first: Int16Array; second: Int16Array; away: Int16Array; back: Int16Array };
let endedEvent: EndedEvent;
let inHandler: Witnessed;
let conversation: ConversationBody;
let left: ChannelBody;
let returned: ChannelBody;
let bobChannel: ChannelBody;

before(async () => {
  const join = { ...scene.join(conference_name, { do_record: true, leave_key: '*' }), event_callback };
  ann = await scene.call([join, join], { number: guideNumber });
  const { conversation_id: id } = await scene.conference(conference_name);
  onlyAnn = await liveConversation(1);
  await setTimeout(pauseMs);
  bob = await scene.call([join]);
  const [annStay] = await scene.participants(conference_name, 2);
  both = await liveConversation(2);
  const first = await say(ann, 301);
  await setTimeout(pauseMs);
  const second = await say(ann, 302);
  await ann.pressDigit('*');
  await scene.participants(conference_name, 2, ({ channel_id }) => channel_id !== annStay!.channel_id);
  const away = await say(bob, 303);
  await setTimeout(pauseMs);
  const back = await say(ann, 304);
  said = { first, second, away, back };
  await Promise.all([ann.hangUp(), bob.hangUp()]);
  endedEvent = await endedEventOf(id);
  inHandler = await eventually('the files in the event handler', () => witnessed.get(id));
  conversation = await scene.conversation(id);
  [left, returned] = channelsFrom(conversation, ann) as [ChannelBody, ChannelBody];
  bobChannel = channelFrom(conversation, bob);
});

after(() => scene[Symbol.asyncDispose]());

/** The conversation while it goes on, once it tells of so many stays. */
function liveConversation(stays: number): Promise<ConversationBody> {
  const path = `/v0/conversations?status=active&conference_name=${conference_name}`;
  return eventually(`${stays} channels`, async () => {
    const { body } = await client.get<Page<ConversationBody>>(path);
    return body.results.find(({ channels }) => channels.length === stays);
  });
}

async function endedEventOf(id: string): Promise<EndedEvent> {
  const wanted = (event: EndedEvent) => event.type === 'ended' && event.conversation_id === id;
  return (await scene.app.waitFor<EndedEvent>('/conference_event', wanted)).body as EndedEvent;
}

suite('sift rows: conversation', () => {
  test('G10: one do_record gives the individual recordings and the unified one', async () => {
    const mix = await samplesOf(conversation.audio!);
    for (const [channel, words] of [
      [left, said.second],
      [bobChannel, said.away],
      [returned, said.back],
    ] as const) {
      assertExactRun(await samplesOf(channel.audio), words);
      assertExactRun(mix, words);
    }
  });

  test('G13: when the event comes, the recordings are final', () => {
    const { conversation: then } = inHandler;
    const durations = ({ audio, channels }: ConversationBody) => [
      audio!.duration_ms,
      ...channels.map((channel) => [channel.end_ms, channel.audio.duration_ms]),
    ];
    assert.equal(then.status, 'ended');
    assert.deepEqual(durations(then), durations(conversation));
  });

  test('G14: the application downloads every file from inside its event handler', async () => {
    const { files } = inHandler;
    assert.deepEqual(
      files.map(({ status, contentType }) => [status, contentType]),
      Array.from({ length: 4 }, () => [
        [200, 'audio/wav'],
        [200, 'audio/mpeg'],
      ]).flat(),
    );
    assert.deepEqual(decodeWav(files[0]!.bytes).channels, [await samplesOf(conversation.audio!)]);
    assert.deepEqual(scene.app.log.failures, []);
  });

  test('G15: the event has type and event_type "ended" and the conversation_id', () => {
    assert.deepEqual(
      [endedEvent.type, endedEvent.event_type, endedEvent.conversation_id],
      ['ended', 'ended', conversation.conversation_id],
    );
    assert.match(endedEvent.conversation_id, /^[0-9a-f]{16}$/);
  });

  test('G17: the Conversation Ended Event is sent once, at the last leave', () => {
    const { accountId } = scene.server.callreel.credentials;
    const events = scene.app.requests('/conference_event').map(({ body }) => body as EndedEvent);
    const ofThis = events.filter(({ conversation_id }) => conversation_id === conversation.conversation_id);
    assert.deepEqual(ofThis, [
      {
        type: 'ended',
        event_type: 'ended',
        account_id: accountId,
        conversation_id: conversation.conversation_id,
        conference_name,
        start_time: conversation.start_time,
        end_time: conversation.end_time,
      },
    ]);
    const spokenMs = Date.parse(conversation.end_time!) - Date.parse(conversation.start_time);
    assert.ok(spokenMs >= returned.start_ms, `${spokenMs} ms`);
  });

  test('G18: GET /v0/conversations/{id} gives the Conversation; without Basic auth a clear 401', async () => {
    const path = `/v0/conversations/${conversation.conversation_id}`;
    const answer = await client.get<ConversationBody>(path);
    assert.equal(answer.status, 200);
    assert.equal(answer.body.conversation_id, conversation.conversation_id);
    const refused = await bareGet(scene.server.callreel.publicUrl + path);
    const { error } = JSON.parse(refused.bytes.toString()) as ErrorBody;
    assert.deepEqual([refused.status, error.code], [401, 'UNAUTHORIZED']);
    assert.match(error.todo, /HTTP Basic/);
  });

  test('G24: channels is a list, one object for each stay of a connection', () => {
    assert.equal(conversation.channels.length, 3);
    assert.equal(new Set(conversation.channels.map(({ audio }) => audio.wav_file)).size, 3);
  });

  test('G26: every connection that joins adds a channel while the conference goes on, in join order', () => {
    const stays = ({ channels }: ConversationBody) => channels.map(({ from, start_ms }) => [from, start_ms]);
    assert.deepEqual([onlyAnn.status, both.status], ['active', 'active']);
    assert.deepEqual(stays(onlyAnn), [[guideNumber, left.start_ms]]);
    assert.deepEqual(stays(both), [...stays(onlyAnn), [bob.session.from.user, bobChannel.start_ms]]);
    assert.deepEqual(stays(conversation), [...stays(both), [guideNumber, returned.start_ms]]);
  });

  test('G27: a channel tells of its connection', async () => {
    for (const channel of conversation.channels) {
      const { connection_id, from, to, direction, start_ms, end_ms } = channel;
      const { body } = await client.get<Record<string, unknown>>(`/v0/connections/${connection_id}`);
      assert.deepEqual(
        { connection_id, from, to, direction: 'incoming' },
        { connection_id: body.connection_id, from: body.from, to: body.to, direction: body.direction },
      );
      assert.equal(direction, 'incoming');
      assert.ok(Number.isInteger(start_ms) && Number.isInteger(end_ms) && end_ms! > start_ms);
    }
  });

  test('G28: channel.from is the phone number, or the SIP URI of who has none', async () => {
    const numbers = conversation.channels.map(({ from }) => from);
    assert.deepEqual(
      numbers.filter((number) => number === '+15558881188'),
      ['+15558881188', '+15558881188'],
    );
    assert.equal(numbers[1], bob.session.from.user);
    const uri = 'sip:alice@127.0.0.1';
    scene.audience.routineFor(uri, [scene.join('by name', { do_record: true })]);
    const alice = await scene.call([], { number: 'alice' });
    await alice.hangUp();
    const { channels } = await scene.endedConversation({ conference_name: 'by name' });
    assert.deepEqual(
      channels.map(({ from }) => from),
      [uri],
    );
  });

  test('G28: a number with visual separators or parameters is that number', async () => {
    const number = '+15558881190';
    scene.audience.routineFor(number, [scene.join('as numbers are written', { do_record: true })]);
    for (const [index, user] of ['+1-555-888-1190', '+1(555)888.1190', `${number};user=phone`].entries()) {
      const call = await scene.call([], { number: user });
      await scene.participants('as numbers are written', 1);
      await call.hangUp();
      const [event] = (
        await scene.audience.allEnded({ conference_name: 'as numbers are written' }, index + 1)
      ).slice(-1);
      const { channels } = await scene.conversation(event!.conversation_id);
      assert.deepEqual(
        channels.map(({ from }) => from),
        [number],
        user,
      );
    }
  });

  test('G29: leaving and re-joining makes two channels of one connection', async () => {
    assert.equal(left.connection_id, returned.connection_id);
    assert.ok(left.end_ms! <= returned.start_ms, `${left.end_ms} ms to ${returned.start_ms} ms`);
    assertExactRun(await samplesOf(left.audio), said.first);
    assertOnlyRun(await samplesOf(returned.audio), said.back, 'after the return');
  });

  test('G30: a channel is one contiguous block; the silence inside a stay is kept', async () => {
    const samples = await samplesOf(left.audio);
    const first = assertExactRun(samples, said.first);
    const second = assertExactRun(samples, said.second);
    const pause = samples.subarray(first + said.first.length, second);
    // The last packet had 20 ms to go when the pause began, or more on a busy machine.
    assert.ok(pause.length >= (pauseMs / 2) * 8, `${pause.length} samples`);
    assert.ok(pause.every((sample) => sample === 0));
    assert.ok(
      Math.abs(samples.length / 8 - (left.end_ms! - left.start_ms)) <= 1,
      `${samples.length} samples`,
    );
  });

  test('G31: start_ms counts from the start of the conversation, and the mix lines up by it', async () => {
    const mix = await samplesOf(conversation.audio!);
    assert.ok(left.start_ms < bobChannel.start_ms && bobChannel.start_ms < returned.start_ms);
    assert.ok(bobChannel.start_ms >= pauseMs, `Bob came at ${bobChannel.start_ms} ms`);
    for (const [channel, words] of [
      [left, said.first],
      [bobChannel, said.away],
      [returned, said.back],
    ] as const) {
      const inChannel = assertExactRun(await samplesOf(channel.audio), words);
      const offset = assertExactRun(mix, words) - inChannel;
      assert.ok(Math.abs(offset - channel.start_ms * 8) <= 8, `${offset / 8} ms, ${channel.start_ms} ms`);
    }
  });

  test('G31: a recording that begins late lines up as well, while it grows and afterwards', async () => {
    const name = 'recorded late';
    const early = await scene.call([scene.join(name)]);
    const { conversation_id: id } = await scene.conference(name);
    const before = await say(early, 306);
    await setTimeout(1500);
    const late = await scene.call([scene.join(name, { do_record: true })]);
    await scene.participants(name, 2);
    const words = await say(late, 307);
    await setTimeout(pauseMs);
    // A growing file ends where nothing that comes later can change it: both talk on.
    const talk = [early, late].map((call, k) => call.play(noise({ samples: 32_000, seed: 308 + k })));
    const growing = await eventually('the words in the growing mix', async () => {
      const live = await scene.conversation(id);
      const samples = live.audio ? await settledSamples(live.audio) : new Int16Array();
      return findPayloadRun(samples, words) < 0 ? undefined : live;
    });
    const [liveMix, liveChannel] = [growing.audio!, channelFrom(growing, late).audio];
    const inLiveMix = assertExactRun(await settledSamples(liveMix), words);
    const inLiveChannel = assertExactRun(await settledSamples(liveChannel), words);
    await Promise.all(talk);
    await Promise.all([early.hangUp(), late.hangUp()]);
    const ended = await scene.endedConversation({ conference_name: name });
    const mix = await samplesOf(ended.audio!);
    const earlyChannel = channelFrom(ended, early);
    const lateChannel = channelFrom(ended, late);
    assert.ok(earlyChannel.start_ms >= 2000, `recorded from ${earlyChannel.start_ms} ms`);
    assert.ok(mix.subarray(0, earlyChannel.start_ms * 8 - 8).every((sample) => sample === 0));
    assertNoRun(mix, before, { label: 'what was said before the recording' });
    for (const [inMix, inChannel] of [
      [inLiveMix, inLiveChannel],
      [assertExactRun(mix, words), assertExactRun(await samplesOf(lateChannel.audio), words)],
    ] as const) {
      const offset = inMix - inChannel;
      assert.ok(
        Math.abs(offset - lateChannel.start_ms * 8) <= 8,
        `${offset / 8}, ${lateChannel.start_ms} ms`,
      );
    }
    const lastMs = Math.max(...ended.channels.map(({ end_ms }) => end_ms!));
    assert.ok(
      Math.abs(ended.audio!.duration_ms - lastMs) <= 40,
      `${ended.audio!.duration_ms} ms, ${lastMs} ms`,
    );
    const mp3 = await bareGet(ended.audio!.mp3_file);
    assert.deepEqual([mp3.status, mp3.contentType], [200, 'audio/mpeg']);
  });

  test('G37: connection_id is a string, the same in every stay', () => {
    assert.match(left.connection_id, /^[0-9a-f]{16}$/);
    assert.equal(returned.connection_id, left.connection_id);
    assert.equal(both.channels[0]!.connection_id, left.connection_id);
    assert.notEqual(bobChannel.connection_id, left.connection_id);
  });

  test("G38: the API is below /v0 of our host, also for who still asks for the vendor's", async () => {
    const { accountId, authToken } = scene.server.callreel.credentials;
    const authorization = `Basic ${Buffer.from(`${accountId}:${authToken.reveal()}`).toString('base64')}`;
    const url = `${scene.server.callreel.publicUrl}/v0/conversations/${conversation.conversation_id}`;
    const { status, bytes } = await bareGet(url, { host: 'api.gridspace.com', authorization });
    assert.equal(status, 200);
    const body = JSON.parse(bytes.toString()) as ConversationBody;
    assert.equal(body.conversation_id, conversation.conversation_id);
    assert.ok(body.audio!.wav_file.startsWith(scene.server.callreel.publicUrl));
  });

  test('G40: the same name later is a new conversation with files of its own', async () => {
    const join = { ...scene.join(conference_name, { do_record: true }), event_callback };
    const again = await scene.call([join]);
    const { conversation_id: id } = await scene.conference(conference_name);
    const words = await say(again, 305);
    await again.hangUp();
    await endedEventOf(id);
    assert.notEqual(id, conversation.conversation_id);
    const later = await scene.conversation(id);
    assertOnlyRun(await samplesOf(channelFrom(later, again).audio), words, 'the later conference');
    assert.equal((await scene.conversation(conversation.conversation_id)).channels.length, 3);
  });
});
