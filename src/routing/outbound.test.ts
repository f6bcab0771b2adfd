import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DialPermission, routeOutbound } from './outbound.ts';
import { testTrunk } from './test-trunk.ts';
import { type TrunkRoute, trunkUri } from './trunk.ts';

function trunk(name: string, routes: TrunkRoute[], priority = 0) {
  return testTrunk(name, { routes, priority });
}

const trunks = [
  trunk('world', [{ prefix: '+', cost: 10 }]),
  trunk('europe', [
    { prefix: '+4', cost: 5 },
    { prefix: '+44', cost: 20 },
  ]),
  trunk('britain', [{ prefix: '+44', cost: 10 }]),
  trunk('again', [{ prefix: '+', cost: 10 }]),
  trunk('preferred', [{ prefix: '+81', cost: 10 }], 1),
  trunk('preferred less closely', [{ prefix: '+8', cost: 10 }], 2),
];
const all: DialPermission[] = [{ prefix: '+', allow: true }];

const orders: [target: string, names: string[]][] = [
  // A trunk's longest prefix is its price: europe asks 20 here, not 5.
  ['+442071838750', ['britain', 'again', 'world', 'europe']],
  ['+4930901820', ['europe', 'again', 'world']],
  ['+1 555 888 1188', ['again', 'world']],
  ['+81312345678', ['preferred less closely', 'preferred', 'again', 'world']],
];
for (const [target, names] of orders)
  test(`${target} goes out by ${names.join(', ')}`, () => {
    const route = routeOutbound(target, { trunks, permissions: all });
    assert.equal(route.kind, 'number');
    if (route.kind === 'number')
      assert.deepEqual(
        route.trunks.map(({ name }) => name),
        names,
      );
  });

const allow = (prefix: string): DialPermission => ({ prefix, allow: true });
const deny = (prefix: string): DialPermission => ({ prefix, allow: false });
const decisions: [what: string, permissions: DialPermission[], target: string, code: string | undefined][] = [
  ['closed by default', [], '+15558881188', 'OUTBOUND_FORBIDDEN'],
  ['closed by default for SIP too', [], 'sip:bob@example.com', 'OUTBOUND_FORBIDDEN'],
  ['a prefix opens its numbers', [allow('+1')], '+15558881188', undefined],
  ['and no others', [allow('+1')], '+442071838750', 'OUTBOUND_FORBIDDEN'],
  [
    'the longest decides: premium numbers stay shut',
    [allow('+1'), deny('+1900')],
    '+19005551234',
    'OUTBOUND_FORBIDDEN',
  ],
  ['in any order', [deny('+1900'), allow('+1'), allow('+1900555')], '+19005551234', undefined],
  ['numbers do not open SIP', [allow('+')], 'sip:bob@example.com', 'OUTBOUND_FORBIDDEN'],
  ['nor SIP numbers', [allow('sip:')], '+15558881188', 'OUTBOUND_FORBIDDEN'],
  ['a host', [allow('sip:example.com')], 'sip:bob@EXAMPLE.com:5070;transport=tcp', undefined],
  ['not its neighbours', [allow('sip:example.com')], 'sip:bob@example.com.evil.org', 'OUTBOUND_FORBIDDEN'],
  ['every host but one', [allow('sip:'), deny('sip:10.0.0.1')], 'sip:bob@10.0.0.1', 'OUTBOUND_FORBIDDEN'],
  ['maddr leads elsewhere', [allow('sip:')], 'sip:bob@example.com;maddr=10.0.0.1', 'NUMBER_INVALID'],
  ['so do headers', [allow('sip:')], 'sip:bob@example.com?Route=%3Csip:10.0.0.1%3E', 'NUMBER_INVALID'],
  ['not a URI', [allow('sip:')], 'sip:bob@', 'NUMBER_INVALID'],
  ['not a number', [allow('+')], '5558881188', 'NUMBER_INVALID'],
];
for (const [what, permissions, target, code] of decisions)
  test(`${what}: ${target}`, () => {
    const route = () => routeOutbound(target, { trunks, permissions });
    if (code) assert.throws(route, { code });
    else assert.ok(route());
  });

test('a permitted number that no trunk reaches', () => {
  const plan = { trunks: [trunk('one', [{ prefix: '+44', cost: 1 }])], permissions: all };
  assert.throws(() => routeOutbound('+15558881188', plan), { code: 'NO_TRUNK', where: '+15558881188' });
});

test('the URI a trunk is asked with', () => {
  const base = trunk('t', []);
  assert.equal(trunkUri(base, '+1555'), 'sip:+1555@sip.example.com');
  const tcp = { ...base, host: '2001:db8::1', port: 5062, transport: 'tcp' as const };
  assert.equal(trunkUri(tcp, '+1555'), 'sip:+1555@[2001:db8::1]:5062;transport=tcp');
});
