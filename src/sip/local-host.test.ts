import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { LocalAddresses, localHost, type NetworkState } from './local-host.ts';

function info(cidr: string, internal = false): NetworkInterfaceInfo {
  const address = cidr.replace(/\/.*/, '');
  const common = { address, cidr, internal, netmask: '', mac: '' };
  return address.includes(':') ? { ...common, family: 'IPv6', scopeid: 0 } : { ...common, family: 'IPv4' };
}

/** A machine with a public side (default route), an office side and a tunnel that leads to 10.9.0.0/16. */
const machine: NetworkState = {
  interfaces: {
    lo: [info('127.0.0.1/8', true), info('::1/128', true)],
    eth0: [info('203.0.113.7/24'), info('fe80::1/64'), info('2001:db8:1::7/64')],
    eth1: [info('192.168.5.2/24')],
    tun0: [info('10.8.0.2/30')],
  },
  routes4: `Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
eth0\t00000000\t017100CB\t0003\t0\t0\t100\t00000000\t0\t0\t0
tun0\t0000090A\t0100080A\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0
`,
  routes6: `00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
`,
};

const addresses = new LocalAddresses(() => machine, new FakeClock());

const sources: [peer: string, source: string, attached: boolean][] = [
  ['127.0.0.1', '127.0.0.1', true],
  ['::1', '::1', true],
  ['203.0.113.20', '203.0.113.7', true],
  ['198.51.100.1', '203.0.113.7', false],
  ['192.168.5.77', '192.168.5.2', true],
  ['192.168.6.77', '203.0.113.7', false],
  ['10.9.1.1', '10.8.0.2', false],
  ['2001:db8:1::99', '2001:db8:1::7', true],
  ['2001:db8:2::99', '2001:db8:1::7', false],
  ['', '203.0.113.7', false],
];

for (const [peer, source, attached] of sources)
  test(`from ${source} to ${peer || 'the world'}`, () => {
    assert.equal(addresses.sourceFor(peer), source);
    assert.equal(addresses.isAttached(peer), attached);
  });

test('without a word about routes the first address that is not our own counts', () => {
  const dark = new LocalAddresses(() => ({ ...machine, routes4: '', routes6: '' }), new FakeClock());
  assert.equal(dark.sourceFor('198.51.100.1'), '203.0.113.7');
  assert.equal(dark.sourceFor('192.168.5.77'), '192.168.5.2');
  const alone = new LocalAddresses(() => ({ interfaces: {}, routes4: 'x', routes6: 'y' }), new FakeClock());
  assert.deepEqual([alone.sourceFor('198.51.100.1'), alone.sourceFor('2001:db8::1')], ['127.0.0.1', '::1']);
});

test('an address that changes is seen ten seconds later', () => {
  const clock = new FakeClock();
  let state = machine;
  const changing = new LocalAddresses(() => state, clock);
  assert.equal(changing.sourceFor('192.168.5.77'), '192.168.5.2');
  state = { ...machine, interfaces: { ...machine.interfaces, eth1: [info('192.168.5.9/24')] } };
  assert.equal(changing.sourceFor('192.168.5.77'), '192.168.5.2');
  clock.advanceMs(10_000);
  assert.equal(changing.sourceFor('192.168.5.77'), '192.168.5.9');
});

test('an address we listen on is the one', () => {
  assert.equal(localHost('192.0.2.1', '198.51.100.1'), '192.0.2.1');
  assert.equal(localHost('localhost', '127.0.0.1'), '127.0.0.1');
  assert.equal(localHost('0.0.0.0', '127.0.0.5'), '127.0.0.1');
});
