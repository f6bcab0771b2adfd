import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { inSrvOrder, Locator, numericEndpoint } from './locate.ts';
import { DnsResolver } from './name-resolver.ts';
import { TestDnsServer, type ZoneRecord } from './test-dns-server.ts';
import type { Endpoint, TransportName } from './transport.ts';

function written(endpoint: Endpoint | undefined): string | undefined {
  return endpoint && `${endpoint.transport} ${endpoint.address} ${endpoint.port}`;
}

const numeric: [uri: string, transport: TransportName | undefined, expected: string | undefined][] = [
  ['sip:192.0.2.1', undefined, 'udp 192.0.2.1 5060'],
  ['sip:u@192.0.2.1:5070;transport=TCP', undefined, 'tcp 192.0.2.1 5070'],
  ['sip:u@192.0.2.1', 'tcp', 'tcp 192.0.2.1 5060'],
  ['sip:u@192.0.2.1', 'tls', 'tls 192.0.2.1 5061'],
  ['sip:u@192.0.2.1;transport=tls', undefined, 'tls 192.0.2.1 5061'],
  ['sips:u@192.0.2.1', undefined, 'tls 192.0.2.1 5061'],
  ['sips:u@192.0.2.1:5071;transport=tcp', undefined, 'tls 192.0.2.1 5071'],
  ['sips:u@192.0.2.1', 'udp', undefined],
  ['sip:u@localhost:5080', undefined, 'udp 127.0.0.1 5080'],
  ['sip:u@[2001:db8::1]', undefined, 'udp 2001:db8::1 5060'],
  ['sip:u@a.example;maddr=192.0.2.9', undefined, 'udp 192.0.2.9 5060'],
  ['sip:u@a.example', undefined, undefined],
  ['sip:u@192.0.2.1;transport=sctp', undefined, undefined],
  ['tel:+1555', undefined, undefined],
];

for (const [uri, transport, expected] of numeric)
  test(`${uri} ${transport ?? ''} is numeric: ${expected ?? 'no'}`, () =>
    assert.equal(written(numericEndpoint(uri, transport)), expected));

const zone: ZoneRecord[] = [
  // NAPTR prefers TLS, then TCP; what it does not name is not asked for.
  { name: 'naptr.example', naptr: [20, 10, 's', 'SIP+D2T', '_sip._tcp.naptr.example'] },
  { name: 'naptr.example', naptr: [10, 10, 'S', 'sips+d2t', '_sips._tcp.naptr.example'] },
  { name: 'naptr.example', naptr: [5, 10, 's', 'SIP+D2S', '_sip._sctp.naptr.example'] },
  { name: 'naptr.example', naptr: [1, 1, 'u', 'E2U+sip', 'x.example'] },
  { name: '_sips._tcp.naptr.example', srv: [1, 0, 5071, 'one.example'] },
  { name: '_sip._tcp.naptr.example', srv: [1, 0, 5070, 'two.example'] },
  { name: '_sip._udp.naptr.example', srv: [1, 0, 5072, 'three.example'] },
  // SRV only, with priorities, and a transport that is said not to be there.
  { name: '_sip._udp.srv.example', srv: [20, 0, 5062, 'two.example'] },
  { name: '_sip._udp.srv.example', srv: [10, 0, 5061, 'one.example'] },
  { name: '_sip._tcp.srv.example', srv: [0, 0, 0, '.'] },
  { name: '_sips._tcp.srv.example', srv: [1, 0, 5061, 'three.example'] },
  // Addresses only.
  { name: 'plain.example', a: '192.0.2.10' },
  { name: 'plain.example', a: '192.0.2.11' },
  { name: 'plain.example', aaaa: '2001:db8::10' },
  { name: 'v6.example', aaaa: '2001:db8::66' },
  { name: 'one.example', a: '192.0.2.1' },
  { name: 'two.example', a: '192.0.2.2' },
  { name: 'two.example', aaaa: '2001:db8::2' },
  { name: 'three.example', a: '192.0.2.3' },
  ...Array.from({ length: 60 }, (_, index) => ({ name: 'many.example', a: `198.51.100.${index}` })),
];

let dns: TestDnsServer;
before(async () => {
  dns = await TestDnsServer.start(zone);
});
after(() => dns.close());

interface Sockets {
  transports?: readonly TransportName[];
  families?: readonly (4 | 6)[];
}

function locatorOf({ transports = ['udp', 'tcp', 'tls'], families = [4, 6] }: Sockets = {}): {
  locator: Locator;
  resolver: DnsResolver;
  clock: FakeClock;
} {
  const clock = new FakeClock();
  const resolver = new DnsResolver({ clock, servers: [dns.address] });
  const reaches = (transport: TransportName, family: 4 | 6) =>
    transports.includes(transport) && families.includes(family);
  return { locator: new Locator({ resolver, reaches, random: () => 0 }), resolver, clock };
}

const located: [uri: string, sockets: Sockets, transport: TransportName | undefined, targets: string[]][] = [
  // RFC 3263 section 4.1: NAPTR by order, then the SRV records they name.
  ['sip:naptr.example', {}, undefined, ['tls 192.0.2.1 5071', 'tcp 192.0.2.2 5070', 'tcp 2001:db8::2 5070']],
  ['sips:naptr.example', {}, undefined, ['tls 192.0.2.1 5071']],
  ['sip:naptr.example', { transports: ['tcp'], families: [4] }, undefined, ['tcp 192.0.2.2 5070']],
  // Section 4.2: a transport that is named is looked up without NAPTR.
  ['sip:naptr.example;transport=udp', {}, undefined, ['udp 192.0.2.3 5072']],
  ['sip:naptr.example', {}, 'udp', ['udp 192.0.2.3 5072']],
  // Without NAPTR: SRV of every transport we speak, by priority.
  [
    'sip:srv.example',
    { families: [4] },
    undefined,
    ['udp 192.0.2.1 5061', 'udp 192.0.2.2 5062', 'tls 192.0.2.3 5061'],
  ],
  // Without SRV: A and AAAA at the usual port; both families where we have sockets of both.
  [
    'sip:u@plain.example',
    {},
    undefined,
    ['udp 192.0.2.10 5060', 'udp 192.0.2.11 5060', 'udp 2001:db8::10 5060'],
  ],
  ['sips:u@v6.example', {}, undefined, ['tls 2001:db8::66 5061']],
  // A port that is named is looked up without SRV.
  ['sip:srv-less.plain.example:5090;maddr=one.example', {}, undefined, ['udp 192.0.2.1 5090']],
  ['sip:one.example:5090;transport=tcp', {}, undefined, ['tcp 192.0.2.1 5090']],
];

for (const [uri, sockets, transport, targets] of located)
  test(`${uri} ${transport ?? ''} ${JSON.stringify(sockets)}`, async () => {
    const found = await locatorOf(sockets).locator.locate(uri, transport);
    assert.deepEqual(found.map(written), targets);
  });

test('over TLS the certificate is that of the domain, whatever DNS made of it (RFC 5922 section 4)', async () => {
  const found = await locatorOf().locator.locate('sip:naptr.example');
  assert.deepEqual(
    found.map(({ serverName }) => serverName),
    ['naptr.example', undefined, undefined],
  );
});

test('what cannot be found is said by a code of the catalogue', async () => {
  const { locator } = locatorOf({ families: [4] });
  await assert.rejects(locator.locate('sip:nowhere.example'), {
    code: 'SIP_HOST_UNKNOWN',
    where: 'nowhere.example',
  });
  await assert.rejects(locator.locate('sip:[2001:db8::1]'), { code: 'SIP_UNREACHABLE' });
  await assert.rejects(locator.locate('tel:+1555'), { code: 'REQUEST_INVALID' });
});

test('an answer without end is cut, and one is kept for its time to live', async () => {
  const { locator, clock } = locatorOf({ families: [4] });
  assert.equal((await locator.locate('sip:many.example:5060')).length, 16);
  await locator.locate('sip:one.example:5060');
  const asked = dns.questions.length;
  await locator.locate('sip:one.example:5060');
  clock.advanceMs(299_000);
  await locator.locate('sip:one.example:5060');
  assert.equal(dns.questions.length, asked);
  clock.advanceMs(2_000);
  await locator.locate('sip:one.example:5060');
  assert.deepEqual(dns.questions.slice(asked), ['A one.example']);
});

test('SRV and NAPTR records, whose time to live nobody tells, are kept for a minute', async () => {
  const { resolver, clock } = locatorOf();
  const ask = async () => {
    assert.equal((await resolver.srv('_sip._udp.srv.example')).length > 0, true);
    assert.equal((await resolver.naptr('naptr.example')).length > 0, true);
  };
  await ask();
  const asked = dns.questions.length;
  clock.advanceMs(59_000);
  await ask();
  assert.equal(dns.questions.length, asked);
  clock.advanceMs(2_000);
  await ask();
  assert.deepEqual(dns.questions.slice(asked), ['SRV _sip._udp.srv.example', 'NAPTR naptr.example']);
});

test('names without end fill no memory', async () => {
  const { resolver } = locatorOf();
  for (let i = 0; i < 2_100; i++) await resolver.addresses(`n${i}.invalid`, 4);
  assert.equal(resolver.size, 2_000);
});

test('several who ask at once ask once', async () => {
  const { locator } = locatorOf({ families: [4] });
  const before = dns.questions.length;
  await Promise.all(Array.from({ length: 20 }, () => locator.locate('sip:three.example:5060')));
  assert.deepEqual(dns.questions.slice(before), ['A three.example']);
});

test('weights divide the calls (RFC 2782)', () => {
  const records = [
    { priority: 1, weight: 30, port: 1, name: 'small' },
    { priority: 2, weight: 0, port: 1, name: 'spare' },
    { priority: 1, weight: 70, port: 1, name: 'large' },
    { priority: 1, weight: 0, port: 1, name: 'rare' },
  ];
  const firsts = new Map<string, number>();
  const draws = 1000;
  for (let draw = 0; draw < draws; draw++) {
    let first = true;
    const ordered = inSrvOrder(records, () => {
      const value = first ? draw / draws : 0.5;
      first = false;
      return value;
    });
    assert.equal(ordered.length, 4);
    assert.equal(ordered[3]?.name, 'spare');
    const name = ordered[0]?.name ?? '';
    firsts.set(name, (firsts.get(name) ?? 0) + 1);
  }
  const share = (name: string) => Math.round((firsts.get(name) ?? 0) / 10);
  assert.deepEqual([share('rare'), share('small'), share('large')], [1, 30, 69]);
});
