import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { noise } from '../../src/testkit/noise.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertOnlyRun, channelFrom, decoded, samplesOf } from './channel-audio.ts';
import { calledNumber, Scene } from './scene.ts';

async function assertRecorded(scene: Scene, call: PhoneCall): Promise<void> {
  const conversation = await scene.endedConversation({});
  const { audio } = channelFrom(conversation, call);
  assertOnlyRun(await samplesOf(audio), decoded(call, call.sentPayloads), 'the channel');
}

const words = noise({ samples: 8000, seed: 7 });

test('a recorded call over TLS, by a phone that trusts the certificate of the first start', async () => {
  await using scene = await Scene.open({ settings: { CALLREEL_SIP_TRANSPORTS: 'udp,tls' } });
  const ca = readFileSync(join(scene.server.dataDir, 'sip-tls.pem'), 'utf8');
  const call = await scene.call([scene.join('tls', { do_record: true })], {
    phone: { transport: 'tls', ca },
  });
  assert.equal(call.session.peer.transport, 'tls');
  await call.play(words);
  await call.hangUp();
  await assertRecorded(scene, call);
});

for (const [speaks, srtp] of [
  ['with SRTP', { suite: 'AES_CM_128_HMAC_SHA1_80' }],
  ['without', undefined],
] as const)
  test(`an INVITE without an offer over TLS: ours has keys, for a phone ${speaks}`, async () => {
    await using scene = await Scene.open({ settings: { CALLREEL_SIP_TRANSPORTS: 'udp,tls' } });
    const call = await scene.call([scene.join('late', { do_record: true })], {
      phone: { transport: 'tls' },
      lateOffer: true,
      srtp,
    });
    assert.equal(call.secure, srtp !== undefined);
    await call.play(words);
    await call.hangUp();
    await assertRecorded(scene, call);
  });

test('a call over IPv6, its media too', async () => {
  await using scene = await Scene.open({ settings: { CALLREEL_SIP_HOST: '::1' } });
  const call = await scene.call([scene.join('six', { do_record: true })], { phone: { host: '::1' } });
  await call.play(words);
  await call.hangUp();
  await assertRecorded(scene, call);
});

test('of several addresses each takes calls, its media at the address the peer is told', async () => {
  const interfaces = [{ host: '127.0.0.1' }, { host: '::1', transports: ['tcp'] }];
  await using scene = await Scene.open({ settings: { CALLREEL_SIP_INTERFACES: JSON.stringify(interfaces) } });
  const [udp, , tcp6] = scene.server.callreel.sip;
  assert.deepEqual([udp?.host, tcp6?.host, tcp6?.transport], ['127.0.0.1', '::1', 'tcp']);
  const call = await scene.audience.call(`sip:${calledNumber}@127.0.0.1:${udp?.port}`, [
    scene.join('first', { do_record: true }),
  ]);
  await call.play(words);
  await call.hangUp();
  await assertRecorded(scene, call);
});
