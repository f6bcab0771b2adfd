import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bodyText, headerValue, type SipResponse } from '../../src/sip/message.ts';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { readPhoneSdp } from '../../src/testkit/phone-sdp.ts';
import { assertOnlyRun, samplesOf } from './channel-audio.ts';
import { audioSdp, HandPhone, HandStream, handPhoneName } from './hand-phone.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());

test('session timers: 422, agreed, and refreshed by UPDATE and re-INVITE without a trace in the recording', async () => {
  scene.audience.routineFor(handPhoneName, [scene.join('timer', { do_record: true })]);
  const phone = await HandPhone.open(scene);
  const stream = await HandStream.open('PCMU', 1);
  const body = audioSdp(stream.socket.port, 1);
  const brief = await phone.request('INVITE', { body, extra: ['Supported: timer', 'Session-Expires: 30'] });
  assert.equal(brief.status, 422);
  assert.equal(headerValue(brief, 'min-se'), '90');

  const extra = ['Supported: timer', 'Session-Expires: 120;refresher=uac'];
  const agreed = await phone.request('INVITE', { body, extra });
  assert.equal(agreed.status, 200);
  assert.equal(headerValue(agreed, 'session-expires'), '120;refresher=uac');
  assert.equal(headerValue(agreed, 'require'), 'timer');
  assert.match(headerValue(agreed, 'allow') ?? '', /UPDATE.*PRACK/);
  phone.acknowledge();
  stream.socket.remote = readPhoneSdp(bodyText(agreed));

  const said = noise({ samples: 16_000, seed: 1 });
  const playing = stream.play(said);
  const updated = await phone.request('UPDATE', { extra });
  assert.equal(updated.status, 200);
  assert.equal(headerValue(updated, 'session-expires'), '120;refresher=uac');
  const again = await phone.request('INVITE', { body, extra });
  phone.acknowledge();
  assert.equal(originOf(again), originOf(agreed), 'the same description, so the same version');
  await playing;
  assert.equal((await phone.hangUp()).status, 200);
  stream.socket.close();

  const { channels } = await scene.endedConversation({ conference_name: 'timer' });
  const { decode, encode } = lineCodecs.PCMU;
  assertOnlyRun(await samplesOf(channels[0]!.audio), decode(encode(said)), 'across the refreshes');
});

function originOf(response: SipResponse): string | undefined {
  return bodyText(response)
    .split('\r\n')
    .find((line) => line.startsWith('o='));
}
