import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { systemClock } from '../clock.ts';
import { Secret } from '../secret.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { DnsResolver } from './name-resolver.ts';
import type { SipSession } from './session.ts';
import { TestDnsServer, type ZoneRecord } from './test-dns-server.ts';
import {
  Arrivals,
  acceptAll,
  portOf,
  quickTimers,
  RawPeer,
  recordingHandlers,
  sdp,
  startUserAgent,
} from './test-peers.ts';
import type { UserAgent } from './user-agent.ts';

throwOnUnlistedTransitions();

const from = '<sip:alice@127.0.0.1>';
let dns: TestDnsServer;
let client: UserAgent;

before(async () => {
  dns = await TestDnsServer.start([]);
});
after(() => dns.close());

/** A client that finds `pbx.example` by SRV records: these targets, in this order. */
async function clientOf(
  ...targets: readonly { port: number; transport?: 'udp' | 'tcp' }[]
): Promise<UserAgent> {
  const records = targets.map(({ port, transport = 'udp' }, index): ZoneRecord => {
    const name = `_sip._${transport}.pbx.example`;
    return { name, srv: [index, 0, port, 'host.example'] };
  });
  dns.zone = [...records, { name: 'host.example', a: '127.0.0.1' }];
  const resolver = new DnsResolver({ clock: systemClock, servers: [dns.address] });
  client = await startUserAgent({ resolver, timers: quickTimers });
  return client;
}

function call(agent: UserAgent): ReturnType<typeof recordingHandlers> & { session: SipSession } {
  const caller = recordingHandlers();
  const session = agent.invite({
    requestUri: 'sip:100@pbx.example',
    from,
    offer: sdp,
    handlers: caller.handlers,
  });
  return { ...caller, session };
}

test('a target that says nothing gives way to the next, and is asked last from then on', async () => {
  const silent = await RawPeer.open(0);
  const sessions = new Arrivals<SipSession>();
  const server = await startUserAgent({ onInvite: acceptAll(sessions, { ended: () => {} }) });
  const agent = await clientOf({ port: silent.port }, { port: portOf(server, 'udp') });
  const first = call(agent);
  await first.events.until((event) => event === 'established');
  assert.equal((await silent.incoming('INVITE')).callId, first.session.callId);
  const heard = silent.received.all.length;
  const second = call(agent);
  await second.events.until((event) => event === 'established');
  assert.equal(silent.received.all.length, heard);
  assert.equal(first.session.peer.port, portOf(server, 'udp'));
  // What follows in the dialog goes to the peer that answered.
  first.session.end();
  second.session.end();
  await Promise.all([agent.close(), server.close()]);
  assert.deepEqual(agent.stats(), { sessions: 0, transactions: 0, connections: 0 });
});

test('503 gives way to the next; the one that refuses for a reason of its own does not', async () => {
  let asked = 0;
  const full = await startUserAgent({
    onInvite: (session) => {
      asked++;
      session.reject({ status: 503 });
    },
  });
  const busy = await startUserAgent({ onInvite: (session) => session.reject({ status: 486 }) });
  const never = await startUserAgent({ onInvite: () => assert.fail('asked after a 486') });
  const ports = [full, busy, never].map((peer) => ({ port: portOf(peer, 'udp') }));
  const agent = await clientOf(...ports);
  const caller = call(agent);
  await caller.events.until((event) => event === 'ended rejected');
  assert.equal(caller.ends[0]?.status, 486);
  assert.equal(asked, 1);
  await Promise.all([agent.close(), full.close(), busy.close(), never.close()]);
});

test('a connection that is refused gives way at once, with a Contact that the next one can use', async () => {
  const closed = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => closed.once('listening', resolve));
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  const peer = await RawPeer.open(0);
  // Without NAPTR records UDP is asked for before TCP: the refusing one is found by a Request-URI of its own.
  const records: ZoneRecord[] = [
    { name: 'pbx.example', naptr: [1, 1, 's', 'SIP+D2T', '_sip._tcp.pbx.example'] },
    { name: 'pbx.example', naptr: [2, 1, 's', 'SIP+D2U', '_sip._udp.pbx.example'] },
  ];
  const agent = await clientOf({ port, transport: 'tcp' }, { port: peer.port });
  dns.zone = [...dns.zone, ...records];
  const caller = call(agent);
  const invite = await peer.incoming('INVITE');
  const contact = invite.headers.find(({ key }) => key === 'contact')?.value;
  assert.equal(contact, `<sip:127.0.0.1:${portOf(agent, 'udp')}>`);
  assert.equal(invite.via.transport, 'UDP');
  caller.session.end();
  await agent.close();
  peer.close();
});

test('when the last target fails the call does, with what was known last', async () => {
  const peers = [await RawPeer.open(0), await RawPeer.open(0)];
  const agent = await clientOf(...peers.map(({ port }) => ({ port })));
  const caller = call(agent);
  await caller.events.until((event) => event === 'ended timeout');
  for (const peer of peers) {
    assert.equal((await peer.incoming('INVITE')).callId, caller.session.callId);
    peer.close();
  }
  await agent.close();
});

test('a name that does not exist ends the call with a reason, and a registration with a code', async () => {
  const agent = await clientOf();
  dns.zone = [];
  const caller = call(agent);
  await caller.events.until((event) => event === 'ended error');
  assert.match(caller.ends[0]?.reason ?? '', /has no address/);
  const registration = agent.register({
    registrar: 'sip:pbx.example',
    aor: 'sip:a@pbx.example',
    credentials: { username: 'a', password: new Secret('b') },
    expiresSeconds: 60,
    contactUser: 'a',
  });
  await assert.rejects(registration, { code: 'SIP_HOST_UNKNOWN' });
  await agent.close();
});
