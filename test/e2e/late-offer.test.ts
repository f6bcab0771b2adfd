import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bodyText, headerValue } from '../../src/sip/message.ts';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { readPhoneSdp } from '../../src/testkit/phone-sdp.ts';
import { assertOnlyRun, channelFrom, decoded, samplesOf } from './channel-audio.ts';
import { audioSdp, HandPhone, HandStream, handPhoneName } from './hand-phone.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());

test('an INVITE without an offer: ours in the 200, the answer in the ACK, every packet recorded', async () => {
  const call = await scene.call([scene.join('late', { do_record: true })], {
    lateOffer: true,
    codecs: ['PCMA'],
  });
  await call.play(noise({ samples: 8000, seed: 1 }));
  await call.hangUp();
  const conversation = await scene.endedConversation({ conference_name: 'late' });
  const samples = await samplesOf(channelFrom(conversation, call).audio);
  assertOnlyRun(samples, decoded(call, call.sentPayloads), 'the late offer');
});

test('a re-INVITE without an offer: ours again, and the port of its answer counts', async () => {
  scene.audience.routineFor(handPhoneName, [scene.join('late again', { do_record: true })]);
  const phone = await HandPhone.open(scene);
  const first = await HandStream.open('PCMU', 1);
  const said = noise({ samples: 8000, seed: 2 });
  const ok = await phone.request('INVITE', { body: audioSdp(first.socket.port, 1) });
  const { port } = readPhoneSdp(bodyText(ok));
  phone.acknowledge();

  const second = await HandStream.open('PCMU', 1);
  const offered = await phone.request('INVITE');
  assert.equal(offered.status, 200);
  const offer = readPhoneSdp(bodyText(offered));
  assert.equal(offer.port, port, 'the port is the same');
  assert.equal(offer.direction, 'sendrecv');
  phone.acknowledge(audioSdp(second.socket.port, 2));
  second.socket.remote = offer;
  // Without an answer of ours to wait for, the phone knows by nothing when the server has its ACK.
  await phone.request('OPTIONS');
  await second.play(said);
  assert.equal((await phone.hangUp()).status, 200);
  first.socket.close();
  second.socket.close();

  const { channels } = await scene.endedConversation({ conference_name: 'late again' });
  const { decode, encode } = lineCodecs.PCMU;
  assertOnlyRun(await samplesOf(channels[0]!.audio), decode(encode(said)), 'after the late offer');
});

test('an ACK that answers nothing ends the call, with a reason', async () => {
  scene.audience.routineFor(handPhoneName, [scene.join('unanswered')]);
  const phone = await HandPhone.open(scene);
  assert.equal((await phone.request('INVITE')).status, 200);
  phone.acknowledge();
  const bye = await phone.peer.incoming('BYE');
  assert.match(headerValue(bye, 'reason') ?? '', /no answer in the ACK/);
  await phone.peer.answer(bye);
  phone.peer.close();
});
