import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import type { SipSession } from './session.ts';
import {
  Arrivals,
  acceptAll,
  portOf,
  quickTimers,
  recordingHandlers,
  sdp,
  startUserAgent,
} from './test-peers.ts';

throwOnUnlistedTransitions();

const from = '"Alice" <sip:alice@127.0.0.1>';

for (const transport of ['udp', 'tcp'] as const) {
  test(`a call over ${transport}, ended by the caller`, async () => {
    const callee = recordingHandlers();
    const sessions = new Arrivals<SipSession>();
    const server = await startUserAgent({
      onInvite: (session) => {
        session.handlers = callee.handlers;
        sessions.add(session);
        session.provisional(180);
        session.provisional(183, sdp);
        session.accept(sdp);
      },
    });
    const client = await startUserAgent();
    const caller = recordingHandlers();
    const headers = [{ name: 'X-Trace', value: 'a\r\nEvil: yes' }];
    const requestUri = `sip:100@127.0.0.1:${portOf(server, transport)}`;
    const call = client.invite({
      requestUri,
      from,
      offer: sdp,
      headers,
      transport,
      handlers: caller.handlers,
    });
    assert.equal(call.state, 'calling');
    await caller.events.until((event) => event === 'established');
    await callee.events.until((event) => event === 'established');
    assert.deepEqual(caller.events.all, ['progress 180', 'progress 183 sdp', 'answered', 'established']);

    const session = await sessions.next();
    assert.equal(session.state, 'established');
    assert.equal(session.direction, 'incoming');
    assert.deepEqual(session.from, {
      displayName: 'Alice',
      uri: 'sip:alice@127.0.0.1',
      user: 'alice',
      host: '127.0.0.1',
    });
    assert.equal(session.to.user, '100');
    assert.equal(session.requestUri, requestUri);
    assert.equal(session.offer, sdp);
    assert.equal(session.peer.transport, transport);
    assert.equal(session.callId, call.callId);
    assert.equal(session.headers.find(({ name }) => name === 'X-Trace')?.value, 'a Evil: yes');
    assert.ok(!session.headers.some(({ name }) => name === 'Evil'));

    call.end('done');
    call.end();
    assert.equal(await callee.events.next(), 'ended remote');
    assert.match(callee.ends[0]?.reason ?? '', /done/);
    assert.deepEqual(caller.ends, [{ cause: 'local', reason: 'done' }]);
    await Promise.all([client.close(), server.close()]);
    assert.deepEqual([client.stats(), server.stats()], [idle, idle]);
    assert.equal(callee.ends.length, 1);
  });
}

const idle = { sessions: 0, transactions: 0, connections: 0 };

test('the callee ends, over TCP on the connection the call came by', async () => {
  const callee = recordingHandlers();
  const sessions = new Arrivals<SipSession>();
  const server = await startUserAgent({ onInvite: acceptAll(sessions, callee.handlers) });
  const client = await startUserAgent();
  const caller = recordingHandlers();
  const requestUri = `sip:100@127.0.0.1:${portOf(server, 'tcp')};transport=tcp`;
  client.invite({ requestUri, from, offer: sdp, handlers: caller.handlers });
  await callee.events.until((event) => event === 'established');
  assert.equal(server.stats().connections, 1);
  (await sessions.next()).end();
  await caller.events.until((event) => event === 'ended remote');
  assert.equal(server.stats().connections, 1);
  await Promise.all([client.close(), server.close()]);
});

test('a refusal reaches the caller with status and reason', async () => {
  const server = await startUserAgent({
    onInvite: (session) =>
      session.reject({ status: 603, reason: 'Not Now', headers: [{ name: 'X-Why', value: 'y' }] }),
  });
  const client = await startUserAgent();
  const caller = recordingHandlers();
  client.invite({
    requestUri: `sip:100@127.0.0.1:${portOf(server, 'udp')}`,
    from,
    offer: sdp,
    handlers: caller.handlers,
  });
  await caller.events.next();
  assert.deepEqual(caller.ends, [{ cause: 'rejected', status: 603, reason: 'Not Now' }]);
  await Promise.all([client.close(), server.close()]);
});

test('the caller hangs up while it rings: CANCEL', async () => {
  const callee = recordingHandlers();
  const server = await startUserAgent({
    onInvite: (session) => {
      session.handlers = callee.handlers;
      session.provisional(180);
    },
  });
  const client = await startUserAgent();
  const caller = recordingHandlers();
  const call = client.invite({
    requestUri: `sip:100@127.0.0.1:${portOf(server, 'udp')}`,
    from,
    offer: sdp,
    handlers: caller.handlers,
  });
  await caller.events.until((event) => event === 'progress 180');
  call.end();
  await callee.events.next();
  assert.equal(callee.ends[0]?.cause, 'cancelled');
  assert.equal(callee.ends[0]?.status, 487);
  assert.equal(caller.ends[0]?.cause, 'local');
  await Promise.all([client.close(), server.close()]);
});

test('hanging up before anything was heard sends the CANCEL after the first provisional', async () => {
  const callee = recordingHandlers();
  const server = await startUserAgent({
    onInvite: (session) => {
      session.handlers = callee.handlers;
    },
  });
  const client = await startUserAgent();
  const caller = recordingHandlers();
  const requestUri = `sip:100@127.0.0.1:${portOf(server, 'udp')}`;
  const call = client.invite({ requestUri, from, offer: sdp, handlers: caller.handlers });
  // Resolution takes a turn of the event loop; the INVITE leaves, then comes the hang-up.
  await new Promise(setImmediate);
  call.end();
  await callee.events.next();
  assert.equal(callee.ends[0]?.cause, 'cancelled');
  await Promise.all([client.close(), server.close()]);
});

test('half of all datagrams lost: the call still stands and ends on both sides', async () => {
  const callee = recordingHandlers();
  const sessions = new Arrivals<SipSession>();
  const onInvite = acceptAll(sessions, callee.handlers);
  const server = await startUserAgent({ onInvite, timers: quickTimers });
  const client = await startUserAgent({ timers: quickTimers });
  const proxy = await lossyProxy(portOf(server, 'udp'));
  const caller = recordingHandlers();
  const call = client.invite({
    requestUri: `sip:100@127.0.0.1:${portOf(server, 'udp')}`,
    from,
    offer: sdp,
    nextHop: { address: '127.0.0.1', port: proxy.port },
    handlers: caller.handlers,
  });
  await caller.events.until((event) => event === 'established');
  await callee.events.until((event) => event === 'established');
  assert.ok(proxy.dropped() >= 2);
  call.end();
  await callee.events.until((event) => event === 'ended remote');
  assert.deepEqual(callee.ends.length, 1);
  await Promise.all([client.close(), server.close()]);
  proxy.close();
});

/** Stands between client and server, drops every other datagram each way; Contacts bypass it. */
async function lossyProxy(server: number): Promise<{ port: number; dropped(): number; close(): void }> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let client = 0;
  let dropped = 0;
  const seen = { up: 0, down: 0 };
  socket.on('message', (bytes, source) => {
    const up = source.port !== server;
    if (up) client = source.port;
    if (seen[up ? 'up' : 'down']++ % 2 === 0) dropped++;
    else socket.send(bytes, up ? server : client, '127.0.0.1');
  });
  return { port: socket.address().port, dropped: () => dropped, close: () => socket.close() };
}

test('nobody there: the call ends with a timeout', async () => {
  const hole = createSocket('udp4');
  hole.bind(0, '127.0.0.1');
  await once(hole, 'listening');
  const client = await startUserAgent({ timers: { t1Ms: 4, t2Ms: 16, t4Ms: 20 } });
  const caller = recordingHandlers();
  const requestUri = `sip:100@127.0.0.1:${hole.address().port}`;
  client.invite({ requestUri, from, offer: sdp, handlers: caller.handlers });
  await caller.events.next();
  assert.deepEqual(caller.ends, [{ cause: 'timeout', status: 408, reason: 'no answer to the INVITE' }]);
  await client.close();
  hole.close();
});

test('a large INVITE goes by TCP, and by UDP when the peer does not listen there', async () => {
  const callee = recordingHandlers();
  const sessions = new Arrivals<SipSession>();
  const onInvite = acceptAll(sessions, callee.handlers);
  const port = portOfBoth();
  const both = await startUserAgent({
    onInvite,
    listen: [
      { transport: 'udp', host: '127.0.0.1', port: await port },
      { transport: 'tcp', host: '127.0.0.1', port: await port },
    ],
  });
  const onlyUdp = await startUserAgent({
    onInvite,
    listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }],
  });
  const client = await startUserAgent();
  const headers = [{ name: 'X-Long', value: 'x'.repeat(1500) }];
  for (const [server, transport] of [
    [both, 'tcp'],
    [onlyUdp, 'udp'],
  ] as const) {
    const caller = recordingHandlers();
    const requestUri = `sip:100@127.0.0.1:${portOf(server, 'udp')}`;
    client.invite({ requestUri, from, offer: sdp, headers, handlers: caller.handlers });
    await caller.events.until((event) => event === 'established');
    assert.equal((await sessions.next()).peer.transport, transport);
  }
  await Promise.all([client.close(), both.close(), onlyUdp.close()]);
});

/** A port that was free for both transports a moment ago. */
async function portOfBoth(): Promise<number> {
  const probe = await startUserAgent();
  const port = portOf(probe, 'tcp');
  await probe.close();
  return port;
}

test('draining and full user agents answer 503; running calls go on', async () => {
  const callee = recordingHandlers();
  const sessions = new Arrivals<SipSession>();
  const server = await startUserAgent({ onInvite: acceptAll(sessions, callee.handlers), maxSessions: 1 });
  const client = await startUserAgent();
  const requestUri = `sip:100@127.0.0.1:${portOf(server, 'udp')}`;
  const first = recordingHandlers();
  client.invite({ requestUri, from, offer: sdp, handlers: first.handlers });
  await first.events.until((event) => event === 'established');
  const second = recordingHandlers();
  client.invite({ requestUri, from, offer: sdp, handlers: second.handlers });
  await second.events.next();
  assert.equal(second.ends[0]?.status, 503);
  server.drain();
  const third = recordingHandlers();
  client.invite({ requestUri, from, offer: sdp, handlers: third.handlers });
  await third.events.next();
  assert.equal(third.ends[0]?.status, 503);
  assert.equal(first.ends.length, 0);
  await server.close();
  await first.events.until((event) => event === 'ended remote');
  await client.close();
});

test('unusable addresses: malformed ones throw, unreachable ones end the session', async () => {
  const client = await startUserAgent({ listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }] });
  const invite = (requestUri: string, transport?: 'tcp') => {
    const caller = recordingHandlers();
    client.invite({ requestUri, from, offer: sdp, handlers: caller.handlers, transport });
    return caller;
  };
  assert.throws(() => invite('sip:'), { code: 'REQUEST_INVALID' });
  for (const caller of [invite('sip:100@example.invalid'), invite('sip:100@127.0.0.1', 'tcp')]) {
    await caller.events.next();
    assert.equal(caller.ends[0]?.cause, 'error');
  }
  assert.deepEqual(client.stats(), idle);
  await client.close();
});

test('a port in use is said so', async () => {
  const first = await startUserAgent();
  const listen = [{ transport: 'tcp' as const, host: '127.0.0.1', port: portOf(first, 'tcp') }];
  await assert.rejects(startUserAgent({ listen }), { code: 'PORT_TAKEN' });
  await first.close();
});
