import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sleep, systemClock } from '../../src/clock.ts';
import { tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov } from '../../src/testkit/tone-level.ts';
import { assertTones } from './assert-tones.ts';
import { Baresip } from './baresip.ts';
import { conferenceScene } from './conference-scene.ts';
import { ensurePackages } from './debian.ts';
import { Linphone } from './linphone.ts';

const linphoneHz = 443;
const baresipHz = 1069;
const rateHz = 8000;

before(() => ensurePackages('baresip-core', 'linphone-cli'));

test('linphonec holds the call and plays on, then resumes: its channel has all of it, in one piece', async (t) => {
  const scene = await conferenceScene(t);
  const linphone = await Linphone.start({
    number: '+15550001',
    audio: tone({ frequencyHz: linphoneHz, durationMs: 20_000 }),
  });
  t.after(() => linphone.stop());
  await linphone.dial(scene.sipUri('udp'));
  const lastedMs = await holdForAWhile(
    () => linphone.pause(),
    () => linphone.resume(),
  );
  await linphone.hangUp();
  const samples = await (await scene.ended()).channel('+15550001');
  assertLength(samples, lastedMs);
  for (const [fromMs, toMs] of [
    [500, 1500],
    [2500, 4500],
    [5500, 6500],
  ])
    assertTones(span(samples, fromMs!, toMs!), [linphoneHz], [], `${fromMs} to ${toMs} ms`);
});

test('baresip holds the call and is silent, then resumes: silence of that length in its channel', async (t) => {
  const scene = await conferenceScene(t);
  const baresip = await Baresip.start({
    number: '+15550002',
    audio: tone({ frequencyHz: baresipHz, durationMs: 20_000 }),
  });
  t.after(() => baresip.stop());
  await baresip.dial(scene.sipUri('udp'));
  const lastedMs = await holdForAWhile(
    () => baresip.hold(),
    () => baresip.resume(),
  );
  await baresip.hangUp();
  await baresip.closed();
  const samples = await (await scene.ended()).channel('+15550002');
  assertLength(samples, lastedMs);
  assertTones(span(samples, 500, 1500), [baresipHz], [], 'before the hold');
  assert.ok(toneLevelDbov(span(samples, 2500, 4500), rateHz, baresipHz) < -70, 'silence while it holds');
  assertTones(span(samples, 5500, 6500), [baresipHz], [], 'after the hold');
});

/** Two seconds of talk, three of hold, two of talk. @returns how long all of it took */
async function holdForAWhile(hold: () => Promise<void>, resume: () => Promise<void>): Promise<number> {
  const startUs = systemClock.monotonicUs();
  await sleep(systemClock, 2000);
  await hold();
  await sleep(systemClock, 3000);
  await resume();
  await sleep(systemClock, 2000);
  return (systemClock.monotonicUs() - startUs) / 1000;
}

function assertLength(samples: Int16Array, expectedMs: number): void {
  const lengthMs = (samples.length * 1000) / rateHz;
  assert.ok(Math.abs(lengthMs - expectedMs) < 500, `${lengthMs} ms of a call of ${expectedMs} ms`);
}

function span(samples: Int16Array, fromMs: number, toMs: number): Int16Array {
  return samples.subarray((fromMs * rateHz) / 1000, (toMs * rateHz) / 1000);
}
