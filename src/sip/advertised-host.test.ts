import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advertisedHost, localPeers } from './advertised-host.ts';

const cloud = { host: '10.0.1.5', advertisedHost: '203.0.113.7' };
const inside = localPeers(['10.0.0.0/8', '2001:db8::/32']);

const cases: [what: string, told: string, wanted: string][] = [
  ['a peer outside', advertisedHost(cloud, '198.51.100.1', inside), '203.0.113.7'],
  ['a peer inside', advertisedHost(cloud, '10.200.0.1', inside), '10.0.1.5'],
  ['a peer nothing is known of', advertisedHost(cloud, '', inside), '203.0.113.7'],
  ['nothing is advertised', advertisedHost({ host: '10.0.1.5' }, '198.51.100.1', inside), '10.0.1.5'],
  ['no network is local', advertisedHost(cloud, '127.0.0.1', localPeers([])), '203.0.113.7'],
  [
    'loopback is, unless said otherwise',
    advertisedHost(cloud, '127.0.0.1', localPeers(undefined)),
    '10.0.1.5',
  ],
  [
    'a name',
    advertisedHost({ ...cloud, advertisedHost: 'sip.example.com' }, '198.51.100.1', inside),
    'sip.example.com',
  ],
  [
    'an IPv4 address to a peer on IPv6',
    advertisedHost({ host: '2001:db8::5', advertisedHost: '203.0.113.7' }, '2a00::1', inside),
    '2001:db8::5',
  ],
];

for (const [what, told, wanted] of cases) test(what, () => assert.equal(told, wanted));
