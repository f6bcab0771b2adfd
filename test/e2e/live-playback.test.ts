import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LinkSigner } from '../../src/auth/signed-link.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import type { ConversationBody } from './bodies.ts';
import {
  assertOnlyRun,
  channelFrom,
  channelsFrom,
  decoded,
  samplesOf,
  settledSamples,
} from './channel-audio.ts';
import { eventually } from './eventually.ts';
import { mp3Of } from './mp3.ts';
import { Scene } from './scene.ts';

/** The links of one conversation, while it goes on and afterwards. */
const spokenMs = 5500;
const toneHz = 617;

const scene = await Scene.open();
let ann: PhoneCall;
let bob: PhoneCall;
let speaking: Promise<boolean[]>;
let conversationId: string;
let live: ConversationBody;
let liveMix: Int16Array;

before(async () => {
  const command = scene.join('live', { do_record: true });
  [ann, bob] = [await scene.call([command]), await scene.call([command])];
  const annSays = tone({ frequencyHz: toneHz, durationMs: spokenMs, levelDbov: -18 });
  speaking = Promise.all([
    ann.play(annSays),
    bob.play(noise({ samples: spokenMs * 8, seed: 7, levelDbov: -50 })),
  ]);
  conversationId = (await scene.conference('live')).conversation_id;
});

after(() => scene[Symbol.asyncDispose]());

test('while the call goes on, channel and mix answer what was said so far, and later more', async () => {
  live = await eventually('a second of audio in mid-call', async () => {
    const conversation = await scene.conversation(conversationId);
    const [channel] = channelsFrom(conversation, bob);
    const samples = channel && (await settledSamples(channel.audio));
    return samples && samples.length >= 8000 ? conversation : undefined;
  });
  assert.deepEqual([live.status, live.end_time], ['active', null]);
  const { audio, end_ms } = channelFrom(live, bob);
  assert.equal(end_ms, null);
  assertIsPrefix(await settledSamples(audio), bob, 8000);
  liveMix = await settledSamples(live.mixed_audio!);
  assert.ok(liveMix.length >= 4000, `${liveMix.length} samples of the mix`);
  const longer = await eventually('more of it', async () => {
    const samples = await settledSamples(audio);
    return samples.length >= 16_000 ? samples : undefined;
  });
  assertIsPrefix(longer, bob, 16_000);
  const [mp3, contentType] = await mp3Of(live.mixed_audio!);
  assert.equal(contentType, 'audio/mpeg');
  assert.ok(mp3.length > 8000, `${mp3.length} samples of MP3`);
  // Its best stretch: a phone on a busy machine makes holes.
  const levels: number[] = [];
  for (let start = 0; start + 2000 <= mp3.length; start += 500)
    levels.push(toneLevelDbov(mp3, 8000, toneHz, { start, end: start + 2000 }));
  const level = Math.max(...levels);
  assert.ok(Math.abs(level + 18) < 1, `the tone at ${level} dBov`);
  assert.equal(ann.session.state, 'established', 'all that was in mid-call');
});

test('afterwards the same links give the whole, and what was heard before is its beginning', async () => {
  assert.deepEqual(await speaking, [true, true]);
  await Promise.all([ann, bob].map((call) => call.hangUp()));
  const ended = await scene.endedConversation({ conversation_id: conversationId });
  assert.equal(ended.status, 'ended');
  for (const call of [ann, bob]) {
    const samples = await samplesOf(channelFrom(ended, call).audio);
    assertOnlyRun(samples, call.sent(), call.session.from.user);
    assert.deepEqual(await settledSamples(channelFrom(live, call).audio), samples);
  }
  const mix = await samplesOf(ended.mixed_audio!);
  assert.ok(mix.length > liveMix.length);
  assert.deepEqual(mix.subarray(0, liveMix.length), liveMix);
});

test('a finished file has its exact length, by HEAD too, and every range is a slice of the whole', async () => {
  const { mixed_audio } = await scene.conversation(conversationId);
  const { pathname, searchParams } = new URL(mixed_audio!.wav_file);
  const signer = LinkSigner.fromDataDir(scene.server.dataDir);
  const mp4Path = signer.sign(pathname.replace('.wav', '.mp4'), Number(searchParams.get('expires')));
  const mp4File = scene.server.callreel.publicUrl + mp4Path;
  for (const [url, contentType] of [
    [mixed_audio!.wav_file, 'audio/wav'],
    [mixed_audio!.mp3_file, 'audio/mpeg'],
    [mp4File, 'audio/mp4'],
  ] as const) {
    const whole = await fetch(url);
    const bytes = Buffer.from(await whole.arrayBuffer());
    const head = await fetch(url, { method: 'HEAD' });
    assert.equal((await head.arrayBuffer()).byteLength, 0);
    for (const { status, headers } of [whole, head]) {
      assert.equal(status, 200);
      assert.equal(headers.get('content-length'), String(bytes.length));
      assert.equal(headers.get('accept-ranges'), 'bytes');
    }
    assert.deepEqual(
      [head, whole].map(({ headers }) => headers.get('content-type')),
      [contentType, contentType],
    );
    const { length } = bytes;
    for (const [range, first, last] of [
      ['0-0', 0, 0],
      ['0-43', 0, 43],
      ['43-1044', 43, 1044],
      ['7777-', 7777, length - 1],
      ['-999', length - 999, length - 1],
      [`${length - 1}-${length + 1000}`, length - 1, length - 1],
    ] as const) {
      const part = await fetch(url, { headers: { range: `bytes=${range}` } });
      assert.equal(part.status, 206);
      assert.equal(part.headers.get('content-range'), `bytes ${first}-${last}/${length}`);
      assert.equal(part.headers.get('content-length'), String(last - first + 1));
      assert.ok(bytes.subarray(first, last + 1).equals(Buffer.from(await part.arrayBuffer())), range);
    }
    const outside = await fetch(url, { headers: { range: `bytes=${length}-` } });
    assert.deepEqual([outside.status, outside.headers.get('content-range')], [416, `bytes */${length}`]);
    await outside.arrayBuffer();
  }
});

test('a link that is altered, expired or about something else is refused with the catalogue', async () => {
  const { wav_file } = (await scene.conversation(conversationId)).mixed_audio!;
  const url = new URL(wav_file);
  const altered = new URL(wav_file);
  altered.searchParams.set('expires', String(Number(url.searchParams.get('expires')) + 1));
  const moved = wav_file.replace('/conversation.wav', '/conversation.mp3');
  const bare = wav_file.replace(/\?.*/, '');
  for (const forged of [altered.href, moved, bare])
    await assertRefused(await fetch(forged), 403, 'LINK_INVALID');

  const signer = LinkSigner.fromDataDir(scene.server.dataDir);
  const { publicUrl } = scene.server.callreel;
  const expired =
    publicUrl + signer.sign(url.pathname, Number(url.searchParams.get('expires')) - 48 * 3_600_000);
  await assertRefused(await fetch(expired), 410, 'LINK_EXPIRED');
  const future = Number(url.searchParams.get('expires'));
  for (const path of [
    '/media/recordings/0123456789abcdef/mix.wav',
    url.pathname.replace('conversation', 'channels/0123456789abcdef'),
  ])
    await assertRefused(await fetch(publicUrl + signer.sign(path, future)), 404, 'NOT_FOUND');
});

test('the API is closed to wrong credentials and names what it does not know', async () => {
  const { publicUrl, credentials } = scene.server.callreel;
  const url = `${publicUrl}/v0/conversations/${conversationId}`;
  const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
  const right = `${credentials.accountId}:${credentials.authToken.reveal()}`;
  for (const headers of [{}, basic(`${right}x`), basic(`x${right}`), { authorization: 'Bearer 1' }]) {
    const response = await fetch(url, { headers: headers as Record<string, string> });
    assert.match(response.headers.get('www-authenticate') ?? '', /^Basic realm=/);
    await assertRefused(response, 401, 'UNAUTHORIZED');
  }
  const unknown = `${publicUrl}/v0/conversations/0123456789abcdef`;
  await assertRefused(await fetch(unknown, { headers: basic(right) }), 404, 'NOT_FOUND');
  await assertRefused(await fetch(`${publicUrl}/nowhere`), 404, 'NOT_FOUND');
});

/** What the file holds is silence and then the beginning of what the party has said. */
function assertIsPrefix(samples: Int16Array, call: PhoneCall, atLeast: number): void {
  assert.ok(samples.length >= atLeast);
  const said = decoded(call, call.sentPayloads);
  const start = samples.findIndex((sample) => sample !== 0) - said.findIndex((sample) => sample !== 0);
  assert.deepEqual(samples.subarray(start), said.subarray(0, samples.length - start));
}

async function assertRefused(response: Response, status: number, code: string): Promise<void> {
  const { error } = (await response.json()) as { error: Record<string, unknown> };
  assert.deepEqual([response.status, error.code], [status, code]);
  for (const part of ['message', 'blame', 'todo']) assert.equal(typeof error[part], 'string', part);
}
