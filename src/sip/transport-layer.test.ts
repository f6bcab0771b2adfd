import assert from 'node:assert/strict';
import { test } from 'node:test';
import { headerValue } from './message.ts';
import type { SipSession } from './session.ts';
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

const listenOn = (host: string) =>
  (['udp', 'tcp'] as const).map((transport) => ({ transport, host, port: 0 }));

for (const transport of ['udp', 'tcp'] as const)
  test(`a call over ${transport} and IPv6, ended by the callee`, async () => {
    const sessions = new Arrivals<SipSession>();
    const server = await startUserAgent({
      listen: listenOn('::1'),
      onInvite: acceptAll(sessions, { ended: () => {} }),
    });
    const client = await startUserAgent({ listen: listenOn('::1') });
    const caller = recordingHandlers();
    const requestUri = `sip:100@[::1]:${portOf(server, transport)};transport=${transport}`;
    client.invite({ requestUri, from: '<sip:alice@[::1]>', offer: sdp, handlers: caller.handlers });
    await caller.events.until((event) => event === 'established');
    const session = await sessions.next();
    assert.equal(session.peer.address, '::1');
    const suffix = transport === 'tcp' ? ';transport=tcp' : '';
    const contact = session.headers.find(({ name }) => name === 'Contact')?.value;
    assert.equal(contact?.replace(/;.*|>.*/, ''), `<sip:[::1]:${portOf(client, transport)}`);
    assert.ok(contact?.includes(suffix));
    assert.match(session.headers.find(({ name }) => name === 'Via')?.value ?? '', /\[::1\]:\d+;/);
    session.end();
    await caller.events.until((event) => event === 'ended remote');
    await Promise.all([client.close(), server.close()]);
  });

test('listening on :: takes IPv4 peers as such, both ways', async () => {
  const sessions = new Arrivals<SipSession>();
  const server = await startUserAgent({
    listen: listenOn('::'),
    timers: quickTimers,
    onInvite: acceptAll(sessions, { ended: () => {} }),
  });
  const peer = await RawPeer.open(portOf(server, 'udp'));
  peer.request('INVITE', { body: sdp });
  const answer = await peer.response('INVITE');
  assert.equal(answer.status, 200);
  assert.equal(headerValue(answer, 'contact'), `<sip:127.0.0.1:${portOf(server, 'udp')}>`);
  assert.equal((await sessions.next()).peer.address, '127.0.0.1');
  // And from there to a peer that has IPv4 alone.
  const caller = recordingHandlers();
  server.invite({
    requestUri: `sip:1@127.0.0.1:${peer.port}`,
    from: '<sip:a@127.0.0.1>',
    offer: sdp,
    handlers: caller.handlers,
  });
  assert.equal((await peer.incoming('INVITE')).via.host, '127.0.0.1');
  peer.close();
  await server.close();
});

test('of several addresses listened on each answers for itself, and the one near the peer calls', async () => {
  const hosts = ['127.0.0.1', '127.0.0.2', '::1'];
  const server = await startUserAgent({
    listen: hosts.map((host) => ({ transport: 'udp' as const, host, port: 0 })),
    onInvite: (session) => session.reject({ status: 486 }),
  });
  const port = server.listening.find(({ host }) => host === '127.0.0.2')?.port ?? 0;
  const peer = await RawPeer.open(port);
  peer.send(
    `OPTIONS sip:127.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK1;rport\r\n` +
      'From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: several\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n',
    port,
    '127.0.0.2',
  );
  assert.equal((await peer.response('OPTIONS')).status, 200);
  assert.equal(peer.lastSourcePort, port);
  peer.close();
  await server.close();
});
