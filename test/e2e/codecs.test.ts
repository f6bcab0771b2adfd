import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import type { LineCodecName } from '../../src/testkit/line-codec.ts';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { fetchAudio, monoSamples } from '../../src/testkit/recorded-audio.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import type { ConversationBody } from './bodies.ts';
import { channelFrom } from './channel-audio.ts';
import { HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());
const client = new HttpClient(scene.server.callreel);
await client.json('POST', '/v1/dial-permissions', { prefix: 'sip:127.0.0.1', allow: true });

const spokenDbov = -15;

interface Party {
  codec: LineCodecName;
  packetMs?: number;
  frequencyHz: number;
}

function speak(call: PhoneCall, frequencyHz: number): Promise<boolean> {
  const { rateHz } = lineCodecs[call.codec];
  const samples = tone({ frequencyHz, durationMs: 1500, rateHz, levelDbov: spokenDbov });
  return call.play(samples, { rateHz });
}

/** The tone stands there at its level, and none of the others does. */
function assertTones(
  samples: Int16Array,
  rateHz: number,
  frequenciesHz: readonly number[],
  absentHz: readonly number[],
  label: string,
): void {
  for (const frequencyHz of frequenciesHz) {
    const level = toneLevelDbov(samples, rateHz, frequencyHz);
    assert.ok(Math.abs(level - spokenDbov) < 6, `${label}: ${frequencyHz} Hz at ${level} dBov`);
  }
  for (const frequencyHz of absentHz) {
    const level = toneLevelDbov(samples, rateHz, frequencyHz);
    assert.ok(level < spokenDbov - 30, `${label}: ${frequencyHz} Hz at ${level} dBov`);
  }
}

/** As `assertTones`, of live audio: on a busy machine there are holes in it, so each tone's best stretch counts. */
function assertHeard(
  samples: Int16Array,
  rateHz: number,
  frequenciesHz: readonly number[],
  absentHz: readonly number[],
  label: string,
): void {
  assertTones(samples, rateHz, [], absentHz, label);
  const length = 0.3 * rateHz;
  for (const frequencyHz of frequenciesHz) {
    const levels: number[] = [];
    for (let start = 0; start + length <= samples.length; start += length / 3)
      levels.push(toneLevelDbov(samples, rateHz, frequencyHz, { start, end: start + length }));
    const level = Math.max(...levels);
    assert.ok(Math.abs(level - spokenDbov) < 6, `${label}: ${frequencyHz} Hz at ${level} dBov`);
  }
}

async function assertChannel(
  conversation: ConversationBody,
  call: PhoneCall,
  rateHz: number,
  frequencyHz: number,
  absentHz: readonly number[],
): Promise<void> {
  const audio = await fetchAudio(channelFrom(conversation, call).audio.wav_file);
  assert.equal(audio.rateHz, rateHz);
  assertTones(monoSamples(audio), rateHz, [frequencyHz], absentHz, `channel of ${call.codec}`);
}

const [firstHz, secondHz, thirdHz] = partyTonesHz;

suite('codecs', { concurrency: true }, () => {
  const conferences: { name: string; parties: Party[]; recordedHz: number }[] = [
    {
      name: 'G722 and PCMU',
      parties: [
        { codec: 'G722', frequencyHz: firstHz },
        { codec: 'PCMU', frequencyHz: secondHz },
      ],
      recordedHz: 16_000,
    },
    {
      name: 'three codecs and packet lengths',
      parties: [
        { codec: 'PCMA', packetMs: 30, frequencyHz: firstHz },
        { codec: 'OPUS', packetMs: 60, frequencyHz: secondHz },
        { codec: 'G722', packetMs: 10, frequencyHz: thirdHz },
      ],
      recordedHz: 8000,
    },
    {
      name: 'Opus alone',
      parties: [
        { codec: 'OPUS', frequencyHz: 6000 },
        { codec: 'OPUS', packetMs: 40, frequencyHz: secondHz },
      ],
      recordedHz: 48_000,
    },
  ];
  for (const { name, parties, recordedHz } of conferences)
    test(`${name} hear each other in a conference, and are recorded at the rate of who came first`, async () => {
      const calls: PhoneCall[] = [];
      for (const { codec, packetMs } of parties) {
        const spoken = { codecs: [codec], ...(packetMs !== undefined && { packetMs }) };
        calls.push(await scene.call([scene.join(name, { do_record: true })], spoken));
        assert.equal(calls.at(-1)?.codec, codec);
        await scene.participants(name, calls.length);
      }
      await Promise.all(calls.map((call, i) => speak(call, parties[i]!.frequencyHz)));
      for (const call of calls) await call.hangUp();
      const tones = parties.map(({ frequencyHz }) => frequencyHz);
      for (const [i, call] of calls.entries()) {
        const { rateHz } = lineCodecs[call.codec];
        const others = tones.filter((_, other) => other !== i);
        assertHeard(call.received(rateHz), rateHz, others, [tones[i]!], `heard by ${call.codec}`);
      }
      const conversation = await scene.endedConversation({ conference_name: name });
      for (const [i, call] of calls.entries())
        await assertChannel(
          conversation,
          call,
          recordedHz,
          tones[i]!,
          tones.filter((_, other) => other !== i),
        );
    });

  test('a phone that is called answers with Opus by the number of the offer, another than its own', async () => {
    const called = await scene.audience.phone();
    const { promise, resolve, reject } = Promise.withResolvers<PhoneCall>();
    called.onCall = (incoming) => incoming.answer({ codecs: ['OPUS'] }).then(resolve, reject);
    const event_callback = scene.handle('/answered-opus', () => ({}));
    const caller = await scene.call(
      [{ name: 'CallPhone', phone_number: called.sipUri, do_record: true, event_callback }],
      { codecs: ['OPUS'], opusPayloadType: 120 },
    );
    const answered = await promise;
    assert.deepEqual([caller.codec, answered.codec], ['OPUS', 'OPUS']);
    await Promise.all([speak(caller, firstHz), speak(answered, 6000)]);
    await caller.hangUp();
    assertHeard(caller.received(48_000), 48_000, [6000], [firstHz], 'heard by the caller');
    assertHeard(answered.received(48_000), 48_000, [firstHz], [6000], 'heard by the called');
    const numbers = [caller, answered].map(({ sentPayloads }) => sentPayloads[0]!.payloadType);
    assert.equal(numbers[0], 120);
    assert.notEqual(numbers[1], 111, 'the number of our offer');
  });

  test('a call between Opus and PCMA is transcoded both ways', async () => {
    const called = await scene.audience.phone();
    const { promise, resolve, reject } = Promise.withResolvers<PhoneCall>();
    called.onCall = (incoming) => incoming.answer({ codecs: ['PCMA'] }).then(resolve, reject);
    const event_callback = scene.handle('/transcoded', () => ({}));
    const caller = await scene.call(
      [{ name: 'CallPhone', phone_number: called.sipUri, do_record: true, event_callback }],
      { codecs: ['OPUS'] },
    );
    const answered = await promise;
    assert.deepEqual([caller.codec, answered.codec], ['OPUS', 'PCMA']);
    await Promise.all([speak(caller, firstHz), speak(answered, secondHz)]);
    await caller.hangUp();
    assertHeard(caller.received(48_000), 48_000, [secondHz], [firstHz], 'heard by the caller');
    assertHeard(answered.received(), 8000, [firstHz], [secondHz], 'heard by the called');
  });
});
