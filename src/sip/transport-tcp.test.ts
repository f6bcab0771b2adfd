import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import { connectionLimits } from './stream-connection.ts';
import { Arrivals, requestText } from './test-peers.ts';
import type { Flow } from './transport.ts';
import { TcpTransport } from './transport-tcp.ts';

const clock = new FakeClock();
const received = new Arrivals<{ text: string; flow: Flow }>();
const transport = new TcpTransport({
  host: '127.0.0.1',
  port: 0,
  advertised: () => '127.0.0.1',
  gate: { opened: () => true, closed: () => {} },
  clock,
  sink: { receive: (bytes, flow) => received.add({ text: Buffer.from(bytes).toString(), flow }) },
  failed: (error) => {
    throw error;
  },
});

before(() => transport.start());
after(async () => {
  await transport.close();
  assert.equal(transport.connections, 0);
  assert.equal(clock.pendingTimers, 0);
});

async function open(): Promise<Socket> {
  const known = transport.connections;
  const socket = connect(transport.port, '127.0.0.1');
  socket.resume();
  while (transport.connections === known) await new Promise(setImmediate);
  return socket;
}

const message = requestText('OPTIONS', 5060, {});

test('a silent connection is closed after a while', async () => {
  const socket = await open();
  clock.advanceMs(connectionLimits.patienceMs);
  await once(socket, 'close');
});

test('a message that never ends closes the connection', async () => {
  const socket = await open();
  socket.write(message + message.slice(0, 40));
  await received.next();
  clock.advanceMs(2 * connectionLimits.patienceMs);
  await once(socket, 'close');
});

test('one that ends keeps it, until it has been idle for long', async () => {
  const socket = await open();
  socket.write(message + message.slice(0, 40));
  const { flow } = await received.next();
  clock.advanceMs(connectionLimits.patienceMs - 1);
  socket.write(message.slice(40));
  await received.next();
  clock.advanceMs(connectionLimits.idleMs - connectionLimits.patienceMs);
  assert.ok(flow.open);
  clock.advanceMs(2 * connectionLimits.patienceMs);
  assert.ok(!flow.open);
  await once(socket, 'close');
});

test('an open connection is reused both ways, a closed one is opened anew', async () => {
  const socket = await open();
  socket.write(message);
  const { flow } = await received.next();
  assert.equal(transport.flowTo(flow.remote), flow);
  const [answer] = await Promise.all([once(socket, 'data'), flow.send(Buffer.from('hello'))]);
  assert.equal(String(answer[0]), 'hello');
  socket.destroy();
  while (flow.open) await new Promise(setImmediate);
  const again = transport.flowTo(flow.remote);
  assert.notEqual(again, flow);
  // Nobody listens on the port the peer had used.
  const error = await new Promise<Error>((resolve) => again.send(Buffer.from('x'), resolve));
  assert.ok(error instanceof Error);
  assert.ok(!again.open);
});
