import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isPrivateAddress } from './private-address.ts';

it('knows the addresses that mean nothing outside their network', () => {
  for (const address of [
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '100.127.255.255',
  ])
    assert.equal(isPrivateAddress(address), true, address);
  for (const address of ['169.254.1.1', '127.0.0.1', '::1', 'fe80::1', 'fd12::1'])
    assert.equal(isPrivateAddress(address), true, address);
  for (const address of [
    '203.0.113.9',
    '172.15.0.1',
    '172.32.0.1',
    '192.169.0.1',
    '100.128.0.1',
    '2001:db8::1',
  ])
    assert.equal(isPrivateAddress(address), false, address);
});
