import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { validateRequest, verifyRequest } from './request-signature.ts';

const key = 'PSK_abc';
const url = 'https://app.example/swml?tenant=1';
const body = '{"call":{"call_id":"ü"}}';
const hmac = (algorithm: string) => createHmac(algorithm, key).update(`${url}${body}`).digest('hex');
const headers = { 'x-signalwire-signature': hmac('sha1'), 'x-signalwire-sha256-signature': hmac('sha256') };

describe('verifyRequest', () => {
  test('takes a request that has either signature, or both', () => {
    assert.equal(verifyRequest(key, { url, headers, body }), true);
    for (const [name, value] of Object.entries(headers)) {
      assert.equal(verifyRequest(key, { url, headers: { [name]: value }, body }), true);
      assert.equal(
        verifyRequest(key, { url, headers: new Headers({ [name]: value }), body: Buffer.from(body) }),
        true,
      );
    }
  });

  test('refuses one that has none, and one of whose signatures one does not fit', () => {
    assert.equal(verifyRequest(key, { url, headers: {}, body }), false);
    for (const name of Object.keys(headers))
      assert.equal(verifyRequest(key, { url, headers: { ...headers, [name]: hmac('md5') }, body }), false);
  });

  test('refuses another body, URL or key', () => {
    assert.equal(verifyRequest(key, { url, headers, body: `${body} ` }), false);
    assert.equal(verifyRequest(key, { url: `${url}0`, headers, body }), false);
    assert.equal(verifyRequest('PSK_abd', { url, headers, body }), false);
  });
});

describe('validateRequest', () => {
  test('knows the algorithm by the length, in either case of the letters', () => {
    assert.equal(validateRequest(key, hmac('sha1'), url, body), true);
    assert.equal(validateRequest(key, hmac('sha256').toUpperCase(), url, body), true);
  });

  test('refuses what is no signature', () => {
    for (const signature of ['', 'x'.repeat(40), hmac('sha1').slice(1), `${hmac('sha1')}00`, hmac('sha512')])
      assert.equal(validateRequest(key, signature, url, body), false);
  });

  test('an empty key is a mistake of the program', () => {
    assert.throws(() => validateRequest('', hmac('sha1'), url, body), TypeError);
  });
});
