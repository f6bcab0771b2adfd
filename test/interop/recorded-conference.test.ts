import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import { tone } from '../../src/testkit/tone.ts';
import { assertTones, clearestSecond, middle } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { type ConferenceScene, conferenceScene } from './conference-scene.ts';
import { ensurePackages } from './debian.ts';
import { runSippCaller } from './sipp.ts';

const sippHz = 443;
const baresipHz = 1069;
const callMs = 5000;

/** Debian's sipp is built without TLS. */
const lines = [
  { number: '1000', transport: 'udp', codec: 'PCMU' },
  { number: '1001', transport: 'tcp', codec: 'PCMA' },
] as const;

before(() => ensurePackages('sip-tester', 'baresip-core'));

/** A span of the first sipp's call. */
function firstHalf(samples: Int16Array): Int16Array {
  return samples.subarray(Math.floor(samples.length * 0.2), Math.floor(samples.length * 0.4));
}

test('sipp and baresip in one recorded conference', { concurrency: true }, async (t) => {
  const numbers = lines.map(({ number }) => number);
  const scene = await conferenceScene(t, {}, numbers);
  await Promise.all(
    lines.map((line) =>
      t.test(`over ${line.transport} (${line.codec})`, (subtest) => conference(subtest, scene, line)),
    ),
  );
});

async function conference(
  t: TestContext,
  scene: ConferenceScene,
  { number, transport, codec }: (typeof lines)[number],
): Promise<void> {
  const audio = tone({ frequencyHz: baresipHz, durationMs: 20_000 });
  const baresip = await Baresip.start({ number: '+15550002', transport, codec, audio });
  t.after(() => baresip.stop());
  const shared = { target: scene.listener(transport), transport, codec, callMs };
  await baresip.dial(scene.sipUri(transport, number));
  await baresip.established();
  // One sipp speaks; after it, another echoes what it hears, so its channel shows what the server sent.
  await runSippCaller({
    ...shared,
    calls: [{ from: '+15550001', to: number }],
    audio: tone({ frequencyHz: sippHz, durationMs: 4000 }),
  });
  await runSippCaller({ ...shared, calls: [{ from: '+15550003', to: number }] });
  await baresip.hangUp();
  await baresip.closed();

  const { channel, mix } = await scene.ended(number);
  assertTones(middle(await channel('+15550001')), [sippHz], [baresipHz], 'the channel of sipp');
  assertTones(middle(await channel('+15550002')), [baresipHz], [sippHz], 'the channel of baresip');
  // Its recording is as live as what the server sent.
  const echoed = clearestSecond(middle(await channel('+15550003')), baresipHz);
  assertTones(echoed, [baresipHz], [sippHz], 'what the echoing sipp heard');
  const heard = clearestSecond(firstHalf(await baresip.heard()), sippHz);
  assertTones(heard, [sippHz], [], 'what baresip heard');
  assertTones(firstHalf(await mix()), [sippHz, baresipHz], [], 'the mix');
}
