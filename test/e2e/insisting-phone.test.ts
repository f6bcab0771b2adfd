import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Secret } from '../../src/secret.ts';
import { noise } from '../../src/testkit/noise.ts';
import { Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { assertBothHeard } from './heard.ts';
import { HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';

/** Phones that take calls with SRTP as RTP/SAVP and in no other way, at a server where SRTP is optional. */
const user = '2002';
const password = 'secret';
const scene = await Scene.open({
  settings: {
    CALLREEL_SIP_TRANSPORTS: 'udp,tls',
    CALLREEL_SIP_TLS_VERIFY: 'false',
    CALLREEL_SIP_USERS: JSON.stringify([{ username: user, password }]),
  },
});
after(() => scene[Symbol.asyncDispose]());
const http = new HttpClient(scene.server.callreel);
await http.json('POST', '/v1/dial-permissions', { prefix: 'sip:127.0.0.1', allow: true });

interface Insisting {
  phone: Phone;
  /** Profiles that it was offered. */
  offered: string[];
  answered: Promise<PhoneCall>;
}

async function insisting(number: string): Promise<Insisting> {
  const phone = await Phone.create({ number, transport: 'tls' });
  after(() => phone.close());
  const offered: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<PhoneCall>();
  phone.onCall = (incoming) => {
    const profile = / (RTP\/\w+) /.exec(incoming.session.offer ?? '')?.[1] ?? 'none';
    offered.push(profile);
    if (profile !== 'RTP/SAVP') incoming.reject(488);
    else incoming.answer({ srtp: { suite: 'AES_CM_128_HMAC_SHA1_80' } }).then(resolve, reject);
  };
  return { phone, offered, answered: promise };
}

async function assertConnected(caller: PhoneCall, { offered, answered }: Insisting): Promise<void> {
  const callee = await answered;
  assert.deepEqual(offered, ['RTP/AVP', 'RTP/SAVP']);
  assert.deepEqual([caller.secure, callee.secure], [false, true]);
  await Promise.all([caller, callee].map((call, seed) => call.play(noise({ samples: 4800, seed }))));
  await assertBothHeard(caller, callee);
  await callee.hangUp();
  await caller.ended;
  assert.equal(callee.unopenedPackets, 0);
}

test('a phone over TLS that insists on SRTP is offered it as RTP/SAVP, once it refused RTP/AVP', async () => {
  const desk = await insisting('+15550043');
  const caller = await scene.call([{ name: 'CallPhone', phone_number: desk.phone.sipUri }]);
  await assertConnected(caller, desk);
});

test('so is a registered phone', async () => {
  const desk = await insisting(user);
  const listener = scene.server.callreel.sip.find(({ transport }) => transport === 'tls')!;
  await desk.phone.register(listener, new Secret(password));
  const caller = await scene.call([{ name: 'CallClient', client_name: user }]);
  await assertConnected(caller, desk);
});

test('a phone that refuses that too is not asked a third time', async () => {
  const phone = await Phone.create({ number: '+15550044', transport: 'tls' });
  after(() => phone.close());
  let asked = 0;
  phone.onCall = (incoming) => {
    asked++;
    incoming.reject(488);
  };
  await assert.rejects(scene.call([{ name: 'CallPhone', phone_number: phone.sipUri }]), /480/);
  assert.equal(asked, 2);
});
