import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { after, test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import type { CallFailedError } from './call-failed-error.ts';
import { assertNoLeak } from './leak-check.ts';
import { lineCodecs } from './line-codec.ts';
import { noise } from './noise.ts';
import { openResources } from './open-resources.ts';
import { Phone } from './phone.ts';
import type { PhoneCall } from './phone-call.ts';
import type { PhoneMediaOptions } from './phone-media.ts';
import { assertExactRun } from './sample-run.ts';
import { speechPath } from './speech.ts';

throwOnUnlistedTransitions();
const before = openResources();
const voice = noise({ samples: 8000 / 2, seed: 1 });
const otherVoice = noise({ samples: 8000 / 2, seed: 2 });

after(() => assertNoLeak(before));

interface Pair {
  alice: Phone;
  bob: Phone;
}

async function phones(t: TestContext, transport: 'udp' | 'tcp' = 'udp'): Promise<Pair> {
  const alice = await Phone.create({ number: '+15550001', transport });
  const bob = await Phone.create({ number: '+15550002', transport });
  t.after(() => Promise.all([alice.close(), bob.close()]));
  return { alice, bob };
}

async function connect(
  { alice, bob }: Pair,
  fromAlice: PhoneMediaOptions = {},
  fromBob: PhoneMediaOptions = {},
): Promise<[PhoneCall, PhoneCall]> {
  const answered = Promise.withResolvers<PhoneCall>();
  bob.onCall = (incoming) => incoming.answer(fromBob).then(answered.resolve, answered.reject);
  return Promise.all([alice.call(bob.sipUri, fromAlice), answered.promise]);
}

for (const [transport, codec] of [
  ['udp', 'PCMU'],
  ['tcp', 'PCMA'],
] as const) {
  test(`a call over ${transport} carries both voices bit for bit (${codec})`, async (t) => {
    const pair = await phones(t, transport);
    const [caller, callee] = await connect(pair, { codecs: [codec] });
    assert.equal(callee.session.peer.transport, transport);
    assert.deepEqual(await Promise.all([caller.play(voice), callee.play(otherVoice)]), [true, true]);
    await caller.pressDigit('*');
    const end = await caller.hangUp();
    assert.equal(end.cause, 'local');
    assert.equal((await callee.ended).cause, 'remote');

    assert.equal(caller.codec, codec);
    const line = lineCodecs[codec];
    assert.equal(assertExactRun(callee.received(), line.decode(line.encode(voice)), { label: 'Alice' }), 0);
    assertExactRun(caller.received(), line.decode(line.encode(otherVoice)), { label: 'Bob' });
    assert.deepEqual(callee.received(), caller.sent());
    assert.equal(callee.receivedDigits, '*');
    assert.deepEqual(callee.rtpPorts, { local: caller.rtpPorts.remote, remote: caller.rtpPorts.local });
    assert.equal(caller.sentPayloads.length, 25);
    assert.deepEqual(
      Buffer.concat(caller.sentPayloads.map((packet) => packet.payload)),
      Buffer.from(line.encode(voice)),
    );
    assert.deepEqual(
      callee.receivedPackets.map((packet) => packet.sequenceNumber),
      caller.sentPackets.map((packet) => packet.sequenceNumber),
    );
  });
}

test('with silence kept alive the line has no gap between plays', async (t) => {
  const [caller, callee] = await connect(await phones(t), { keepAlive: 'silence' });
  await caller.play(voice.subarray(0, 800));
  await callee.play(otherVoice.subarray(0, 1600));
  await caller.play(voice.subarray(800, 1600));
  await caller.hangUp();
  const times = caller.sentPackets.map((packet) => packet.rtpTime);
  times.slice(1).forEach((rtpTime, index) => {
    assert.equal((rtpTime - times[index]!) >>> 0, 160, `between packet ${index} and the next`);
  });
  assert.ok(times.length > 12, 'silence was sent too');
});

test('an impaired play loses what it should and its numbers wrap', async (t) => {
  const [caller, callee] = await connect(await phones(t), {
    stream: { sequenceNumber: 65_530, rtpTime: 2 ** 32 - 800 },
  });
  await caller.play(voice, { impairment: { lossSpans: [{ firstPacket: 5, packets: 2 }], reorderRate: 0.2 } });
  await caller.hangUp();
  await callee.ended;
  assert.equal(caller.lostPackets.length, 2);
  assert.equal(callee.receivedPackets.length, 23);
  assert.deepEqual(callee.received(), caller.sent());
  assert.ok(
    callee
      .received()
      .subarray(800, 1120)
      .every((sample) => sample === 0),
  );
});

test('a WAV file is played; hanging up ends the play', async (t) => {
  const [caller, callee] = await connect(await phones(t));
  const played = caller.play({ wav: speechPath('english') });
  await caller.pressDigit('5');
  await callee.hangUp();
  assert.equal(await played, false);
  assert.equal((await caller.ended).cause, 'remote');
  assert.equal(await caller.play(voice), false);
});

test('a refusal comes with its status', async (t) => {
  const { alice, bob } = await phones(t);
  const refused = (status: number) => (error: CallFailedError) => {
    assert.equal(error.code, 'SIP_REFUSED');
    assert.equal(error.sipStatus, status);
    return true;
  };
  await assert.rejects(alice.call(bob.sipUri), refused(486));
  bob.onCall = (incoming) => incoming.reject(603);
  await assert.rejects(alice.call(bob.sipUri), refused(603));
  bob.onCall = () => {
    throw new Error('the test is wrong');
  };
  await assert.rejects(alice.call(bob.sipUri), refused(500));
  bob.onCall = (incoming) => incoming.answer({ codecs: ['PCMA'] });
  await assert.rejects(alice.call(bob.sipUri, { codecs: ['PCMU'] }), refused(488));
});

test('a call that nobody answers is cancelled', async (t) => {
  const { alice, bob } = await phones(t);
  const cancelled = Promise.withResolvers<string>();
  bob.onCall = ({ session, ring }) => {
    session.handlers = { ended: (end) => cancelled.resolve(end.cause) };
    ring();
  };
  await assert.rejects(alice.call(bob.sipUri, { answerTimeoutMs: 100 }), /call with sip:.*: local no answer/);
  assert.equal(await cancelled.promise, 'cancelled');
});

test('who calls, with what headers, and that it rings is known', async (t) => {
  const { alice, bob } = await phones(t);
  const statuses: number[] = [];
  const headers: string[] = [];
  bob.onCall = (incoming) => {
    headers.push(
      incoming.from.user,
      ...incoming.session.headers.map(({ name, value }) => `${name}: ${value}`),
    );
    incoming.ring();
    return incoming.answer();
  };
  const call = await alice.call(bob.sipUri, {
    headers: [{ name: 'X-Test', value: 'yes' }],
    onProgress: (status) => statuses.push(status),
  });
  assert.deepEqual(statuses, [180]);
  assert.equal(headers[0], '+15550001');
  assert.ok(headers.includes('X-Test: yes'));
  await call.hangUp();
});

test('without telephone-event on one side no key can be pressed', async (t) => {
  const [caller] = await connect(await phones(t), {}, { telephoneEventPayloadType: null });
  assert.throws(() => caller.pressDigit('1'), /telephone-event/);
});

test('closing a phone ends its calls', async (t) => {
  const pair = await phones(t);
  const [caller, callee] = await connect(pair, { keepAlive: 'silence' }, { keepAlive: 'silence' });
  await pair.bob.close();
  assert.equal((await callee.ended).cause, 'local');
  assert.equal((await caller.ended).cause, 'remote');
});
