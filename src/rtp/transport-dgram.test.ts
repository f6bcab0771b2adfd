import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { FakeClock, systemClock } from '../clock.ts';
import { transportConformance } from './test-transport-conformance.ts';
import { DgramTransport } from './transport-dgram.ts';

transportConformance('dgram', {
  create: (options) => new DgramTransport({ clock: systemClock, ...options }),
});

/** Over loopback a datagram lies at the receiver when its send is done; the turns let the receiver's callback run. */
async function sendAll(port: number, datagrams: Uint8Array[]): Promise<void> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  for (const datagram of datagrams) {
    await new Promise((resolve) => socket.send(datagram, port, '127.0.0.1', resolve));
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  }
  socket.close();
  await once(socket, 'close');
}

test('what one port holds until the tick is bounded, and so is the size of a datagram', async () => {
  const clock = new FakeClock();
  const transport = new DgramTransport({ clock, address: '127.0.0.1', ports: { first: 0, last: 0 } });
  try {
    const sizes: number[] = [];
    const port = await transport.open({ receive: ({ data }) => sizes.push(data.length) });
    transport.run(() => {});
    const small = Array.from({ length: 600 }, () => new Uint8Array(20));
    await sendAll(port.port, [new Uint8Array(2049), new Uint8Array(2048), ...small]);
    assert.deepEqual(sizes, []);
    clock.advanceMs(5);
    assert.equal(sizes.length, 512);
    assert.equal(sizes[0], 2048);
    assert.equal(transport.counters.droppedDatagrams, 1 + 89);
    await sendAll(port.port, [new Uint8Array(20)]);
    clock.advanceMs(5);
    assert.equal(sizes.length, 513);
  } finally {
    await transport.stop();
  }
  assert.equal(clock.pendingTimers, 0);
});

test('arrival is the moment the datagram came, not the tick', async () => {
  const clock = new FakeClock();
  const transport = new DgramTransport({ clock, address: '127.0.0.1', ports: { first: 0, last: 0 } });
  try {
    const arrivalsUs: number[] = [];
    const port = await transport.open({ receive: ({ arrivalUs }) => arrivalsUs.push(arrivalUs) });
    const startUs = clock.monotonicUs();
    await sendAll(port.port, [new Uint8Array(20)]);
    clock.advanceUs(1234);
    await sendAll(port.port, [new Uint8Array(20)]);
    transport.run(() => {});
    clock.advanceMs(5);
    assert.deepEqual(arrivalsUs, [startUs, startUs + 1234]);
  } finally {
    await transport.stop();
  }
});

test('a second run is refused', async () => {
  const transport = new DgramTransport({
    clock: new FakeClock(),
    address: '127.0.0.1',
    ports: { first: 0, last: 0 },
  });
  transport.run(() => {});
  assert.throws(() => transport.run(() => {}), /runs already/);
  await transport.stop();
});

test('what finds no room in the queue is counted as our own shortage, and the queue empties itself', async () => {
  const clock = new FakeClock();
  const transport = new DgramTransport({ clock, address: '127.0.0.1', ports: { first: 0, last: 0 } });
  try {
    const port = await transport.open({ receive: () => undefined });
    const queued = 8192;
    let toSend = queued + 3;
    transport.run(() => {
      for (; toSend > 0; toSend--) {
        port.reserve(2048);
        port.commit(2048, '127.0.0.1', port.port);
      }
    });
    clock.advanceMs(5);
    assert.equal(transport.waitingSends, queued);
    while (transport.counters.sentPackets < queued) await setImmediate();
    assert.equal(transport.waitingSends, 0);
    assert.deepEqual([transport.counters.failedSends, transport.counters.sendOverflows], [3, 3]);
  } finally {
    await transport.stop();
  }
});
