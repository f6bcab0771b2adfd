import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { connectionLimits, StreamConnection } from './stream-connection.ts';
import { requestText } from './test-peers.ts';

const { pingMinMs, pingMaxMs, pongMs, idleMs, patienceMs } = connectionLimits;
const server = createServer().listen(0, '127.0.0.1');
after(() => server.close());

/** A connection that we opened, and the peer's end of it. */
async function open(): Promise<{
  clock: FakeClock;
  connection: StreamConnection;
  peer: Socket;
  sent(): number;
}> {
  if (!server.listening) await once(server, 'listening');
  const clock = new FakeClock();
  const accepted = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  const remote = { transport: 'tcp' as const, address: '127.0.0.1', port };
  const parties = { remote, local: { host: '127.0.0.1', port: 5060 }, ours: true };
  const connection = new StreamConnection(socket, parties, clock, { receive: () => {} }, 'connect');
  await once(socket, 'connect');
  const [peer] = (await accepted) as [Socket];
  peer.resume();
  return { clock, connection, peer, sent: () => socket.bytesWritten };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

test('we ping what we opened; a peer that stops answering is gone (RFC 5626 section 4.4.1)', async () => {
  const { clock, connection, peer, sent } = await open();
  clock.advanceMs(pingMinMs - 1);
  assert.equal(sent(), 0);
  let passedMs = pingMinMs - 1;
  for (; sent() < 4; passedMs += 100) clock.advanceMs(100);
  assert.ok(passedMs <= pingMaxMs + 100);
  await new Promise<void>((resolve) => peer.write('\r\n', () => resolve()));
  while (sent() < 8) {
    await new Promise(setImmediate);
    clock.advanceMs(100);
  }
  assert.ok(connection.open);
  clock.advanceMs(pongMs);
  assert.ok(!connection.open);
  await until(() => clock.pendingTimers === 0);
});

test('a peer that never answers pings is not punished for it, and pings are no use', async () => {
  const { clock, connection, peer, sent } = await open();
  clock.advanceMs(idleMs / 2);
  assert.ok(sent() > 4);
  assert.ok(connection.open);
  connection.send(Buffer.from(requestText('OPTIONS', 5060, {})));
  clock.advanceMs(idleMs - patienceMs);
  assert.ok(connection.open);
  clock.advanceMs(2 * patienceMs);
  assert.ok(!connection.open);
  peer.destroy();
  await until(() => clock.pendingTimers === 0);
});
