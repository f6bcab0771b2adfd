import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { pcmBytes, searchPayload } from '../../src/testkit/payload-search.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { partyTonesHz, tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import type { ConversationBody } from './bodies.ts';
import { assertOnlyRun, channelFrom, samplesOf } from './channel-audio.ts';
import { Scene } from './scene.ts';
import { downloadEverything, unsealSpool } from './unseal.ts';

/** One recorded conference of four tones, and a fifth party that opted out. */
const durationMs = 2500;
const toneDbov = -18;
const optedOutHz = 2111;
const isolationDb = 60;

const scene = await Scene.open();
const scratch = mkdtempSync(join(tmpdir(), 'callreel-unsealed-'));
let recorded: PhoneCall[];
let optedOut: PhoneCall;
let foundInMidCall: number;
let conversation: ConversationBody;

before(async () => {
  const join4 = partyTonesHz.map(() => scene.call([scene.join('isolation', { do_record: true })]));
  const join5 = scene.call([scene.join('isolation', { do_record: false })]);
  [recorded, optedOut] = [await Promise.all(join4), await join5];
  const speaking = recorded.map((call, party) => call.play(marked(partyTonesHz[party]!, party)));
  assert.equal(await optedOut.play(marked(optedOutHz, 5)), true);
  foundInMidCall = await hitsIn(scene.server.dataDir, optedOut);
  assert.deepEqual(await Promise.all(speaking), [true, true, true, true]);
  await Promise.all([...recorded, optedOut].map((call) => call.hangUp()));
  conversation = await scene.endedConversation({ conference_name: 'isolation' });
});

after(async () => {
  await scene[Symbol.asyncDispose]();
  rmSync(scratch, { recursive: true });
});

test('each channel is the payload of its own party, bit for bit, and silence around it', async () => {
  assert.equal(conversation.channels.length, recorded.length);
  for (const call of recorded) {
    const said = call.sent();
    assert.equal(said.length, durationMs * 8);
    assertOnlyRun(await samplesOf(channelFrom(conversation, call).audio), said, call.session.from.user);
  }
});

test('each channel carries its own tone, and every other at least 60 dB below', async () => {
  for (const [party, call] of recorded.entries()) {
    const samples = await samplesOf(channelFrom(conversation, call).audio);
    const own = levelOf(samples, partyTonesHz[party]!);
    assert.ok(Math.abs(own - toneDbov) < 0.5, `${own} dBov`);
    for (const otherHz of [...partyTonesHz, optedOutHz].filter((hertz) => hertz !== partyTonesHz[party]))
      assert.ok(own - levelOf(samples, otherHz) >= isolationDb, `${otherHz} Hz in the channel of ${party}`);
  }
});

test('the mix carries all four within 1 dB, does not clip, and knows nothing of the party that opted out', async () => {
  const mix = await samplesOf(conversation.mixed_audio!);
  assert.ok(mix.every((sample) => Math.abs(sample) < 32_767));
  const starts = await Promise.all(recorded.map(startInMix));
  const span = { start: Math.max(...starts), end: Math.min(...starts) + durationMs * 8 };
  assert.ok(span.end - span.start > 8 * 1000, 'they spoke at the same time');
  for (const hertz of partyTonesHz) {
    const level = toneLevelDbov(mix, 8000, hertz, span);
    assert.ok(Math.abs(level - toneDbov) < 1, `${hertz} Hz: ${level} dBov`);
  }
  const forbidden = toneLevelDbov(mix, 8000, optedOutHz, span);
  assert.ok(forbidden < toneDbov - isolationDb, `${optedOutHz} Hz: ${forbidden} dBov`);
});

test('the party that opted out hears the others and is heard by them', () => {
  for (const [party, call] of recorded.entries()) {
    const heard = call.received();
    const level = levelOf(heard, optedOutHz);
    assert.ok(Math.abs(level - toneDbov) < 3, `${party} hears it at ${level} dBov`);
    assert.ok(levelOf(heard, partyTonesHz[party]!) < toneDbov - 30, `${party} hears itself`);
  }
  const heard = optedOut.received();
  for (const hertz of partyTonesHz)
    assert.ok(Math.abs(levelOf(heard, hertz) - toneDbov) < 3, `${hertz} Hz at ${levelOf(heard, hertz)} dBov`);
  assert.ok(levelOf(heard, optedOutHz) < toneDbov - 30, 'it hears itself');
});

test('its payload is nowhere in the data directory, sealed or opened, where the same search finds a control', async () => {
  assert.equal(foundInMidCall, 0);
  assert.equal(await hitsIn(scene.server.dataDir, optedOut), 0);
  assert.equal(await hitsIn(scene.server.dataDir, recorded[0]!), 0, 'nothing lies there unsealed');
  const { recordings, segments, unopened } = unsealSpool(scene.server.dataDir, scratch);
  assert.deepEqual({ recordings, unopened }, { recordings: 1, unopened: [] });
  assert.ok(segments >= recorded.length);
  assert.equal(await downloadEverything(conversation, scratch), 1 + recorded.length);
  assert.equal(await hitsIn(scratch, optedOut), 0);
  for (const control of recorded)
    assert.equal(await hitsIn(scratch, control), 2 * patternsOf(control).length, 'as payload and as PCM');
});

/** A tone, and under it noise that makes every packet's bytes stand nowhere else. */
function marked(frequencyHz: number, seed: number): Int16Array {
  const mark = noise({ samples: durationMs * 8, seed, levelDbov: -55 });
  return tone({ frequencyHz, durationMs, levelDbov: toneDbov }).map((sample, index) => sample + mark[index]!);
}

/** Over the loud middle, so that a mix's beginning and end are left out. */
function levelOf(samples: Int16Array, frequencyHz: number): number {
  return toneLevelDbov(samples, 8000, frequencyHz);
}

async function startInMix(call: PhoneCall): Promise<number> {
  const channel = channelFrom(conversation, call);
  const start = assertOnlyRun(await samplesOf(channel.audio), call.sent(), call.session.from.user);
  return start + channel.start_ms * 8;
}

/** A few packets of what a party said. */
function patternsOf(call: PhoneCall): Uint8Array[] {
  return call.sentPayloads.filter((_, index) => index % 60 === 30).map(({ payload }) => payload);
}

/** How many times those packets are found, as they were sent or decoded. */
async function hitsIn(directory: string, call: PhoneCall): Promise<number> {
  let hits = 0;
  for (const payload of patternsOf(call))
    for (const pattern of [payload, pcmBytes(lineCodecs[call.codec].decode(payload))]) {
      const search = await searchPayload(directory, pattern);
      assert.ok(search.filesSearched > 0);
      hits += search.hits.length;
    }
  return hits;
}
