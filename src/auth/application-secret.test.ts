import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Secret } from '../secret.ts';
import { newApplicationSecret, openApplicationSecret, sealApplicationSecret } from './application-secret.ts';

test('a secret of an application: 32 bytes in base64, opened for that application only', () => {
  const masterKey = new Secret(randomBytes(32));
  const secret = newApplicationSecret();
  assert.equal(Buffer.from(secret.reveal(), 'base64').length, 32);
  assert.notEqual(secret.reveal(), newApplicationSecret().reveal());
  const sealed = sealApplicationSecret(masterKey, 'a', secret);
  assert.equal(openApplicationSecret(masterKey, 'a', sealed).reveal(), secret.reveal());
  assert.throws(() => openApplicationSecret(masterKey, 'b', sealed), { code: 'SPOOL_KEY_MISSING' });
});
