import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Phone } from '../../src/testkit/phone.ts';
import type { PhoneCall } from '../../src/testkit/phone-call.ts';
import { HttpClient } from './http-client.ts';
import { Scene } from './scene.ts';

/** A called party that sends calls elsewhere by 302 decides where, not what may be called. */
const scene = await Scene.open();
after(() => scene[Symbol.asyncDispose]());
const client = new HttpClient(scene.server.callreel);
for (const permission of [
  { prefix: 'sip:127.0.0.1', allow: true },
  { prefix: 'sip:localhost', allow: false },
])
  await client.json('POST', '/v1/dial-permissions', permission);

function movedTo(phone: Phone, uri: string): void {
  phone.onCall = (incoming) => incoming.reject(302, [{ name: 'Contact', value: `<${uri}>` }]);
}

test('a call follows the called party to where it might have gone in the first place', async () => {
  const [first, second] = [await scene.audience.phone(), await scene.audience.phone()];
  movedTo(first, second.sipUri);
  const answered = new Promise<PhoneCall>((resolve) => {
    second.onCall = async (incoming) => resolve(await incoming.answer());
  });
  const caller = await scene.call([{ name: 'CallPhone', phone_number: first.sipUri }]);
  await (await answered).hangUp();
  await caller.ended;
});

test('where no permission allows it, it goes nowhere, and the document goes on', async () => {
  const [first, second] = [await scene.audience.phone(), await scene.audience.phone()];
  movedTo(first, second.sipUri.replace('127.0.0.1', 'localhost'));
  let [rang, asked] = [false, 0];
  const redirect = first.onCall!;
  first.onCall = (incoming) => {
    asked++;
    return redirect(incoming);
  };
  second.onCall = (incoming) => {
    rang = true;
    incoming.reject();
  };
  const caller = await scene.call([
    { name: 'CallPhone', phone_number: first.sipUri },
    scene.join('afterwards'),
  ]);
  await scene.participants('afterwards', 1);
  assert.equal(rang, false);
  assert.equal(asked, 1);
  await caller.hangUp();
});
