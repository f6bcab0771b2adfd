import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import { deriveSessionKey, deriveSessionKeys } from './srtp-session-keys.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('key derivation of RFC 3711 appendix B.3', () => {
  const masterKey = Buffer.from('e1f97a0d3e018be0d64fa32c06de4139', 'hex');
  const masterSalt = Buffer.from('0ec675ad498afeebb6960b3aabe6', 'hex');
  const derive = (label: number, bytes: number) => hex(deriveSessionKey(masterKey, masterSalt, label, bytes));
  assert.equal(derive(0, 16), 'c61e7a93744f39ee10734afe3ff7a087');
  assert.equal(derive(2, 14), '30cbbc08863d8c85d49db34a9ae1');
  assert.equal(
    derive(1, 94),
    'cebe321f6ff7716b6fd4ab49af256a15' +
      '6d38baa48f0a0acf3c34e2359e6cdbce' +
      'e049646c43d9327ad175578ef7227098' +
      '6371c10c9a369ac2f94a8c5fbcdddc25' +
      '6d6e919a48b610ef17c2041e47403576' +
      '6b68642c59bbfc2f34db60dbdfb2',
  );
});

test('a suite says how long each key is', () => {
  const lengths = (suite: Parameters<typeof deriveSessionKeys>[0], bytes: number) => {
    const { rtp, rtcp } = deriveSessionKeys(suite, { keySalt: Buffer.alloc(bytes, 7).toString('base64') });
    assert.notDeepEqual(rtp.cipherKey, rtcp.cipherKey);
    return [rtp.cipherKey.length, rtp.salt.length, rtp.authenticationKey.length];
  };
  assert.deepEqual(lengths('AES_CM_128_HMAC_SHA1_80', 30), [16, 14, 20]);
  assert.deepEqual(lengths('AES_CM_128_HMAC_SHA1_32', 30), [16, 14, 20]);
  assert.deepEqual(lengths('AEAD_AES_128_GCM', 28), [16, 12, 0]);
  for (const [suite, bytes] of [
    ['AES_CM_128_HMAC_SHA1_80', 28],
    ['AEAD_AES_128_GCM', 30],
    ['AEAD_AES_128_GCM', 0],
  ] as const)
    assert.throws(() => lengths(suite, bytes), CallreelError);
});
