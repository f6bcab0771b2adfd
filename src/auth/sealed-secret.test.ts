import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { Secret } from '../secret.ts';
import { openSecret, sealSecret } from './sealed-secret.ts';

const masterKey = new Secret(randomBytes(32));

test('a sealed secret opens with its key and context only', () => {
  const sealed = sealSecret(masterKey, 'trunk 1', new Secret('p\u00e4ss/w+rd='));
  assert.equal(openSecret(masterKey, 'trunk 1', sealed).reveal(), 'p\u00e4ss/w+rd=');
  assert.equal(openSecret(masterKey, 'empty', sealSecret(masterKey, 'empty', new Secret(''))).reveal(), '');
  const bytes = Buffer.from(sealed, 'base64');
  bytes[20]! ^= 1;
  const wrong: [Secret<Buffer>, string, string][] = [
    [masterKey, 'trunk 2', sealed],
    [new Secret(randomBytes(32)), 'trunk 1', sealed],
    [masterKey, 'trunk 1', bytes.toString('base64')],
    [masterKey, 'trunk 1', ''],
    [masterKey, 'trunk 1', sealed.slice(0, 20)],
  ];
  for (const [key, context, text] of wrong)
    assert.throws(() => openSecret(key, context, text), { code: 'SPOOL_KEY_MISSING' });
});

test('the same secret never seals to the same text', () => {
  const seals = [1, 2].map(() => sealSecret(masterKey, 'trunk 1', new Secret('a')));
  assert.notEqual(seals[0], seals[1]);
});
