import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { aesGcm, nodeGcm } from './aes-gcm.ts';
import { type AesGcm, gcmTagBytes } from './gcm.ts';
import { openOpenssl } from './openssl-gcm.ts';

const key = Buffer.from('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308', 'hex');
const nonce = Buffer.from('cafebabefacedbaddecaf888', 'hex');
/** Test case 16 of the specification of GCM (McGrew and Viega). */
const body = Buffer.from(
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  'hex',
);
const authenticated = Buffer.from('feedfacedeadbeeffeedfacedeadbeefabaddad2', 'hex');
const expected =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662' +
  '76fc6ece0f4e1768cddf8853bb2d551b';

const sealedBy = (gcm: AesGcm, plain: Uint8Array, with_?: Uint8Array): Buffer => {
  const out = Buffer.alloc(plain.length + gcmTagBytes);
  gcm.seal(key, nonce, with_, plain, out);
  return out;
};

test('what this thread seals with is the OpenSSL of Node, called directly, and gives what is specified', () => {
  const gcm = aesGcm();
  assert.notEqual(gcm, nodeGcm);
  for (const each of [gcm, nodeGcm]) {
    const sealed = sealedBy(each, body, authenticated);
    assert.equal(sealed.toString('hex'), expected);
    const opened = Buffer.alloc(body.length);
    assert.equal(each.open(key, nonce, authenticated, sealed, opened), true);
    assert.deepEqual(opened, body);
  }
});

test('both ways seal alike, of any length, in place or not', () => {
  const gcm = aesGcm();
  for (const length of [0, 1, 15, 16, 17, 1000, 70_000]) {
    const plain = randomBytes(length);
    for (const with_ of [undefined, authenticated]) {
      const sealed = sealedBy(nodeGcm, plain, with_);
      assert.deepEqual(sealedBy(gcm, plain, with_), sealed);
      const inPlace = Buffer.concat([plain, Buffer.alloc(gcmTagBytes)]);
      gcm.seal(key, nonce, with_, inPlace.subarray(0, length), inPlace);
      assert.deepEqual(inPlace, sealed);
      assert.equal(gcm.open(key, nonce, with_, inPlace, inPlace), true);
      assert.deepEqual(inPlace.subarray(0, length), plain);
    }
    const sealed = sealedBy(nodeGcm, plain);
    for (const each of [gcm, nodeGcm]) {
      const memory = Buffer.concat([
        Buffer.alloc(7, 1),
        plain,
        Buffer.alloc(gcmTagBytes),
        Buffer.alloc(5, 2),
      ]);
      const keys = Buffer.concat([Buffer.alloc(3, 4), key, nonce]);
      each.sealInPlace(keys, 3, memory, 7, length);
      assert.deepEqual(memory, Buffer.concat([Buffer.alloc(7, 1), sealed, Buffer.alloc(5, 2)]));
      assert.throws(() => each.sealInPlace(keys, 3, memory.subarray(0, 7 + length), 7, length));
      assert.throws(() => each.sealInPlace(keys, 20, memory, 7, length));
    }
  }
});

test('neither opens what was altered, cut off or sealed otherwise', () => {
  const sealed = sealedBy(nodeGcm, body, authenticated);
  const out = Buffer.alloc(body.length);
  for (const gcm of [aesGcm(), nodeGcm]) {
    for (let at = 0; at < sealed.length; at += 7) {
      const altered = Buffer.from(sealed);
      altered[at]! ^= 1;
      assert.equal(gcm.open(key, nonce, authenticated, altered, out), false);
    }
    const [otherKey, otherNonce] = [Buffer.alloc(32, 1), Buffer.alloc(12, 1)];
    assert.equal(gcm.open(otherKey, nonce, authenticated, sealed, out), false);
    assert.equal(gcm.open(key, otherNonce, authenticated, sealed, out), false);
    assert.equal(gcm.open(key, nonce, undefined, sealed, out), false);
    assert.equal(gcm.open(key, nonce, authenticated, sealed.subarray(1), out), false);
    assert.equal(gcm.open(key, nonce, authenticated, sealed.subarray(0, 15), out), false);
    assert.equal(gcm.open(key, nonce, authenticated, sealed, out), true);
  }
});

test('one that gives other results is not used', () => {
  const other: AesGcm = {
    ...nodeGcm,
    seal: (...of) => {
      nodeGcm.seal(...of);
      of[4][0]! ^= 1;
    },
  };
  assert.equal(openOpenssl(other), undefined);
});
