import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, isWildcard, Networks, plainAddress, privateNetworks } from './ip-address.ts';

test('an IPv4 address of a dual-stack socket is written as such', () => {
  assert.equal(plainAddress('::ffff:192.0.2.1'), '192.0.2.1');
  assert.equal(plainAddress('2001:db8::1'), '2001:db8::1');
  assert.equal(plainAddress('::ffff:c000:201'), '::ffff:c000:201');
});

test('networks hold addresses of their family, mapped ones too, and nothing that is no address', () => {
  const networks = new Networks(['192.0.2.0/24', '2001:db8::/32']);
  assert.deepEqual(
    ['192.0.2.200', '192.0.3.1', '2001:db8:1::1', '::ffff:192.0.2.1', 'a.example', ''].map((address) =>
      networks.has(address),
    ),
    [true, false, true, true, false, false],
  );
  assert.throws(() => new Networks(['192.0.2.1/99']));
});

test('private, loopback and wildcard', () => {
  const addresses = ['172.20.0.1', '172.32.0.1', 'fd00::1', '2001:db8::1', '127.0.0.1'];
  assert.deepEqual(
    addresses.map((address) => privateNetworks.has(address)),
    [true, false, true, false, true],
  );
  assert.deepEqual(['127.0.0.9', '::1', '10.0.0.1'].map(isLoopback), [true, true, false]);
  assert.deepEqual(['0.0.0.0', '::', '', '127.0.0.1'].map(isWildcard), [true, true, true, false]);
});
