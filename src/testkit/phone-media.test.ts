import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { sleep, systemClock } from '../clock.ts';
import { noise } from './noise.ts';
import type { PhoneMediaOptions } from './phone-media.ts';
import { PhoneMediaSession } from './phone-media.ts';

async function open(t: TestContext, options: PhoneMediaOptions = {}): Promise<PhoneMediaSession> {
  const media = await PhoneMediaSession.open(systemClock, '127.0.0.1', options);
  t.after(() => media.close());
  return media;
}

async function pair(t: TestContext): Promise<[PhoneMediaSession, PhoneMediaSession]> {
  const [caller, callee] = [await open(t), await open(t)];
  caller.apply(callee.answer(caller.offer()));
  return [caller, callee];
}

const voice = noise({ samples: 480, seed: 9 });

test('after offer and answer each sends to the other', async (t) => {
  const [caller, callee] = await pair(t);
  await Promise.all([caller.sender.play(voice), callee.sender.play(voice)]);
  await untilReceived(caller, 3);
  await untilReceived(callee, 3);
  assert.deepEqual(caller.receiver.samples(), callee.receiver.samples());
});

test('an inactive hold silences both sides, resuming ends that', async (t) => {
  const [caller, callee] = await pair(t);
  const held = callee.answer(caller.offer('inactive'));
  assert.match(held, /a=inactive/);
  caller.apply(held);
  assert.deepEqual([caller.sender.muted, callee.sender.muted], [true, true]);
  await caller.sender.play(voice);
  assert.equal(caller.sender.lost.length, 3);
  caller.apply(callee.answer(caller.offer('sendrecv')));
  assert.deepEqual([caller.sender.muted, callee.sender.muted], [false, false]);
});

test('a hold with music silences the held side only', async (t) => {
  const [caller, callee] = await pair(t);
  const held = callee.answer(caller.offer('sendonly'));
  assert.match(held, /a=recvonly/);
  caller.apply(held);
  assert.deepEqual([caller.sender.muted, callee.sender.muted], [false, true]);
});

test('the session version rises with each description', async (t) => {
  const media = await open(t);
  const versions = [media.offer(), media.offer()].map((sdp) => /o=- \d+ (\d+)/.exec(sdp)?.[1]);
  assert.deepEqual(versions, ['1', '2']);
});

test('before anything is agreed there is no stream, and without a common codec there never is', async (t) => {
  const [caller, callee] = [await open(t, { codecs: ['PCMU'] }), await open(t, { codecs: ['PCMA'] })];
  assert.throws(() => caller.sender, /nothing was agreed/);
  assert.throws(() => callee.answer(caller.offer()), /no common codec/);
});

test('an answer narrows the codecs to the common ones and RFC 4733 to what both speak', async (t) => {
  const caller = await open(t, { codecs: ['PCMA', 'PCMU'], telephoneEventPayloadType: 96 });
  const deaf = await open(t, { codecs: ['PCMU'], telephoneEventPayloadType: null });
  const answer = deaf.answer(caller.offer());
  assert.match(answer, /m=audio \d+ RTP\/AVP 0\r\n/);
  caller.apply(answer);
  assert.equal(caller.sender.codec.name, 'PCMU');
  assert.equal(caller.sender.telephoneEventPayloadType, undefined);
});

async function untilReceived(media: PhoneMediaSession, packets: number): Promise<void> {
  while (media.receiver.packets.length < packets) await sleep(systemClock, 5);
}
