import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SrtpKey, SrtpSuite } from '../sdp/srtp-parameters.ts';
import { createSrtpTransform } from './create-srtp-transform.ts';
import { AesCmTransform } from './srtp-aes-cm.ts';
import { AesGcmTransform } from './srtp-aes-gcm.ts';
import { maxSrtpOverheadBytes } from './srtp-limits.ts';

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function withRoom(packet: Uint8Array): Uint8Array {
  const room = new Uint8Array(packet.length + maxSrtpOverheadBytes);
  room.set(packet);
  return room;
}

test('the key stream of RFC 3711 appendix B.2', () => {
  const cipherKey = bytesOf('2b7e151628aed2a6abf7158809cf4f3c');
  const salt = bytesOf('f0f1f2f3f4f5f6f7f8f9fafbfcfd');
  const keys = { cipherKey, salt, authenticationKey: new Uint8Array(20) };
  const transform = new AesCmTransform({ rtp: keys, rtcp: keys }, 10, 10, new Uint8Array(0));
  const bytes = 12 + 0xff02 * 16;
  const packet = withRoom(new Uint8Array(bytes));
  transform.protectRtp(packet, bytes, 12, 0);
  const block = (index: number) => hexOf(packet.subarray(12 + index * 16, 28 + index * 16));
  assert.equal(block(0), 'e03ead0935c95e80e166b16dd92b4eb4');
  assert.equal(block(1), 'd23513162b02d0f72a43a2fe4a5f97ab');
  assert.equal(block(2), '41e95b3bb0a2e8dd477901e4fca894c0');
  assert.equal(block(0xfeff), 'ec8cdf7398607cb0f2d21675ea9ea1e4');
  assert.equal(block(0xff00), '362b7c3c6773516318a077d7fc5073ae');
  assert.equal(block(0xff01), '6a2cc3787889374fbeb4c81b17ba6c44');
});

describe('AES-GCM by the vectors of RFC 7714', () => {
  const keys = {
    cipherKey: bytesOf('000102030405060708090a0b0c0d0e0f'),
    salt: bytesOf('517569642070726f2071756f'),
    authenticationKey: new Uint8Array(0),
  };
  const transform = new AesGcmTransform({ rtp: keys, rtcp: keys }, new Uint8Array(0));

  test('section 16.1: SRTP', () => {
    const plain = bytesOf(
      '8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573',
    );
    const sealed =
      '8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce';
    const packet = withRoom(plain);
    const bytes = transform.protectRtp(packet, plain.length, 12, 0);
    assert.equal(hexOf(packet.subarray(0, bytes)), sealed);
    const received = bytesOf(sealed);
    assert.equal(transform.unprotectRtp(received, 12, 0), plain.length);
    assert.deepEqual(received.subarray(0, plain.length), plain);
  });

  test('section 17.1: SRTCP', () => {
    const plain = bytesOf(
      '81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef',
    );
    const sealed =
      '81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4';
    const packet = withRoom(plain);
    const bytes = transform.protectRtcp(packet, plain.length, 0x5d4);
    assert.equal(hexOf(packet.subarray(0, bytes)), sealed);
    const received = bytesOf(sealed);
    assert.equal(transform.rtcpIndex(received), 0x5d4);
    assert.equal(transform.unprotectRtcp(received), plain.length);
    assert.deepEqual(received.subarray(0, plain.length), plain);
  });

  test('section 17.3: SRTCP with authentication only', () => {
    const sealed = bytesOf(
      '81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef 841dd968 3dd78ec9 2ae58790 125f62b3 000005d4',
    );
    const before = sealed.slice();
    assert.equal(transform.unprotectRtcp(sealed), 52);
    assert.deepEqual(sealed, before);
    sealed[20]! ^= 1;
    assert.equal(transform.unprotectRtcp(sealed), -1);
  });
});

const rtpPlain = bytesOf('800f1234 decafbad cafebabe abababab abababab abababab abababab');
const rtcpPlain = bytesOf('81c8000b cafebabe abababab abababab abababab abababab');

describe('from the master key to the packet, as libsrtp makes them', () => {
  for (const { suite, keySalt, rtp, rtcp } of [
    {
      suite: 'AES_CM_128_HMAC_SHA1_80',
      keySalt: 'e1f97a0d3e018be0d64fa32c06de41390ec675ad498afeebb6960b3aabe6',
      rtp: '800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb',
      rtcp: '81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798',
    },
    {
      suite: 'AEAD_AES_128_GCM',
      keySalt: '000102030405060708090a0b0c0d0e0fa0a1a2a3a4a5a6a7a8a9aaab',
      rtp: '800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392',
      rtcp: '81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001',
    },
  ] as const)
    test(suite, () => {
      const transform = createSrtpTransform(suite, {
        keySalt: Buffer.from(keySalt, 'hex').toString('base64'),
      });
      const packet = withRoom(rtpPlain);
      assert.equal(hexOf(packet.subarray(0, transform.protectRtp(packet, rtpPlain.length, 12, 0))), rtp);
      const control = withRoom(rtcpPlain);
      assert.equal(hexOf(control.subarray(0, transform.protectRtcp(control, rtcpPlain.length, 1))), rtcp);
    });
});

describe('every suite, with and without key identifiers', () => {
  const suites: [SrtpSuite, number, number][] = [
    ['AES_CM_128_HMAC_SHA1_80', 30, 10],
    ['AES_CM_128_HMAC_SHA1_32', 30, 4],
    ['AEAD_AES_128_GCM', 28, 16],
  ];
  for (const [suite, keyBytes, tagBytes] of suites)
    for (const mki of [undefined, { value: '0a1', bytes: 4 }])
      test(`${suite}${mki ? ' MKI' : ''}`, () => {
        const key: SrtpKey = { keySalt: Buffer.alloc(keyBytes, 3).toString('base64'), ...(mki && { mki }) };
        const transform = createSrtpTransform(suite, key);
        const packet = withRoom(rtpPlain);
        const bytes = transform.protectRtp(packet, rtpPlain.length, 12, 5);
        assert.equal(bytes, rtpPlain.length + tagBytes + (mki?.bytes ?? 0));
        const sealed = packet.slice(0, bytes);
        assert.ok(transform.isMeant(sealed));
        assert.equal(transform.unprotectRtp(sealed.slice(), 12, 4), -1, 'another rollover counter');
        for (let i = 0; i < bytes; i++) {
          const tampered = sealed.slice();
          tampered[i]! ^= 0x10;
          const untouched = tampered.slice();
          // A changed identifier names another key, which `isMeant` finds; it is not authenticated itself.
          if (transform.isMeant(tampered)) assert.equal(transform.unprotectRtp(tampered, 12, 5), -1, `${i}`);
          assert.deepEqual(tampered, untouched);
        }
        assert.equal(transform.unprotectRtp(sealed, 12, 5), rtpPlain.length);
        assert.deepEqual(sealed.subarray(0, rtpPlain.length), rtpPlain);

        const control = withRoom(rtcpPlain);
        const controlBytes = transform.protectRtcp(control, rtcpPlain.length, 77);
        const sealedControl = control.slice(0, controlBytes);
        assert.ok(transform.isMeant(sealedControl));
        assert.equal(transform.rtcpIndex(sealedControl), 77);
        const tampered = sealedControl.slice();
        tampered[9]! ^= 1;
        assert.equal(transform.unprotectRtcp(tampered), -1);
        assert.equal(transform.unprotectRtcp(sealedControl), rtcpPlain.length);
        assert.deepEqual(sealedControl.subarray(0, rtcpPlain.length), rtcpPlain);

        for (let length = 12; length < 12 + tagBytes; length++) {
          assert.equal(transform.unprotectRtp(new Uint8Array(length), 12, 0), -1);
          assert.equal(transform.unprotectRtcp(new Uint8Array(length)), -1);
        }
      });
});
