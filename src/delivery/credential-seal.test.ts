import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Secret } from '../secret.ts';
import { CredentialSeal, credentialsAbout } from './credential-seal.ts';

const credentials = new Secret('AKIAEXAMPLE:se:cret:eu-central-1');
const place = { url: 's3://bucket/a.wav', applicationKey: 'key', nameId: 'call' };
const seal = new CredentialSeal(new Secret(randomBytes(32)));

test('what was sealed opens for what it is about, and shows nothing of itself', () => {
  const sealed = seal.seal(credentials, credentialsAbout(place));
  assert.equal(seal.open(sealed, credentialsAbout(place)).reveal(), credentials.reveal());
  assert.ok(!Buffer.from(sealed, 'base64').toString('latin1').includes('AKIA'));
  assert.notEqual(seal.seal(credentials, credentialsAbout(place)), sealed);
});

test('moved to another bucket, call or application, or under another master key, it does not open', () => {
  const sealed = seal.seal(credentials, credentialsAbout(place));
  for (const moved of [{ url: 's3://other/a.wav' }, { applicationKey: 'key2' }, { nameId: 'call2' }])
    assert.throws(() => seal.open(sealed, credentialsAbout({ ...place, ...moved })), {
      code: 'SPOOL_KEY_MISSING',
    });
  const other = new CredentialSeal(new Secret(randomBytes(32)));
  assert.throws(() => other.open(sealed, credentialsAbout(place)), { code: 'SPOOL_KEY_MISSING' });
});
