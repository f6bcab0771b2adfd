import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../secret.ts';
import { type DigestInput, digestResponse, parseAlgorithm, parseDigestHeader, sameText } from './digest.ts';

const rfc7616 = {
  username: 'Mufasa',
  realm: 'http-auth@example.org',
  password: new Secret('Circle of Life'),
  method: 'GET',
  uri: '/dir/index.html',
  nonce: '7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v',
  quality: { nc: '00000001', cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ', qop: 'auth' },
};

const rfc2617 = {
  username: 'Mufasa',
  realm: 'testrealm@host.com',
  password: new Secret('Circle Of Life'),
  method: 'GET',
  uri: '/dir/index.html',
  nonce: 'dcd98b7102dd2f0e8b11d0f600bfb0c093',
};

const vectors: [what: string, input: DigestInput, response: string][] = [
  [
    'RFC 2617 section 3.5',
    { ...rfc2617, algorithm: 'MD5', quality: { nc: '00000001', cnonce: '0a4f113b', qop: 'auth' } },
    '6629fae49393a05397450978507c4ef1',
  ],
  [
    'the form of RFC 2069',
    { ...rfc2617, algorithm: 'MD5', quality: undefined },
    '670fd8c2df070c60b045671b8b24ff02',
  ],
  ['RFC 7616 section 3.9.1, MD5', { ...rfc7616, algorithm: 'MD5' }, '8ca523f5e9506fed4657c9700eebdbec'],
  [
    'RFC 7616 section 3.9.1, SHA-256',
    { ...rfc7616, algorithm: 'SHA-256' },
    '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
  ],
];

for (const [what, input, response] of vectors)
  test(what, () => assert.equal(digestResponse(input), response));

test('header fields', () => {
  const fields = parseDigestHeader('Digest  realm="a, \\"b\\"",nonce=abc , qop="auth,auth-int"');
  assert.deepEqual(
    [...(fields ?? [])],
    [
      ['realm', 'a, "b"'],
      ['nonce', 'abc'],
      ['qop', 'auth,auth-int'],
    ],
  );
  for (const text of ['Basic abc', 'Digest', 'Digest realm="a', 'Digest a=1, a=2', 'Digest ,'])
    assert.equal(parseDigestHeader(text), undefined, text);
  assert.equal(parseAlgorithm(undefined), 'MD5');
  assert.equal(parseAlgorithm('sha-256'), 'SHA-256');
  assert.equal(parseAlgorithm('SHA-512-256'), undefined);
  assert.ok(sameText('abc', 'abc') && !sameText('abc', 'abd') && !sameText('abc', 'abcd'));
});
