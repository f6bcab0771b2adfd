import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { releaseBytes, releasedOnceSent } from './released-bytes.ts';

const chunkBytes = 64 * 1024;

test('bytes are released where they are all of their memory, and many', () => {
  const whole = new Uint8Array(chunkBytes);
  const part = new Uint8Array(2 * chunkBytes).subarray(chunkBytes);
  const shared = new Uint8Array(new SharedArrayBuffer(chunkBytes));
  const few = new Uint8Array(1000);
  for (const bytes of [whole, part, shared, few]) releaseBytes(bytes);
  assert.deepEqual(
    [whole, part, shared, few].map(({ length }) => length),
    [0, chunkBytes, chunkBytes, 1000],
  );
  releaseBytes(whole);
});

/** Chunks that tell what each is by its bytes. */
async function* numbered(chunks: number, made: Uint8Array[]): AsyncGenerator<Uint8Array, void, void> {
  for (let index = 0; index < chunks; index++) {
    const chunk = new Uint8Array(chunkBytes).fill(index + 1);
    made.push(chunk);
    yield chunk;
  }
}

for (const { title, pauseMs } of [
  { title: 'who reads at once', pauseMs: 0 },
  { title: 'who reads slowly', pauseMs: 300 },
])
  test(`${title} has every byte; what was sent is released while the rest goes on`, async () => {
    const made: Uint8Array[] = [];
    const server = createServer((_request, response) => {
      const body: Readable = Readable.from(
        releasedOnceSent(numbered(200, made), () => ({ body, response })),
        { objectMode: false },
      );
      body.pipe(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [response] = (await once(get({ port, host: '127.0.0.1' }), 'response')) as [IncomingMessage];
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const got = await buffer(response);
    server.close();
    assert.equal(got.length, 200 * chunkBytes);
    for (let at = 0; at < got.length; at += 1021) assert.equal(got[at], 1 + Math.floor(at / chunkBytes));
    assert.ok(made.filter(({ length }) => length === 0).length >= 190);
  });

test('what is read by no socket is left as it is', async () => {
  const made: Uint8Array[] = [];
  const body: Readable = Readable.from(
    releasedOnceSent(numbered(20, made), () => ({ body, response: new PassThrough() })),
    { objectMode: false },
  );
  const got = await buffer(body);
  assert.equal(got.length, 20 * chunkBytes);
  assert.ok(made.every(({ length }) => length === chunkBytes));
});
