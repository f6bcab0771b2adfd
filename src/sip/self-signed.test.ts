import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { makeSelfSigned } from './self-signed.ts';

test('what is made is a certificate of its own key, for every name, for ten years', () => {
  const from = new Date('2026-11-21T10:00:00Z');
  const { cert, key } = makeSelfSigned(['sip.example.com', '192.0.2.1', '2001:db8::1'], from);
  const read = new X509Certificate(cert);
  assert.ok(read.verify(read.publicKey));
  assert.ok(read.checkPrivateKey(createPrivateKey(key)));
  assert.ok(read.checkIssued(read));
  assert.equal(read.subject, 'CN=sip.example.com');
  assert.equal(read.checkHost('sip.example.com'), 'sip.example.com');
  assert.equal(read.checkIP('192.0.2.1'), '192.0.2.1');
  assert.equal(read.checkIP('2001:db8::1'), '2001:db8::1');
  assert.equal(read.checkHost('other.example.com'), undefined);
  assert.equal(read.validFrom, 'Nov 21 10:00:00 2026 GMT');
  assert.equal(read.validTo, 'Nov 21 10:00:00 2036 GMT');
});

test('after 2050 the time has four digits of the year; no two serial numbers are alike', () => {
  const made = [2045, 2045].map((year) => {
    const { cert } = makeSelfSigned(['a'], new Date(Date.UTC(year, 0, 1)));
    return new X509Certificate(cert);
  });
  assert.equal(made[0]?.validTo, 'Jan  1 00:00:00 2055 GMT');
  assert.notEqual(made[0]?.serialNumber, made[1]?.serialNumber);
});
