import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redactKeys } from './redact-keys.ts';

test('keys go, all else stays', () => {
  assert.equal(
    redactKeys(
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA|2^20|1:4;INLINE:BBBB WSH=64\r\na=ptime:20\r\na=ice-pwd:x1\r\n',
    ),
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[redacted]|2^20|1:4;inline:[redacted] WSH=64\r\na=ptime:20\r\na=ice-pwd:[redacted]\r\n',
  );
});

test('keys of the older ways go too', () => {
  assert.equal(
    redactKeys('k=base64:AAAA\r\na=key-mgmt:mikey BBBB\r\na=crypto:1 X inline: CCCC|1:1\r\n'),
    'k=[redacted]\r\na=key-mgmt:[redacted]\r\na=crypto:1 X inline:[redacted]|1:1\r\n',
  );
});
