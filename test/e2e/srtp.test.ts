import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { rtpHeaderBytes, writeRtpHeader } from '../../src/rtp/packet.ts';
import { bodyText, headerValue } from '../../src/sip/message.ts';
import { tagOf } from '../../src/sip/name-address.ts';
import { RawPeer } from '../../src/sip/test-peers.ts';
import { packetSamples, ptimeMs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import type { EndedEvent } from './bodies.ts';
import { assertOnlyRun, channelFrom, samplesOf } from './channel-audio.ts';
import { assertBothHeard } from './heard.ts';
import { calledNumber, Scene } from './scene.ts';

const packets = 60;
const voice = (seed: number) => noise({ samples: packets * packetSamples, seed });

const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());

async function recorded(name: string, calls: readonly PhoneCall[]) {
  await Promise.all(calls.map((call) => call.hangUp()));
  return scene.endedConversation({ conference_name: name });
}

test('a conference of every suite, opportunistic SRTP and plain RTP: each channel is bit-exact', async () => {
  const join = [scene.join('suites', { do_record: true })];
  const calls = await Promise.all([
    scene.call(join, { srtp: { suite: 'AES_CM_128_HMAC_SHA1_80' } }),
    // The sequence number wraps within the first second.
    scene.call(join, { srtp: { suite: 'AEAD_AES_128_GCM' }, stream: { sequenceNumber: 65_510 } }),
    scene.call(join, { srtp: { suite: 'AES_CM_128_HMAC_SHA1_32', profile: 'RTP/AVP' } }),
    scene.call(join),
  ]);
  assert.deepEqual(
    calls.map(({ secure }) => secure),
    [true, true, true, false],
  );
  await Promise.all(calls.map((call, seed) => call.play(voice(seed))));
  for (const call of calls) {
    assert.ok(call.receivedPackets.length > packets / 2, `${call.receivedPackets.length} packets heard`);
    assert.equal(call.unopenedPackets, 0);
  }
  const conversation = await recorded('suites', calls);
  for (const call of calls)
    assertOnlyRun(
      await samplesOf(channelFrom(conversation, call).audio),
      call.sent(),
      call.session.from.user,
    );
});

for (const { name, prefix, caller: callerSrtp, callee: calleeSrtp } of [
  { name: 'SRTP to RTP', prefix: '+49', caller: 'AEAD_AES_128_GCM', callee: undefined },
  { name: 'RTP to SRTP', prefix: '+43', caller: undefined, callee: 'AES_CM_128_HMAC_SHA1_80' },
  {
    name: 'SRTP to SRTP of another suite',
    prefix: '+41',
    caller: 'AES_CM_128_HMAC_SHA1_32',
    callee: 'AEAD_AES_128_GCM',
  },
] as const)
  test(`a call from ${name}: both hear each other bit for bit, and are recorded so`, async () => {
    const phone_number = `${prefix}30123456`;
    const called = await scene.audience.phone();
    const answered = Promise.withResolvers<PhoneCall>();
    called.onCall = (incoming) =>
      incoming.answer(calleeSrtp && { srtp: { suite: calleeSrtp } }).then(answered.resolve, answered.reject);
    await post('/v1/trunks', {
      name: `carrier${prefix.replace('+', '-')}`,
      host: '127.0.0.1',
      port: Number(/:(\d+)$/.exec(called.sipUri)?.[1]),
      srtp: calleeSrtp ? 'required' : 'off',
      routes: [{ prefix, cost: 1 }],
    });
    await post('/v1/dial-permissions', { prefix, allow: true });
    const path = `/pair/${prefix.slice(1)}`;
    const event_callback = scene.handle<EndedEvent>(path, () => ({}));
    const caller = await scene.call(
      [{ name: 'CallPhone', phone_number, do_record: true, event_callback }],
      callerSrtp && { srtp: { suite: callerSrtp } },
    );
    const callee = await answered.promise;
    assert.deepEqual([caller.secure, callee.secure], [callerSrtp !== undefined, calleeSrtp !== undefined]);
    await Promise.all([caller.play(voice(10)), callee.play(voice(11))]);
    await assertBothHeard(caller, callee);
    await callee.hangUp();
    await caller.hangUp();
    assert.deepEqual([caller.unopenedPackets, callee.unopenedPackets], [0, 0]);
    const { body } = await scene.app.waitFor<EndedEvent>(path, ({ type }) => type === 'ended');
    const conversation = await scene.conversation((body as EndedEvent).conversation_id);
    assertOnlyRun(await samplesOf(channelFrom(conversation, caller).audio), caller.sent(), 'the caller');
    const second = conversation.channels.find(({ to }) => to === phone_number);
    assertOnlyRun(await samplesOf(second!.audio), callee.sent(), 'the called party');
  });

async function post(path: string, body: object): Promise<void> {
  const { accountId, authToken } = scene.server.callreel.credentials;
  const pair = Buffer.from(`${accountId}:${authToken.reveal()}`).toString('base64');
  const response = await fetch(scene.server.callreel.publicUrl + path, {
    method: 'POST',
    headers: { authorization: `Basic ${pair}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `${path}: ${response.status} ${await response.text()}`);
}

test('a packet with a wrong tag leaves no trace', async () => {
  const join = [scene.join('forged', { do_record: true })];
  const call = await scene.call(join, { srtp: { suite: 'AES_CM_128_HMAC_SHA1_80' } });
  const speaking = call.play(voice(20));
  for (let forged = 0; forged < 30; forged++) {
    const last = call.sentPackets.at(-1);
    if (last) call.sendRaw(forgedPacket(last.ssrc, last.sequenceNumber + 1 + forged, last.rtpTime + 800));
    await sleep(systemClock, ptimeMs);
  }
  await speaking;
  const conversation = await recorded('forged', [call]);
  assertOnlyRun(await samplesOf(channelFrom(conversation, call).audio), call.sent(), 'the caller');
});

/** RTP of the right source with a loud payload and a tag of chance. */
function forgedPacket(ssrc: number, sequenceNumber: number, timestamp: number): Uint8Array {
  const packet = Buffer.concat([Buffer.alloc(rtpHeaderBytes), Buffer.alloc(packetSamples), randomBytes(10)]);
  writeRtpHeader(packet, { marker: false, payloadType: 0, sequenceNumber, timestamp, ssrc });
  return packet;
}

test('new keys by a re-INVITE in mid-speech: nothing is lost', async () => {
  const join = [scene.join('rekeyed', { do_record: true })];
  const call = await scene.call(join, { srtp: { suite: 'AES_CM_128_HMAC_SHA1_80' } });
  const [before] = call.sdesKeys;
  const speaking = call.play(voice(30));
  await call.rekey();
  const [renewed] = call.sdesKeys;
  assert.notEqual(renewed, before);
  await speaking;
  assert.equal(call.sentPackets.length, packets);
  const conversation = await recorded('rekeyed', [call]);
  assertOnlyRun(await samplesOf(channelFrom(conversation, call).audio), call.sent(), 'the caller');
});

test('DTLS-SRTP is refused with 488 and the reason; a plain stream beside it is taken', async () => {
  const caller = 'sip:caller@127.0.0.1';
  scene.audience.routineFor(caller, [scene.join('dtls')]);
  const uri = scene.server.sipUri(calledNumber);
  const peer = await RawPeer.open(Number(uri.split(':').at(-1)));
  const lines = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'];
  const dtls = ['m=audio 40000 UDP/TLS/RTP/SAVPF 0', 'a=fingerprint:sha-256 AA:BB', 'a=setup:actpass'];
  const body = (...media: string[]) => `${[...lines, ...media].join('\r\n')}\r\n`;
  peer.request('INVITE', { uri, sequence: 1, body: body(...dtls), callId: 'dtls-only' });
  const refusal = await peer.response('INVITE');
  assert.equal(refusal.status, 488);
  assert.equal(
    headerValue(refusal, 'warning'),
    '302 callreel "the offer has audio over DTLS-SRTP (UDP/TLS/RTP/SAVPF) only"',
  );
  peer.request('ACK', { uri, sequence: 1, toTag: tagOf(refusal.to), callId: 'dtls-only' });
  peer.request('INVITE', {
    uri,
    sequence: 1,
    body: body(...dtls, 'm=audio 40002 RTP/AVP 0'),
    callId: 'beside',
    branch: 'z9hG4bK-beside',
  });
  const answer = await peer.response('INVITE');
  assert.equal(answer.status, 200);
  assert.match(bodyText(answer), /m=audio 0 UDP\/TLS\/RTP\/SAVPF 0\r\nm=audio [1-9]\d* RTP\/AVP 0\r\n/);
  const toTag = tagOf(answer.to);
  peer.request('ACK', { uri, sequence: 1, toTag, callId: 'beside', branch: 'z9hG4bK-ack' });
  peer.request('BYE', { uri, sequence: 2, toTag, callId: 'beside', branch: 'z9hG4bK-bye' });
  assert.equal((await peer.response('BYE')).status, 200);
  peer.close();
});
