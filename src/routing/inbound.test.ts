import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admitInbound } from './inbound.ts';
import type { Trunk } from './trunk.ts';

function trunk(name: string, host: string, sourceNetworks: string[] = []): Trunk {
  return {
    trunkId: name,
    name,
    host,
    port: 5060,
    transport: 'udp',
    username: undefined,
    sealedPassword: undefined,
    fromNumber: undefined,
    routes: [],
    sourceNetworks,
  };
}

const trunks = [
  trunk('wide', 'sip.example.com', ['192.0.2.0/24', '2001:db8::/32']),
  trunk('single', '198.51.100.7'),
  trunk('named', 'sip.example.org'),
];

type Case = [
  what: string,
  source: string,
  allowCallsFrom: string[] | undefined,
  expected: string | undefined,
];
const forbidden = 'INBOUND_FORBIDDEN';
const cases: Case[] = [
  ['open: anyone', '203.0.113.9', undefined, undefined],
  ['open: a trunk is still recognised', '192.0.2.77', undefined, 'wide'],
  ['IPv6', '2001:db8::5', [], 'wide'],
  ['IPv4 in an IPv6 socket', '::ffff:192.0.2.77', [], 'wide'],
  ['a trunk without networks calls from its address', '198.51.100.7', [], 'single'],
  ['and from no other', '198.51.100.8', [], forbidden],
  ['a name is no address', 'sip.example.org', [], forbidden],
  ['closed to strangers', '203.0.113.9', ['10.0.0.0/8'], forbidden],
  ['an allowed network', '10.1.2.3', ['10.0.0.0/8'], undefined],
  ['another family', '::1', ['0.0.0.0/0'], forbidden],
  ['a broken network admits nobody', '10.1.2.3', ['10.0.0.0/99'], forbidden],
  ['nonsense', '', [], forbidden],
];
for (const [what, source, allowCallsFrom, expected] of cases)
  test(what, () => {
    const admit = () => admitInbound(source, { trunks, allowCallsFrom });
    if (expected === forbidden) assert.throws(admit, { code: forbidden, where: source });
    else assert.equal(admit()?.name, expected);
  });
