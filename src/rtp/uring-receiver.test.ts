import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { FakeClock, systemClock } from '../clock.ts';
import { chooseTransport } from './choose-transport.ts';
import { type Libc, type OpenedLibc, openLibc } from './libc.ts';
import { insideTick, openPeer, RecordingSink, send, sendFrom } from './test-transport.ts';
import { FfiTransport } from './transport-ffi.ts';

const opened = openLibc();
assert.ok(typeof opened === 'object', String(opened));
const libc: OpenedLibc = opened;
const address = '127.0.0.1';
const choice = { clock: systemClock, address, ports: { first: 0, last: 0 } };
const options = { ...choice, libc };

const setupCall = 425n;
const enterCall = 426n;
const registerCall = 427n;
const entersForReceiving = 1n;

function libcWith(change: (real: Libc) => Partial<Libc>): OpenedLibc {
  return { ...libc, libc: { ...libc.libc, ...change(libc.libc) } };
}

const numbered = (count: number, of = ''): string[] => Array.from({ length: count }, (_, i) => `${of}${i}`);

describe('datagrams by multishot requests', () => {
  test('more than there are buffers: nothing is lost, and every socket keeps its order', async () => {
    const clock = new FakeClock();
    const transport = new FfiTransport({ ...options, clock });
    const sinks = Array.from({ length: 10 }, () => new RecordingSink());
    const ports = [];
    for (const sink of sinks) ports.push(await transport.open(sink));
    transport.run(() => undefined);
    const peer = await openPeer(address);
    for (let i = 0; i < 100; i++)
      for (const { port } of ports) await sendFrom(peer, Buffer.from(`${i}`), port, address);
    peer.close();
    clock.advanceMs(5);
    for (const { received } of sinks)
      assert.deepEqual(
        received.map(({ text }) => text),
        numbered(100),
      );
    await transport.stop();
  });

  test('a flooded port has its share of a turn, and the rest in the next ones', async () => {
    const clock = new FakeClock();
    const transport = new FfiTransport({ ...options, clock });
    const [sink, other] = [new RecordingSink(), new RecordingSink()];
    const flooded = await transport.open(sink);
    const port = await transport.open(other);
    transport.run(() => undefined);
    const peer = await openPeer(address);
    for (let i = 0; i < 600; i++) await sendFrom(peer, Buffer.from(`${i}`), flooded.port, address);
    await sendFrom(peer, Buffer.from('in time'), port.port, address);
    peer.close();
    clock.advanceMs(5);
    assert.ok(sink.received.length >= 128 && sink.received.length < 300, `${sink.received.length}`);
    assert.equal(other.received.length, 1);
    for (let turn = 0; turn < 5; turn++) clock.advanceMs(5);
    assert.deepEqual(
      sink.received.map(({ text }) => text),
      numbered(600),
    );
    await transport.stop();
  });

  test('what a sink is given stays as it is while it sends and more comes in', async () => {
    const transport = new FfiTransport(options);
    const heard: string[] = [];
    const changed: string[] = [];
    const done = Promise.withResolvers<void>();
    const to = await transport.open({
      receive: ({ data }) => {
        const text = Buffer.from(data).toString('latin1');
        for (let i = 0; i < 70; i++) send(from, `noise ${i}`, address, from.port);
        if (Buffer.from(data).toString('latin1') !== text) changed.push(text);
        if (heard.push(text) === 60) done.resolve();
      },
    });
    const from = await transport.open({ receive: () => undefined });
    const queue: (() => void)[] = [];
    transport.run(() => {
      for (const action of queue.splice(0)) action();
    });
    await insideTick(queue, () => {
      for (const text of numbered(60, 'word ')) send(from, text, address, to.port);
    });
    await done.promise;
    assert.deepEqual([heard, changed], [numbered(60, 'word '), []]);
    await transport.stop();
  });

  test('a sink that throws loses its own datagram alone', async () => {
    const clock = new FakeClock();
    const transport = new FfiTransport({ ...options, clock });
    const heard: string[] = [];
    const { port } = await transport.open({
      receive: ({ data }) => {
        const text = Buffer.from(data).toString('latin1');
        if (text === '3') throw new Error('a fault');
        heard.push(text);
      },
    });
    transport.run(() => undefined);
    const peer = await openPeer(address);
    for (const text of numbered(8)) await sendFrom(peer, Buffer.from(text), port, address);
    peer.close();
    assert.throws(() => clock.advanceMs(5), /a fault/);
    clock.advanceMs(5);
    assert.deepEqual(
      heard,
      numbered(8).filter((text) => text !== '3'),
    );
    await transport.stop();
  });

  test('a port that is closed is free behind the next turn, with a steady peer too', async () => {
    const clock = new FakeClock();
    const transport = new FfiTransport({ ...options, clock });
    const port = await transport.open(new RecordingSink());
    const peer = await openPeer(address);
    const queue: (() => void)[] = [];
    transport.run(() => {
      for (const action of queue.splice(0)) action();
    });
    queue.push(() => {
      for (let i = 0; i < 60; i++) send(port, 'steady', address, peer.address().port);
    });
    clock.advanceMs(20);
    port.close();
    clock.advanceMs(5);
    const again = await openPeer(address, port.port);
    again.close();
    peer.close();
    await once(peer, 'close');
    await transport.stop();
  });
});

describe('where the kernel does not let us', () => {
  for (const [what, refused] of [
    ['set up such a ring', (call: bigint, setups: number) => call === setupCall && setups > 1],
    ['register buffers', (call: bigint) => call === registerCall],
  ] as const)
    test(`${what}: epoll, and it is said`, async () => {
      let setups = 0;
      const refusing = libcWith((real) => ({
        syscall: (call, ...rest) => {
          if (call === setupCall) setups++;
          return refused(call, setups) ? -1n : real.syscall(call, ...rest);
        },
        errno: () => 22,
      }));
      const transport = chooseTransport({ ...choice, driver: 'auto' }, () => refusing);
      assert.equal(transport.driver, 'ffi');
      assert.match(
        transport.note ?? '',
        /^datagrams are received one by one: io_uring_(setup|register): EINVAL$/,
      );
      await transport.stop();
    });

  test('hear anything: epoll, and it is said', async () => {
    const deaf = libcWith((real) => ({
      shortSyscall: (call, ...rest) =>
        call === enterCall && rest[3] === entersForReceiving
          ? real.shortSyscall(call, rest[0], rest[1], 0n, 0n)
          : real.shortSyscall(call, ...rest),
    }));
    const transport = chooseTransport({ ...choice, driver: 'auto' }, () => deaf);
    assert.equal(transport.driver, 'ffi');
    assert.equal(transport.note, 'datagrams are received one by one: datagrams to ourselves did not arrive');
    await transport.stop();
  });

  for (const [what, answer] of [
    ['refuses', -1],
    ['does nothing', 0],
  ] as const)
    test(`any more (it ${what}): epoll from there on, without a loss`, async () => {
      const clock = new FakeClock();
      let isOver = false;
      let answers = 0;
      const failing = libcWith((real) => ({
        shortSyscall: (call, ...rest) => {
          if (!isOver || call !== enterCall || rest[3] !== entersForReceiving)
            return real.shortSyscall(call, ...rest);
          answers++;
          return answer;
        },
      }));
      const transport = new FfiTransport({ ...options, clock, libc: failing });
      const sink = new RecordingSink();
      const port = await transport.open(sink);
      const closing = await transport.open(new RecordingSink());
      transport.run(() => undefined);
      const peer = await openPeer(address);
      for (const [i, text] of numbered(30).entries()) {
        await sendFrom(peer, Buffer.from(text), port.port, address);
        if (i % 3 === 0) clock.advanceMs(5);
        if (i !== 10) continue;
        isOver = true;
        closing.close();
      }
      clock.advanceMs(5);
      const later = await transport.open(sink);
      await sendFrom(peer, Buffer.from('30'), later.port, address);
      peer.close();
      for (let turn = 0; turn < 40; turn++) clock.advanceMs(5);
      assert.deepEqual(
        sink.received.map(({ text }) => text),
        numbered(31),
      );
      assert.ok(answers > 0);
      assert.equal(transport.note, 'datagrams are received one by one: io_uring takes no more');
      await transport.stop();
    });
});
