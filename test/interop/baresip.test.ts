import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import type { LineCodecName } from '../../src/testkit/line-codec.ts';
import { Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { tone } from '../../src/testkit/tone.ts';
import { toneLevelDbov, toneRatioDb } from '../../src/testkit/tone-level.ts';
import { Baresip } from './baresip.ts';
import { ensurePackages } from './debian.ts';

const phoneHz = 443;
const baresipHz = 1069;

before(() => ensurePackages('baresip-core'));

async function peers(
  t: TestContext,
  transport: 'udp' | 'tcp',
  codec: LineCodecName,
): Promise<[Phone, Baresip]> {
  const phone = await Phone.create({ number: '+15550001', transport });
  t.after(() => phone.close());
  const audio = tone({ frequencyHz: baresipHz, durationMs: 8000 });
  const baresip = await Baresip.start({ number: '+15550002', transport, codec, audio });
  t.after(() => baresip.stop());
  return [phone, baresip];
}

function assertTone(samples: Int16Array, ownHz: number, otherHz: number, who: string): void {
  const levelDbov = toneLevelDbov(samples, 8000, ownHz);
  assert.ok(Math.abs(levelDbov + 15) < 1.5, `${who} hears ${ownHz} Hz at ${levelDbov.toFixed(1)} dBov`);
  assert.ok(toneRatioDb(samples, 8000, ownHz, otherHz) > 40, `${who} hears ${otherHz} Hz too`);
}

for (const [transport, codec] of [
  ['udp', 'PCMU'],
  ['tcp', 'PCMA'],
] as const) {
  test(`baresip calls over ${transport}: both hear the other's tone (${codec})`, async (t) => {
    const [phone, baresip] = await peers(t, transport, codec);
    const answered = Promise.withResolvers<PhoneCall>();
    phone.onCall = (incoming) => incoming.answer().then(answered.resolve, answered.reject);
    await baresip.dial(phone.sipUri);
    const call = await answered.promise;
    assert.equal(call.session.from.user, '+15550002');
    assert.equal(call.session.peer.transport, transport);
    assert.equal(call.codec, codec);
    await baresip.pressDigit('*');
    await call.play(tone({ frequencyHz: phoneHz, durationMs: 1500 }));
    await baresip.hangUp();
    assert.equal((await call.ended).cause, 'remote');
    await baresip.closed();
    assert.equal(call.receivedDigits, '*');
    assertTone(call.received(), baresipHz, phoneHz, 'the phone');
    assertTone(await baresip.heard(), phoneHz, baresipHz, 'baresip');
  });

  test(`baresip is called over ${transport} and answers`, async (t) => {
    const [phone, baresip] = await peers(t, transport, codec);
    const call = await phone.call(baresip.sipUri);
    await baresip.established();
    await call.play(tone({ frequencyHz: phoneHz, durationMs: 1000 }));
    await call.hangUp();
    await baresip.closed();
    assertTone(call.received(), baresipHz, phoneHz, 'the phone');
    assertTone(await baresip.heard(), phoneHz, baresipHz, 'baresip');
  });
}

test('a refused call says what baresip was told', async (t) => {
  const [phone, baresip] = await peers(t, 'udp', 'PCMU');
  phone.onCall = (incoming) => incoming.reject(603);
  await assert.rejects(baresip.dial(phone.sipUri), /was closed: .*603|was closed: .*Decline/);
});
