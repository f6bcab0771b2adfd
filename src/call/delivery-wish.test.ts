import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { CredentialSeal, credentialsAbout } from '../delivery/credential-seal.ts';
import { Secret } from '../secret.ts';
import { assertKeepable, keptDeliveryWish, sealedWish, withoutCredentials } from './delivery-wish.ts';

const wish = {
  url: 's3://b/a.wav',
  format: 'wav',
  stereo: true,
  applicationKey: 'app',
  nameId: 'call',
} as const;
const seal = new CredentialSeal(new Secret(randomBytes(32)));

test('credentials are sealed for this wish, and leave it for what is kept', () => {
  const sealed = sealedWish(wish, new Secret('ID:SECRET:region'), seal);
  assert.equal(seal.open(sealed.sealedCredentials!, credentialsAbout(wish)).reveal(), 'ID:SECRET:region');
  assert.deepEqual(withoutCredentials(sealed), wish);
  assert.deepEqual(sealedWish(wish, undefined, seal), wish);
});

test('a row or manifest gives back the wish it kept, and nothing for what is none', () => {
  const whole = { ...wish, transcription: { locale: 'en-US' } };
  assert.deepEqual(keptDeliveryWish(JSON.parse(JSON.stringify({ delivery: whole }))), whole);
  for (const none of [undefined, null, {}, { delivery: { url: 7 } }, 'text'])
    assert.equal(keptDeliveryWish(none), undefined);
});

test('what no database keeps is refused', () => {
  assertKeepable(wish);
  assert.throws(() => assertKeepable({ ...wish, url: 's3://b/\0' }), { code: 'DESTINATION_INVALID' });
});
