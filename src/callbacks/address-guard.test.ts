import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { describe, test } from 'node:test';
import { AddressGuard, loopbackNetworks, type Resolver } from './address-guard.ts';

const refused = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.255',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:10.0.0.1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'ff02::1',
  'not an address',
  '',
];

const allowed = [
  '1.1.1.1',
  '172.15.255.255',
  '172.32.0.1',
  '2606:4700::1111',
  '::ffff:1.1.1.1',
  '64:ff9b::101:101',
];

describe('addresses', () => {
  const guard = new AddressGuard([]);

  for (const address of refused)
    test(`refused: "${address}"`, () => assert.equal(guard.allows(address), false));

  for (const address of allowed) test(`allowed: ${address}`, () => assert.equal(guard.allows(address), true));

  test('an allowed network opens itself and nothing else', () => {
    const opened = new AddressGuard([...loopbackNetworks, '10.1.0.0/16']);
    assert.equal(opened.allows('127.0.0.1'), true);
    assert.equal(opened.allows('::1'), true);
    assert.equal(opened.allows('::ffff:127.0.0.1'), true);
    assert.equal(opened.allows('10.1.255.255'), true);
    assert.equal(opened.allows('10.2.0.0'), false);
    assert.equal(opened.allows('192.168.0.1'), false);
  });

  test('what is not a network is refused', () => {
    for (const network of ['10.0.0.0/33', 'example.com', '10/8', ''])
      assert.throws(() => new AddressGuard([network]), TypeError);
  });
});

describe('hosts of URLs', () => {
  const guard = new AddressGuard([]);

  for (const url of [
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://１２７.0.0.1/',
    'http://0/',
  ])
    test(`refused: ${url}`, () =>
      assert.throws(() => guard.checkHost(new URL(url).hostname), { code: 'CALLBACK_FORBIDDEN' }));

  test('names are left to the look-up', () => guard.checkHost('localhost'));
});

describe('look-up', () => {
  const resolverOf =
    (...addresses: string[]): Resolver =>
    (_hostname, _options, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );

  const lookup = (guard: AddressGuard, all: boolean) =>
    new Promise<string | LookupAddress[]>((resolve, reject) => {
      guard.lookup('name.example', { all }, (error, address) => (error ? reject(error) : resolve(address)));
    });

  test('only the permitted addresses of a name are given', async () => {
    const guard = new AddressGuard([], resolverOf('10.0.0.1', '1.1.1.1', '::1'));
    assert.deepEqual(await lookup(guard, true), [{ address: '1.1.1.1', family: 4 }]);
    assert.equal(await lookup(guard, false), '1.1.1.1');
  });

  test('a name with private addresses only is refused, and the message says which', async () => {
    const guard = new AddressGuard([], resolverOf('10.0.0.1', 'fd00::1'));
    await assert.rejects(lookup(guard, true), {
      code: 'CALLBACK_FORBIDDEN',
      message: 'name.example (10.0.0.1, fd00::1) is not a public address',
    });
  });
});
