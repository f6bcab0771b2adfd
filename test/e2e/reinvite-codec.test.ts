import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { bodyText } from '../../src/sip/message.ts';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { readPhoneSdp } from '../../src/testkit/phone-sdp.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { samplesOf } from './channel-audio.ts';
import { audioSdp, HandPhone, HandStream, handPhoneName } from './hand-phone.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());

const segmentSamples = 8000;
/** What the wire and the tick may add to the time of a handshake on one machine that does other things too. */
const mostGapSamples = 4000;

test('T5: SSRC, codec and port change by re-INVITE: not one packet is missing from the recording', async () => {
  scene.audience.routineFor(handPhoneName, [scene.join('t5', { do_record: true })]);
  const phone = await HandPhone.open(scene);
  const segments = (['PCMU', 'PCMA', 'PCMU'] as const).map((codec, index) => ({
    codec,
    said: noise({ samples: segmentSamples, seed: index + 1 }),
  }));
  const streams: HandStream[] = [];
  for (const [index, { codec, said }] of segments.entries()) {
    const stream = await HandStream.open(codec, 1000 + index);
    streams.push(stream);
    const ok = await phone.request('INVITE', { body: audioSdp(stream.socket.port, index + 1, { codec }) });
    assert.equal(ok.status, 200);
    const answer = readPhoneSdp(bodyText(ok));
    assert.deepEqual(answer.codecs, [codec]);
    stream.socket.remote = answer;
    phone.acknowledge();
    await stream.play(said);
  }
  assert.equal((await phone.hangUp()).status, 200);
  for (const { socket } of streams) socket.close();

  const { channels } = await scene.endedConversation({ conference_name: 't5' });
  assert.equal(channels.length, 1);
  const samples = await samplesOf(channels[0]!.audio);
  let end = 0;
  for (const { codec, said } of segments) {
    const expected = lineCodecs[codec].decode(lineCodecs[codec].encode(said));
    const start = assertExactRun(samples, expected, { label: `the ${codec} segment at ${end}` });
    assert.ok(
      start >= end && (end === 0 || start - end < mostGapSamples),
      `begins at ${start} behind ${end}`,
    );
    end = start + expected.length;
  }
});
