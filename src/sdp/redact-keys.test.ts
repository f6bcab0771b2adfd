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
