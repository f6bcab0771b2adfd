import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeUser, encodeUser, parseHostPort, parseSipUri, schemeOf } from './uri.ts';

test('the parts of a SIP URI', () => {
  const uri = parseSipUri('SIP:alice:secret@Example.COM:5070;transport=TCP;lr?Subject=x&Route=%3Csip:a%3E');
  assert.ok(uri);
  assert.deepEqual(
    { ...uri, parameters: [...uri.parameters] },
    {
      scheme: 'sip',
      user: 'alice',
      password: 'secret',
      host: 'example.com',
      port: 5070,
      parameters: [
        ['transport', 'TCP'],
        ['lr', ''],
      ],
      headers: 'Subject=x&Route=%3Csip:a%3E',
    },
  );
});

const hosts: [text: string, host: string | undefined, port?: number][] = [
  ['sip:127.0.0.1', '127.0.0.1'],
  ['sip:[2001:DB8::1]:5061', '2001:db8::1', 5061],
  ['sip:a;b?c@[::1]', '::1'],
  ['sip:media_1.local', 'media_1.local'],
  ['sip:example.com.', 'example.com.'],
  ['sip:', undefined],
  ['sip:@host', undefined],
  ['sip::pw@host', undefined],
  ['sip:a@b@c', undefined],
  ['sip:-host', undefined],
  ['sip:a..b', undefined],
  ['sip:host:', undefined],
  ['sip:host:0', undefined],
  ['sip:host:65536', undefined],
  ['sip:[::1', undefined],
  ['sip:[::1]x', undefined],
  ['sip:[host]', undefined],
  ['sip:ho st', undefined],
  ['sip:us"er@host', undefined],
  ['sip:u%4@host', undefined],
  ['sip:host;;lr', undefined],
  ['tel:+1555', undefined],
];

for (const [text, host, port] of hosts)
  test(`host of ${text}`, () => {
    const uri = parseSipUri(text);
    assert.deepEqual([uri?.host, uri?.port], [host, port]);
  });

test('users are decoded and encoded', () => {
  assert.equal(decodeUser('sips%3Auser%40example.com'), 'sips:user@example.com');
  assert.equal(decodeUser('%ff'), '%ff');
  assert.equal(encodeUser('+1 (555);x@y'), '+1%20(555);x%40y');
  assert.equal(schemeOf('Tel:+1'), 'tel');
  assert.equal(schemeOf('no scheme'), undefined);
  assert.equal(parseHostPort('a:b'), undefined);
});
