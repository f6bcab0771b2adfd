import assert from 'node:assert/strict';
import { test } from 'node:test';
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

const from = '<sip:alice@127.0.0.1>';
/** With it a request is larger than 1300 bytes, and than any MTU of the internet. */
const large = { name: 'X-Padding', value: 'x'.repeat(2_000) };

test('a large request goes by TCP where the peer takes it (RFC 3261 section 18.1.1)', async () => {
  const sessions = new Arrivals<SipSession>();
  const port = await freePort();
  const server = await startUserAgent({
    listen: [
      { transport: 'udp', host: '127.0.0.1', port },
      { transport: 'tcp', host: '127.0.0.1', port },
    ],
    onInvite: acceptAll(sessions, { ended: () => {} }),
  });
  const client = await startUserAgent();
  const caller = recordingHandlers();
  const requestUri = `sip:100@127.0.0.1:${port}`;
  client.invite({ requestUri, from, offer: sdp, headers: [large], handlers: caller.handlers });
  await caller.events.until((event) => event === 'established');
  assert.equal((await sessions.next()).peer.transport, 'tcp');
  await Promise.all([client.close(), server.close()]);
});

test('it goes by UDP to a peer that has no TCP, and the next one at once', async () => {
  const peer = await RawPeer.open(0);
  const client = await startUserAgent({ timers: quickTimers });
  for (let call = 0; call < 2; call++) {
    const caller = recordingHandlers();
    const requestUri = `sip:100@127.0.0.1:${peer.port}`;
    const session = client.invite({
      requestUri,
      from,
      offer: sdp,
      headers: [large],
      handlers: caller.handlers,
    });
    const invite = await peer.incoming('INVITE');
    assert.equal(invite.via.transport, 'UDP');
    assert.ok((peer.texts.at(-1)?.length ?? 0) > 2_000);
    session.end();
  }
  peer.close();
  await client.close();
});

test('T11: a UDP INVITE of 2.5 kB is taken whole', async () => {
  const sessions = new Arrivals<SipSession>();
  const onInvite = acceptAll(sessions, { ended: () => {} });
  const server = await startUserAgent({ onInvite, timers: quickTimers });
  const peer = await RawPeer.open(portOf(server, 'udp'));
  peer.request('INVITE', { extra: [`X-Padding: ${'y'.repeat(2_500)}`], body: sdp });
  assert.equal((await peer.response('INVITE')).status, 200);
  const { headers, offer } = await sessions.next();
  assert.equal(headers.find(({ name }) => name === 'X-Padding')?.value.length, 2_500);
  assert.equal(offer, sdp);
  peer.request('ACK', { toTag: 'any' });
  peer.close();
  await server.close();
});

/** One that is free for UDP and TCP: both are bound a moment later. */
async function freePort(): Promise<number> {
  const probe = await startUserAgent();
  const port = portOf(probe, 'tcp');
  await probe.close();
  return port;
}
