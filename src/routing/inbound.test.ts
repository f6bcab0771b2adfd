import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admitInbound } from './inbound.ts';
import { testTrunk } from './test-trunk.ts';

const trunks = [
  testTrunk('wide', { sourceNetworks: ['192.0.2.0/24', '2001:db8::/32'] }),
  testTrunk('single', {
    host: '198.51.100.7',
    gateways: [
      { host: '198.51.100.7', port: 5060 },
      { host: '198.51.100.9', port: 5060 },
    ],
  }),
  testTrunk('named', { host: 'sip.example.org', options: { trustIdentity: false } }),
  testTrunk('00112233aabbccdd', { host: 'registrar.example.org', registers: true }),
  testTrunk('chosen', { host: '198.51.100.20', registers: true, contactUser: 'me' }),
  testTrunk('other', { host: '198.51.100.20', registers: true, contactUser: 'you' }),
  testTrunk('proxied', { host: 'hidden.example.org', outboundProxy: { host: '198.51.100.30', port: 5062 } }),
];
const addresses: Record<string, string[]> = { 'sip.example.org': ['198.51.100.40', '2001:db8:1::40'] };

type Case = [
  what: string,
  source: string,
  requestUser: string,
  allowCallsFrom: string[] | undefined,
  expected: string | undefined,
];
const forbidden = 'INBOUND_FORBIDDEN';
const cases: Case[] = [
  ['open: anyone', '203.0.113.9', '', undefined, 'untrusted'],
  ['open: a trunk is still recognised', '192.0.2.77', '', undefined, 'wide trusted'],
  ['IPv6', '2001:db8::5', '', [], 'wide trusted'],
  ['IPv4 in an IPv6 socket', '::ffff:192.0.2.77', '', [], 'wide trusted'],
  ['a trunk without networks calls from its address', '198.51.100.7', '', [], 'single trusted'],
  ['and from its other gateway', '198.51.100.9', '', [], 'single trusted'],
  ['and from no other', '198.51.100.8', '', [], forbidden],
  ['a name is no address', 'sip.example.org', '', [], forbidden],
  ['what a name stands for; a peer whose word does not count', '198.51.100.40', '', [], 'named untrusted'],
  ['an outbound proxy', '198.51.100.30', '', [], 'proxied trusted'],
  ['the contact we registered', '203.0.113.9', '00112233aabbccdd', [], '00112233aabbccdd trusted contact'],
  ['a contact that can be guessed, from elsewhere', '203.0.113.9', 'me', [], forbidden],
  ['two trunks of one address, by contact', '198.51.100.20', 'you', [], 'other trusted contact'],
  ['and without', '198.51.100.20', '+15551234567', [], 'chosen trusted'],
  ['closed to strangers', '203.0.113.9', '', ['10.0.0.0/8'], forbidden],
  ['an allowed network', '10.1.2.3', '', ['10.0.0.0/8'], 'trusted'],
  ['another family', '::1', '', ['0.0.0.0/0'], forbidden],
  ['a broken network admits nobody', '10.1.2.3', '', ['10.0.0.0/99'], forbidden],
  ['nonsense', '', '', [], forbidden],
];
for (const [what, address, requestUser, allowCallsFrom, expected] of cases)
  test(what, () => {
    const policy = { trunks, allowCallsFrom, addressesOf: (host: string) => addresses[host] ?? [] };
    const admit = () => admitInbound({ address, requestUser }, policy);
    if (expected === forbidden) {
      assert.throws(admit, { code: forbidden, where: address });
      return;
    }
    const { trunk, trusted, byContact } = admit();
    const words = [trunk?.name, trusted ? 'trusted' : 'untrusted', byContact ? 'contact' : undefined];
    assert.equal(words.filter((word) => word !== undefined).join(' '), expected);
  });
