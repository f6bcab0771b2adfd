import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bodyText } from '../../src/sip/message.ts';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { readPhoneSdp } from '../../src/testkit/phone-sdp.ts';
import { assertOnlyRun, samplesOf } from './channel-audio.ts';
import { audioSdp, HandPhone, HandStream, handPhoneName } from './hand-phone.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());

const image = ['m=image 40000 udptl t38', 'a=T38FaxVersion:0', 'a=T38MaxBitRate:14400', ''].join('\r\n');

test('T.38: a fax machine is refused with 488, beside audio by port 0, and the call goes on', async () => {
  scene.audience.routineFor(handPhoneName, [scene.join('fax', { do_record: true })]);
  const phone = await HandPhone.open(scene);
  const stream = await HandStream.open('PCMU', 1);
  const body = audioSdp(stream.socket.port, 1);
  const ok = await phone.request('INVITE', { body });
  phone.acknowledge();
  stream.socket.remote = readPhoneSdp(bodyText(ok));

  const said = noise({ samples: 16_000, seed: 1 });
  const playing = stream.play(said);
  const session = body.slice(0, body.indexOf('m=audio')).replace('o=- 1 1', 'o=- 1 2');
  assert.equal((await phone.request('INVITE', { body: session + image })).status, 488);
  const both = await phone.request('INVITE', { body: body.replace('o=- 1 1', 'o=- 1 3') + image });
  assert.equal(both.status, 200);
  const lines = bodyText(both).split('\r\n');
  assert.ok(lines.includes('m=image 0 udptl t38'));
  assert.ok(lines.some((line) => /^m=audio [1-9]\d* RTP\/AVP 0/.test(line)));
  phone.acknowledge();
  await playing;
  assert.equal((await phone.hangUp()).status, 200);
  stream.socket.close();

  const { channels } = await scene.endedConversation({ conference_name: 'fax' });
  const { decode, encode } = lineCodecs.PCMU;
  assertOnlyRun(await samplesOf(channels[0]!.audio), decode(encode(said)), 'across the refusals');
});
