import { before, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { tone } from '../../src/testkit/tone.ts';
import { assertTones, middle } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { conferenceScene } from './conference-scene.ts';
import { ensurePackages } from './debian.ts';
import { Linphone } from './linphone.ts';

const firstHz = 443;
const secondHz = 1069;
const talkMs = 4000;
/** What coding by Opus leaves of one tone in another's place. */
const opusFloorDb = 30;

before(() => ensurePackages('baresip-core', 'linphone-cli'));

for (const [transport, codec, srtp] of [
  ['udp', 'G722', false],
  ['udp', 'OPUS', false],
  ['udp', 'PCMU', true],
  ['tcp', 'OPUS', true],
  ['tls', 'PCMA', false],
  ['tls', 'PCMU', true],
  ['tls', 'G722', true],
] as const)
  test(`baresip over ${transport}, ${codec}${srtp ? ', mandatory SDES' : ''}, and a plain phone`, async (t) => {
    const scene = await conferenceScene(t, settings);
    const first = await Baresip.start({
      number: '+15550001',
      transport,
      codec,
      srtp,
      audio: tone({ frequencyHz: firstHz, durationMs: 20_000 }),
    });
    t.after(() => first.stop());
    const second = await plainPhone();
    t.after(() => second.stop());
    await first.dial(scene.sipUri(transport));
    await second.dial(scene.sipUri('udp'));
    await sleep(systemClock, talkMs);
    await first.hangUp();
    await first.closed();
    await second.hangUp();
    await second.closed();
    const { channel } = await scene.ended();
    const absentBelowDb = codec === 'OPUS' ? opusFloorDb : 60;
    const check = (samples: Int16Array, presentHz: number, absentHz: number, who: string): void =>
      assertTones(middle(samples), [presentHz], [absentHz], who, { absentBelowDb });
    check(await channel('+15550001'), firstHz, secondHz, 'the channel of the first');
    check(await channel('+15550002'), secondHz, firstHz, 'the channel of the second');
    check(await first.heard(), secondHz, firstHz, 'what the first heard');
    check(await second.heard(), firstHz, secondHz, 'what the second heard');
  });

for (const [transport, codec, srtp, saysDbov, hearsDbov] of [
  // linphonec's G.722 codes at half the level that ITU-T's reference, spandsp and ffmpeg do, and decodes at twice.
  ['udp', 'G722', false, -21, -9],
  ['udp', 'OPUS', true, -15, -15],
  ['tls', 'PCMA', true, -15, -15],
] as const)
  test(`linphonec over ${transport}, ${codec}${srtp ? ', mandatory SDES' : ''}, and a plain phone`, async (t) => {
    const scene = await conferenceScene(t, settings);
    const first = await Linphone.start({
      number: '+15550001',
      transport,
      codecs: [codec],
      srtp,
      audio: tone({ frequencyHz: firstHz, durationMs: 20_000 }),
    });
    t.after(() => first.stop());
    const second = await plainPhone();
    t.after(() => second.stop());
    await first.dial(scene.sipUri(transport));
    await second.dial(scene.sipUri('udp'));
    await sleep(systemClock, talkMs);
    await first.hangUp();
    await second.hangUp();
    await second.closed();
    const { channel } = await scene.ended();
    const absentBelowDb = codec === 'OPUS' ? opusFloorDb : 60;
    const says = (samples: Int16Array, who: string): void =>
      assertTones(middle(samples), [firstHz], [secondHz], who, { absentBelowDb, expectedDbov: saysDbov });
    const hears = (samples: Int16Array, who: string, expectedDbov?: number): void =>
      assertTones(middle(samples), [secondHz], [firstHz], who, { absentBelowDb, expectedDbov });
    says(await channel('+15550001'), 'the channel of linphonec');
    says(await second.heard(), 'what baresip heard');
    hears(await channel('+15550002'), 'the channel of baresip');
    hears(await first.heard(), 'what linphonec heard', hearsDbov);
  });

const settings = {
  CALLREEL_SIP_TRANSPORTS: 'udp,tcp,tls',
};

function plainPhone(): Promise<Baresip> {
  return Baresip.start({
    number: '+15550002',
    audio: tone({ frequencyHz: secondHz, durationMs: 20_000 }),
  });
}
