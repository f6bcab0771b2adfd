import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { before, test } from 'node:test';
import { lineCodecs } from '../../src/testkit/line-codec.ts';
import { noise } from '../../src/testkit/noise.ts';
import { Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertExactRun } from '../../src/testkit/sample-run.ts';
import { ensurePackages } from './debian.ts';
import { runSippCaller, startSippAnswerer } from './sipp.ts';

const voice = noise({ samples: 4000, seed: 21 });

before(() => ensurePackages('sip-tester'));

async function answeringPhone(t: TestContext, transport: 'udp' | 'tcp'): Promise<[Phone, PhoneCall[]]> {
  const phone = await Phone.create({ number: '+15550009', transport });
  t.after(() => phone.close());
  const calls: PhoneCall[] = [];
  phone.onCall = async (incoming) => calls.push(await incoming.answer());
  return [phone, calls];
}

function target(phone: Phone): { address: string; port: number } {
  return { address: '127.0.0.1', port: Number(/:(\d+)(;|$)/.exec(phone.sipUri)?.[1]) };
}

for (const [transport, codec] of [
  ['udp', 'PCMU'],
  ['tcp', 'PCMA'],
] as const) {
  test(`sipp calls over ${transport}: every stream arrives bit for bit (${codec})`, async (t) => {
    const [phone, answered] = await answeringPhone(t, transport);
    const calls = Array.from({ length: 5 }, (_, i) => ({ from: `+1555010${i}`, to: '+15550009' }));
    const statistics = await runSippCaller({
      target: target(phone),
      transport,
      calls,
      ratePerSecond: 20,
      audio: voice,
      codec,
      callMs: 1500,
    });
    assert.equal(statistics.successful, 5);
    assert.deepEqual(
      answered.map((call) => call.session.from.user).sort(),
      calls.map(({ from }) => from),
    );
    const line = lineCodecs[codec];
    for (const call of answered) {
      assert.equal((await call.ended).cause, 'remote');
      assert.equal(call.session.peer.transport, transport);
      assertExactRun(call.received(), line.decode(line.encode(voice)), { label: call.session.from.user });
    }
  });

  test(`a caller of sipp over ${transport} that echoes gives back what it hears`, async (t) => {
    const [phone, answered] = await answeringPhone(t, transport);
    const running = runSippCaller({
      target: target(phone),
      transport,
      calls: [{ from: '+15550100', to: '+15550009' }],
      callMs: 1500,
    });
    phone.onCall = async (incoming) => {
      const call = await incoming.answer();
      answered.push(call);
      await call.play(voice);
    };
    await running;
    const [call] = answered;
    assert.equal((await call!.ended).cause, 'remote');
    assertExactRun(call!.received(), call!.sent(), { label: 'the echo' });
  });

  test(`sipp answers over ${transport} and echoes`, async (t) => {
    const answerer = await startSippAnswerer({ calls: 1, transport });
    t.after(() => answerer.stop());
    const phone = await Phone.create({ number: '+15550001', transport });
    t.after(() => phone.close());
    const call = await phone.call(answerer.sipUri, { codecs: ['PCMU'] });
    await call.play(voice);
    await call.play(voice.subarray(0, 800));
    await call.hangUp();
    assert.equal((await answerer.finished()).successful, 1);
    assertExactRun(call.received(), lineCodecs.PCMU.decode(lineCodecs.PCMU.encode(voice)), {
      label: 'the echo',
    });
  });
}

test('a failed call comes with the statistics and the trace', async (t) => {
  const [phone] = await answeringPhone(t, 'udp');
  phone.onCall = (incoming) => incoming.reject(486);
  const calls = [{ from: '+15550100', to: '+15550009' }];
  await assert.rejects(runSippCaller({ target: target(phone), calls, callMs: 100 }), (error: Error) => {
    assert.match(error.message, /"failed":1/);
    assert.match(error.message, /486 Busy/);
    return true;
  });
});
