import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNameAddress, tagOf, toSipAddress } from './name-address.ts';

test('display names, brackets and parameters', () => {
  const cases: [text: string, name: string | undefined, uri: string, tag: string | undefined][] = [
    ['sip:a@b;tag=1', undefined, 'sip:a@b', '1'],
    ['<sip:a@b;tag=1>', undefined, 'sip:a@b;tag=1', undefined],
    ['"Q \\"x\\" <y>" <sip:a@b> ; tag = 2', 'Q "x" <y>', 'sip:a@b', '2'],
    ['Two Words <sip:a@b>', 'Two Words', 'sip:a@b', undefined],
    ['caller<sip:a@b>;tag=', 'caller', 'sip:a@b', undefined],
    ['<tel:+15551234;ext=1>', undefined, 'tel:+15551234;ext=1', undefined],
  ];
  for (const [text, name, uri, tag] of cases) {
    const address = parseNameAddress(text);
    assert.ok(address, text);
    assert.deepEqual([address.displayName, address.uri, tagOf(address)], [name, uri, tag], text);
  }
});

for (const text of [
  '',
  'nobody',
  '"open <sip:a@b>',
  '"name" sip:a@b',
  '<sip:a@b',
  '<sip:a b@c>',
  '<sip:@c>',
  'sip:a@b?Route=x',
  '<sip:a@b>;;',
  '<sip:a@b> x',
])
  test(`no address: ${text}`, () => assert.equal(parseNameAddress(text), undefined));

test('what call control sees', () => {
  const sip = parseNameAddress('"Zoë" <sip:%2B49@Example.com>');
  assert.ok(sip);
  assert.deepEqual(toSipAddress(sip), {
    displayName: 'Zoë',
    uri: 'sip:%2B49@Example.com',
    user: '+49',
    host: 'example.com',
  });
  const tel = parseNameAddress('<tel:+49123;phone-context=x>');
  assert.ok(tel);
  assert.deepEqual([toSipAddress(tel).user, toSipAddress(tel).host], ['+49123', '']);
});
