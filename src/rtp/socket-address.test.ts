import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import { linux, openLibc } from './libc.ts';
import { ipv4Bytes, ipv6Bytes, portOf, SocketAddresses, socketAddressBytes } from './socket-address.ts';

const opened = openLibc();
assert.ok(typeof opened === 'object', String(opened));
const addresses = new SocketAddresses(opened);
const words = new Uint32Array(socketAddressBytes / 4);

function roundTrip(family: number, address: string, port: number): [number, string, number] {
  const bytes = addresses.write(words, family, address, port);
  return [bytes, addresses.read(words, bytes), portOf(words)];
}

describe('socket addresses', () => {
  test('are as the kernel has them', () => {
    addresses.write(words, linux.AF_INET, '192.0.2.254', 0x1234);
    const bytes = new Uint8Array(words.buffer);
    assert.deepEqual(
      [...bytes.subarray(0, ipv4Bytes)],
      [2, 0, 0x12, 0x34, 192, 0, 2, 254, ...Array(8).fill(0)],
    );
    addresses.write(words, linux.AF_INET6, '2001:db8::ff', 65_535);
    assert.deepEqual([...bytes.subarray(0, 12)], [10, 0, 255, 255, 0, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8]);
    assert.deepEqual([...bytes.subarray(12, ipv6Bytes)], [...Array(11).fill(0), 0xff, 0, 0, 0, 0]);
  });

  test('come back in the form they have everywhere else', () => {
    for (const address of ['0.0.0.0', '127.0.0.1', '255.255.255.255'])
      assert.deepEqual(roundTrip(linux.AF_INET, address, 5004), [ipv4Bytes, address, 5004]);
    for (const [written, read] of [
      ['::', '::'],
      ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['10.1.2.3', '10.1.2.3'],
      ['::ffff:10.1.2.3', '10.1.2.3'],
    ] as const)
      assert.deepEqual(roundTrip(linux.AF_INET6, written, 1), [ipv6Bytes, read, 1]);
  });

  test('of a link carry its zone, by name or number', () => {
    const [zone = ''] = Object.keys(networkInterfaces());
    const [bytes, address] = roundTrip(linux.AF_INET6, `fe80::1%${zone}`, 9);
    assert.deepEqual([bytes, address], [ipv6Bytes, `fe80::1%${zone}`]);
    assert.equal(roundTrip(linux.AF_INET6, `fe80::1%${words[6]}`, 9)[1], `fe80::1%${zone}`);
  });

  test('that are none, or of no use to the socket, are refused', () => {
    for (const address of ['localhost', '', '::1', '1.2.3', '1.2.3.4%lo', '\0'])
      assert.equal(addresses.write(words, linux.AF_INET, address, 1), 0, address);
    for (const address of ['localhost', '', ':::', '%lo', '1.2.3.4.5'])
      assert.equal(addresses.write(words, linux.AF_INET6, address, 1), 0, address);
    for (const port of [-1, 65_536, Number.NaN])
      assert.equal(addresses.write(words, linux.AF_INET, '127.0.0.1', port), 0);
    addresses.write(words, linux.AF_INET, '127.0.0.1', 1);
    assert.equal(addresses.read(words, 0), '');
    words[0] = 1;
    assert.equal(addresses.read(words, ipv4Bytes), '');
  });
});
