import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock } from '../clock.ts';
import { silentLogger } from '../logger.ts';
import { createHttpServer } from './http-server.ts';

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

test('closing does not wait for connections that ask nothing, and only so long for an answer', async () => {
  const clock = new FakeClock();
  const app = createHttpServer(silentLogger, clock);
  const asked = Promise.withResolvers<void>();
  app.get('/never', () => {
    asked.resolve();
    return new Promise(() => undefined);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const [unused, waiting] = [await connected(port), await connected(port)];
  waiting.write('GET /never HTTP/1.1\r\nHost: a\r\n\r\n');
  await asked.promise;

  let closed = false;
  const closing = app.close().then(() => {
    closed = true;
  });
  await once(unused, 'close');
  clock.advanceMs(4000);
  await setImmediate();
  assert.equal(closed, false, 'a request under way has its time');
  clock.advanceMs(2000);
  await Promise.all([closing, once(waiting, 'close')]);
  assert.equal(clock.pendingTimers, 0);
});

test('an unknown path is answered from the catalogue, without its query', async () => {
  const app = createHttpServer(silentLogger, new FakeClock());
  const answer = await app.inject('/nowhere?signature=abc');
  assert.equal(answer.statusCode, 404);
  assert.equal(answer.json().error.code, 'NOT_FOUND');
  assert.doesNotMatch(answer.body, /abc/);
  await app.close();
});

test('a path that cannot be read is answered from the catalogue; a long parameter is for its route to judge', async () => {
  const app = createHttpServer(silentLogger, new FakeClock());
  app.get<{ Params: { id: string } }>('/things/:id', ({ params }) => ({ length: params.id.length }));
  const unreadable = await app.inject('/things/%zz');
  assert.equal(unreadable.statusCode, 400);
  assert.equal(unreadable.json().error.code, 'REQUEST_INVALID');
  const long = await app.inject(`/things/${'a'.repeat(10_000)}`);
  assert.deepEqual([long.statusCode, long.json()], [200, { length: 10_000 }]);
  await app.close();
});
