import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertExtraHeaders } from './extra-headers.ts';

test('a document adds headers of its own', () => {
  assertExtraHeaders(undefined);
  assertExtraHeaders([
    { name: 'X-Order', value: '4711' },
    { name: 'User-to-User', value: '56a390f3d2b7310023a2;encoding=hex' },
  ]);
});

for (const [what, header] of [
  ['a header of the dialog', { name: 'Contact', value: '<sip:x@example.com>' }],
  ['a route', { name: 'Route', value: '<sip:x@example.com>' }],
  ['an identity that trunks believe', { name: 'P-Asserted-Identity', value: '<sip:+15558881188@x>' }],
  ['a value with a line end', { name: 'X-Order', value: '1\r\nRoute: <sip:x@example.com>' }],
  ['a name with a line end', { name: 'X-Order\r\nRoute', value: '1' }],
  ['a value without end', { name: 'X-Order', value: 'x'.repeat(1025) }],
] as const)
  test(`${what} is refused`, () =>
    assert.throws(() => assertExtraHeaders([header]), { code: 'REQUEST_INVALID' }));

test('so many headers are refused', () => {
  const headers = Array.from({ length: 33 }, (_, n) => ({ name: `X-${n}`, value: '' }));
  assert.throws(() => assertExtraHeaders(headers), { code: 'REQUEST_INVALID' });
});
