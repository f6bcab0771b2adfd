import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createRing, RingConsumer, RingProducer } from './ring.ts';

/** A small generator with a seed, the same in both threads. */
const randomSource = `
  function random(seed) {
    let state = seed >>> 0;
    return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  }`;
const random = new Function(`${randomSource}; return random;`)() as (seed: number) => () => number;

test('entries come out in order, over many turns of the ring', () => {
  const shared = createRing(1024);
  const producer = new RingProducer(shared);
  const consumer = new RingConsumer(shared);
  const next = random(1);
  let sent = 0;
  let received = 0;
  for (let step = 0; step < 20_000; step++) {
    const length = Math.floor(next() * 200);
    const at = producer.reserve(1, length);
    if (at >= 0) {
      producer.bytes.fill(sent++ & 0xff, at, at + length);
      producer.commit();
    } else {
      consumer.drain(
        (kind, bytes) => {
          assert.equal(kind, 1);
          assert.ok(bytes.every((byte) => byte === (received & 0xff)));
          received++;
        },
        Math.floor(next() * 1024),
      );
    }
  }
  consumer.drain(() => received++, Number.POSITIVE_INFINITY);
  assert.equal(received, sent);
  assert.ok(sent > 5000);
  assert.ok(consumer.isEmpty);
});

test('a full ring refuses and keeps what it has', () => {
  const shared = createRing(1024);
  const producer = new RingProducer(shared);
  const consumer = new RingConsumer(shared);
  let kept = 0;
  for (let at = producer.reserve(2, 20); at >= 0; at = producer.reserve(2, 20)) {
    producer.bytes.fill(kept++, at, at + 20);
    producer.commit();
  }
  // Behind the last entry of each of 16 pieces stands a word.
  assert.equal(kept, 16 * Math.floor((1024 / 16 - 4) / 24));
  assert.equal(producer.reserve(1, 2000), -1);
  const seen: number[] = [];
  consumer.drain((_kind, bytes) => void seen.push(bytes[0]!), Number.POSITIVE_INFINITY);
  assert.deepEqual(
    seen,
    Array.from({ length: kept }, (_, index) => index),
  );
  assert.equal(producer.freeBytes, 1024);
});

test('as much memory is touched as was waiting at once, though there is always something', () => {
  const capacityBytes = 65_536;
  const shared = createRing(capacityBytes);
  const producer = new RingProducer(shared);
  const consumer = new RingConsumer(shared);
  const write = (entry: number): void => {
    const at = producer.reserve(1, 100);
    producer.bytes.fill(1 + (entry % 250), at, at + 100);
    producer.commit();
  };
  const round = 30;
  for (let entry = 0; entry < round; entry++) write(entry);
  let seen = 0;
  for (let entry = round; entry < 20_000; entry += round) {
    producer.refresh();
    // More comes before all is read that was there.
    const half = round * 52;
    consumer.drain((_kind, bytes) => assert.equal(bytes[99], 1 + (seen++ % 250)), half);
    for (let more = 0; more < round; more++) write(entry + more);
    consumer.drain((_kind, bytes) => assert.equal(bytes[99], 1 + (seen++ % 250)), half);
    assert.ok(!consumer.isEmpty);
  }
  const pieceBytes = capacityBytes / 16;
  const waitingBytes = 2 * round * 104;
  const touched = producer.bytes.findLastIndex((byte) => byte !== 0);
  assert.ok(touched < (Math.ceil(waitingBytes / pieceBytes) + 2) * pieceBytes, `${touched}`);
});

test('all of it is there for what waits, whichever pieces were used before', () => {
  const shared = createRing(65_536);
  const producer = new RingProducer(shared);
  const consumer = new RingConsumer(shared);
  const next = random(5);
  for (let round = 0; round < 50; round++) {
    let sent = 0;
    for (let at = producer.reserve(1, 100); at >= 0; at = producer.reserve(1, 100)) {
      producer.bytes.fill(sent++ & 0xff, at, at + 100);
      producer.commit();
    }
    // But for the piece that the consumer has not left, and the ends of the others.
    assert.ok(sent > (14 * 4096) / 104, `${sent}`);
    let received = 0;
    const check = (_kind: number, bytes: Uint8Array): void => assert.equal(bytes[50], received++ & 0xff);
    while (!consumer.isEmpty) consumer.drain(check, Math.ceil(next() * 20_000));
    assert.equal(received, sent);
  }
});

test('an empty ring takes an entry of a quarter of it, whatever was written before', () => {
  const shared = createRing(4096);
  const producer = new RingProducer(shared);
  const consumer = new RingConsumer(shared);
  const next = random(3);
  const sent: number[] = [];
  const seen: number[] = [];
  const drain = (): void => {
    consumer.drain((_kind, bytes) => {
      assert.ok(bytes.every((byte) => byte === (bytes.length & 0xff)));
      seen.push(bytes.length);
    }, Number.POSITIVE_INFINITY);
  };
  for (let entry = 0; entry < 3000; entry++) {
    const length = next() < 0.3 ? 1024 : Math.floor(next() * 300);
    let at = producer.reserve(2, length);
    if (at < 0) {
      drain();
      at = producer.reserve(2, length);
    }
    assert.ok(at >= 0);
    producer.bytes.fill(length & 0xff, at, at + length);
    producer.commit();
    sent.push(length);
  }
  drain();
  assert.deepEqual(seen, sent);
});

test('an uncommitted reservation is never seen', () => {
  const shared = createRing(1024);
  const producer = new RingProducer(shared);
  const consumer = new RingConsumer(shared);
  producer.reserve(1, 8);
  assert.ok(consumer.isEmpty);
  const at = producer.reserve(1, 4);
  producer.bytes[at] = 42;
  producer.commit();
  const seen: number[] = [];
  consumer.drain((_kind, bytes) => void seen.push(bytes.length, bytes[0]!), 1000);
  assert.deepEqual(seen, [4, 42]);
});

test('a capacity that is no power of two, or too small, is refused', () => {
  assert.throws(() => createRing(3000), TypeError);
  assert.throws(() => createRing(512), TypeError);
});

for (const capacityBytes of [1024, 65_536]) {
  test(`a consumer on another thread sees exactly what was committed (${capacityBytes} bytes)`, async () => {
    const shared = createRing(capacityBytes);
    const total = 30_000;
    const source = `
      import { parentPort, workerData } from 'node:worker_threads';
      import { RingConsumer } from ${JSON.stringify(new URL('./ring.ts', import.meta.url).href)};
      ${randomSource}
      const ring = new RingConsumer(workerData.shared);
      const next = random(7);
      let received = 0, wrong = 0;
      while (received < workerData.total) {
        ring.wait(5);
        ring.drain((kind, bytes) => {
          const length = Math.floor(next() * 60), value = Math.floor(next() * 256);
          if (kind !== 1 + (received % 3) || bytes.length !== length || bytes.some((b) => b !== value)) wrong++;
          received++;
        }, Infinity);
      }
      parentPort.postMessage({ received, wrong });`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    const worker = new Worker(url, { workerData: { shared, total } });
    const { promise, resolve, reject } = Promise.withResolvers<{ received: number; wrong: number }>();
    worker.once('message', resolve).once('error', reject);
    const producer = new RingProducer(shared);
    const next = random(7);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let sent = 0; sent < total; sent++) {
      const length = Math.floor(next() * 60);
      const value = Math.floor(next() * 256);
      const kind = (1 + (sent % 3)) as 1 | 2 | 3;
      let at = producer.reserve(kind, length);
      for (; at < 0; at = producer.reserve(kind, length)) {
        producer.wake();
        Atomics.wait(pause, 0, 0, 1);
      }
      producer.bytes.fill(value, at, at + length);
      producer.commit();
    }
    producer.wake();
    assert.deepEqual(await promise, { received: total, wrong: 0 });
  });
}
