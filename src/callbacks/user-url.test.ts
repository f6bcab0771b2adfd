import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorizationHeader, displayUrl, parseUserUrl, withoutUserInfo } from './user-url.ts';

test('what may be a secret is neither sent in the URL nor shown', () => {
  const url = parseUserUrl('https://ann:p%40ss@example.com:8443/a?token=1#x');
  assert.equal(displayUrl(url), 'https://example.com:8443/a');
  assert.equal(withoutUserInfo(url).href, 'https://example.com:8443/a?token=1#x');
  const pair = Buffer.from('ann:p@ss').toString('base64');
  assert.deepEqual(authorizationHeader(url), { authorization: `Basic ${pair}` });
  assert.deepEqual(authorizationHeader(parseUserUrl('http://h/')), {});
});

test('a percent sign that encodes nothing stays one', () => {
  const pair = Buffer.from('a%zz:%').toString('base64');
  assert.deepEqual(authorizationHeader(parseUserUrl('http://a%zz:%@h/')), { authorization: `Basic ${pair}` });
});

test('what is no http URL is refused, by the name of its use', () => {
  assert.throws(() => parseUserUrl('ftp://ann:pw@h/x?y', 'the URL of audio'), {
    code: 'REQUEST_INVALID',
    message: 'the URL of audio must be an absolute http or https URL',
    where: 'ftp://h/x',
  });
  assert.throws(() => parseUserUrl('x'.repeat(1000)), { where: 'x'.repeat(200) });
});
