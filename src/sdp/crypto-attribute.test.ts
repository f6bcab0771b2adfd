import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatCrypto, parseCrypto } from './crypto-attribute.ts';

const key = (fill: number, bytes = 30) => Buffer.alloc(bytes, fill).toString('base64');
const [a, b] = [key(1), key(2)];
const cm = '1 AES_CM_128_HMAC_SHA1_80';

describe('a line that can be used', () => {
  for (const [name, value, expected] of [
    ['the least', `${cm} inline:${a}`, { keys: [{ keySalt: a }] }],
    [
      'RFC 4568 section 9.1, lifetime and identifier',
      `${cm} inline:${a}|2^20|1:4`,
      { keys: [{ keySalt: a, mki: { value: '00000001', bytes: 4 } }] },
    ],
    ['a lifetime in full', `${cm} inline:${a}|1048576`, { keys: [{ keySalt: a }] }],
    ['the longest lifetime', `${cm} inline:${a}|2^48`, { keys: [{ keySalt: a }] }],
    [
      'an identifier alone',
      `${cm} inline:${a}|300:2`,
      { keys: [{ keySalt: a, mki: { value: '012c', bytes: 2 } }] },
    ],
    [
      'two keys',
      `${cm} inline:${a}|2^20|1:1;inline:${b}|2^20|2:1`,
      {
        keys: [
          { keySalt: a, mki: { value: '01', bytes: 1 } },
          { keySalt: b, mki: { value: '02', bytes: 1 } },
        ],
      },
    ],
    ['a window hint', `${cm} inline:${a} WSH=128`, { keys: [{ keySalt: a }] }],
    ['a parameter that may be passed over', `${cm} inline:${a} -FLAVOUR=7`, { keys: [{ keySalt: a }] }],
    ['blanks and small letters', `  1   aes_cm_128_hmac_sha1_80  INLINE:${a} `, { keys: [{ keySalt: a }] }],
    [
      'no padding',
      `12 AEAD_AES_128_GCM inline:${key(5, 28).replaceAll('=', '')}`,
      {
        tag: 12,
        suite: 'AEAD_AES_128_GCM',
        keys: [{ keySalt: key(5, 28) }],
      },
    ],
  ] as const)
    test(name, () =>
      assert.deepEqual(parseCrypto(value), { tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', ...expected }),
    );

  test('what we write is what we read', () => {
    const written = formatCrypto(7, 'AES_CM_128_HMAC_SHA1_32', a);
    assert.equal(written, `7 AES_CM_128_HMAC_SHA1_32 inline:${a}`);
    assert.deepEqual(parseCrypto(written), {
      tag: 7,
      suite: 'AES_CM_128_HMAC_SHA1_32',
      keys: [{ keySalt: a }],
    });
  });
});

describe('a line that cannot', () => {
  for (const [name, value] of [
    ['nothing', ''],
    ['no key', cm],
    ['no tag', `AES_CM_128_HMAC_SHA1_80 inline:${a}`],
    ['a tag of ten digits', `1234567890 AES_CM_128_HMAC_SHA1_80 inline:${a}`],
    ['another suite', `1 F8_128_HMAC_SHA1_80 inline:${a}`],
    ['a name that every object has', `1 constructor inline:${a}`],
    ['another method', `${cm} uri:${a}`],
    ['a short key', `${cm} inline:${key(1, 28)}`],
    ['a long key', `${cm} inline:${key(1, 46)}`],
    ['no base64', `${cm} inline:${a.slice(0, -1)}*`],
    ['no lifetime at all', `${cm} inline:${a}|0`],
    ['a lifetime too long', `${cm} inline:${a}|2^49`],
    ['a lifetime of letters', `${cm} inline:${a}|long`],
    ['two identifiers', `${cm} inline:${a}|1:4|2:4`],
    ['an identifier too large for its length', `${cm} inline:${a}|256:1`],
    ['an identifier of no length', `${cm} inline:${a}|1:0`],
    ['two keys without identifiers', `${cm} inline:${a};inline:${b}`],
    ['two keys of one identifier', `${cm} inline:${a}|1:1;inline:${b}|1:1`],
    ['identifiers of different lengths', `${cm} inline:${a}|1:1;inline:${b}|2:2`],
    ['nine keys', `${cm} ${Array.from({ length: 9 }, (_, i) => `inline:${a}|${i}:1`).join(';')}`],
    ['unencrypted', `${cm} inline:${a} UNENCRYPTED_SRTP`],
    ['RTCP unencrypted', `${cm} inline:${a} WSH=64 UNENCRYPTED_SRTCP`],
    ['unauthenticated', `${cm} inline:${a} UNAUTHENTICATED_SRTP`],
    ['keys derived anew', `${cm} inline:${a} KDR=4`],
    ['forward error correction', `${cm} inline:${a} FEC_ORDER=FEC_SRTP`],
    ['what nobody knows', `${cm} inline:${a} FLAVOUR=7`],
  ] as const)
    test(name, () => assert.equal(parseCrypto(value), undefined));
});
