import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { bodyText } from '../../src/sip/message.ts';
import { lineCodecs, packetSamples, ptimeMs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { readPhoneSdp } from '../../src/testkit/phone-sdp.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { samplesOf } from './channel-audio.ts';
import { audioSdp, HandPhone, HandStream, handPhoneName } from './hand-phone.ts';
import { Scene } from './scene.ts';

const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());

const holdMs = 1000;
/** How far what was said after the hold may be off its place: the handshakes, and a busy machine. */
const toleranceSamples = 4000;

/** What phones send to hold a call, and what they must be answered. */
const holds: { name: string; description: (port: number) => string; answered: string }[] = [
  {
    name: 'sendonly',
    description: (port) => audioSdp(port, 2, { direction: 'sendonly' }),
    answered: 'recvonly',
  },
  {
    name: 'inactive',
    description: (port) => audioSdp(port, 2, { direction: 'inactive' }),
    answered: 'inactive',
  },
  {
    name: 'c=0.0.0.0',
    description: (port) => audioSdp(port, 2).replace('c=IN IP4 127.0.0.1', 'c=IN IP4 0.0.0.0'),
    answered: 'recvonly',
  },
];

for (const { name, description, answered } of holds)
  test(`hold by ${name}: silence of that length in the recording, and the call goes on`, async () => {
    const room = `hold ${name}`;
    scene.audience.routineFor(handPhoneName, [scene.join(room, { do_record: true })]);
    const phone = await HandPhone.open(scene);
    const stream = await HandStream.open('PCMU', 7);
    const before = noise({ samples: 4000, seed: 1 });
    const behind = noise({ samples: 4000, seed: 2 });

    const ok = await phone.request('INVITE', { body: audioSdp(stream.socket.port, 1) });
    stream.socket.remote = readPhoneSdp(bodyText(ok));
    phone.acknowledge();
    await stream.play(before);
    const silentFromUs = systemClock.monotonicUs();
    const held = await phone.request('INVITE', { body: description(stream.socket.port) });
    assert.equal(held.status, 200);
    assert.equal(readPhoneSdp(bodyText(held)).direction, answered);
    phone.acknowledge();
    await sleep(systemClock, holdMs);
    const resumed = await phone.request('INVITE', { body: audioSdp(stream.socket.port, 3) });
    assert.equal(readPhoneSdp(bodyText(resumed)).direction, 'sendrecv');
    phone.acknowledge();
    // As long as it took: a phone's RTP clock runs on.
    const silentPackets = Math.round((systemClock.monotonicUs() - silentFromUs) / 1000 / ptimeMs);
    stream.pause(silentPackets * packetSamples);
    await stream.play(behind);
    assert.equal((await phone.hangUp()).status, 200);
    stream.socket.close();

    const { channels } = await scene.endedConversation({ conference_name: room });
    const samples = await samplesOf(channels[0]!.audio);
    const { decode, encode } = lineCodecs.PCMU;
    const firstEnd = assertExactRun(samples, decode(encode(before)), { label: 'before the hold' }) + 4000;
    const second = assertExactRun(samples, decode(encode(behind)), { label: 'after the hold' });
    assert.ok(samples.subarray(firstEnd, second).every((sample) => sample === 0));
    const offset = second - firstEnd - silentPackets * packetSamples;
    assert.ok(Math.abs(offset) <= toleranceSamples, `${offset} samples`);
  });

test('a phone that holds hears nothing, and hears again when it resumes', async () => {
  const holder = await scene.call([scene.join('held', { do_record: false })]);
  const talker = await scene.call([scene.join('held', { do_record: false })]);
  await scene.participants('held', 2);
  const talk = async () => {
    const heardBefore = holder.receivedPackets.length;
    await talker.play(noise({ samples: 4000, seed: 3 }));
    return holder.receivedPackets.length - heardBefore;
  };
  assert.ok((await talk()) > 0);
  await holder.hold();
  // What was sent before the 200 is still on its way.
  await sleep(systemClock, 100);
  assert.equal(await talk(), 0);
  await holder.resume();
  assert.ok((await talk()) > 0);
  await Promise.all([holder.hangUp(), talker.hangUp()]);
});
