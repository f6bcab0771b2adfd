import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { systemClock } from '../clock.ts';
import { type Libc, type OpenedLibc, openLibc } from './libc.ts';
import {
  anyPort,
  insideTick,
  many,
  openPeer,
  Party,
  RecordingSink,
  sendFrom,
  sendMany,
  sentIn,
  withTransport,
} from './test-transport.ts';
import { FfiTransport } from './transport-ffi.ts';

const opened = openLibc();
assert.ok(typeof opened === 'object', String(opened));
const libc: OpenedLibc = opened;
const address = '127.0.0.1';
const options = { clock: systemClock, address, ports: anyPort, steer: true };

/** Why these tests can't be: the rights that it takes are not had by everybody. */
const forbidden = await (async () => {
  const trial = new FfiTransport({ ...options, libc });
  await trial.stop();
  return /EPERM|EACCES/.test(trial.steering) ? trial.steering : false;
})();

const steered = {
  create: (conformance: object) => {
    const transport = new FfiTransport({ ...options, libc, ...conformance });
    assert.equal(transport.steering, 'on');
    return transport;
  },
};

function libcWith(change: (real: Libc) => Partial<Libc>): OpenedLibc {
  return { ...libc, libc: { ...libc.libc, ...change(libc.libc) } };
}

/** Sends on and on to one peer, then hears it. @returns what came, in order */
async function talk(transport: FfiTransport): Promise<string[]> {
  const queue: (() => void)[] = [];
  transport.run(() => {
    for (const action of queue.splice(0)) action();
  });
  const sink = new RecordingSink();
  const port = await transport.open(sink);
  const party = await Party.open(address, port.port);
  for (let phase = 0; phase < 3; phase++) {
    await insideTick(queue, () => sendMany(port, `${phase}`, party));
    party.say(`${phase}`);
    await sink.until(phase + 1);
  }
  const heard = await party.until(3 * many);
  assert.deepEqual(heard, [0, 1, 2].flatMap(sentIn));
  party.peer.close();
  return sink.received.map(({ text }) => text);
}

/** Whoever may not, or where there is no such thing, has it as before. */
describe('steering that is refused', () => {
  const bpfCall = process.arch === 'arm64' ? 280n : 321n;
  for (const [command, what] of [
    [0n, 'a map'],
    [5n, 'a program'],
    [28n, 'a link'],
  ] as const)
    test(`bpf, ${what}: everything goes by the ports' own sockets`, async () => {
      const refusing = libcWith((real) => ({
        syscall: (call, ...rest) =>
          call === bpfCall && rest[0] === command ? -1n : real.syscall(call, ...rest),
        errno: () => 1,
      }));
      const transport = new FfiTransport({ ...options, libc: refusing });
      assert.equal(transport.steering, `bpf, ${what}: EPERM`);
      assert.equal(transport.note, undefined);
      assert.deepEqual(await talk(transport), ['0', '1', '2']);
      await transport.stop();
    });

  test('a raw socket: the same', async () => {
    const refusing = libcWith((real) => ({
      socket: (family, type, protocol) => (protocol === 255 ? -1 : real.socket(family, type, protocol)),
      errno: () => 1,
    }));
    const transport = new FfiTransport({ ...options, libc: refusing });
    assert.equal(transport.steering, 'a raw socket: EPERM');
    assert.deepEqual(await talk(transport), ['0', '1', '2']);
    await transport.stop();
  });

  for (const everywhere of ['0.0.0.0', '::1', '::'])
    test(`is none of ${everywhere}`, async () => {
      const transport = new FfiTransport({ ...options, libc, address: everywhere });
      assert.equal(transport.steering, 'ports are not bound to one IPv4 address');
      await transport.stop();
    });

  test('is off where it is not wanted', async () => {
    const transport = new FfiTransport({ ...options, libc, steer: false });
    assert.equal(transport.steering, 'off');
    await transport.stop();
  });

  test('later, by a kernel that lets io_uring receive no more: nothing is lost', {
    skip: forbidden,
  }, async () => {
    let isLet = true;
    const enterCall = 426n;
    const failing = libcWith((real) => ({
      shortSyscall: (call, ...rest) => (call === enterCall && !isLet ? -1 : real.shortSyscall(call, ...rest)),
    }));
    await withTransport(
      { create: (more) => new FfiTransport({ ...options, libc: failing, ...more }) },
      address,
      async (transport, queue) => {
        const sink = new RecordingSink();
        const port = await transport.open(sink);
        const party = await Party.open(address, port.port);
        await insideTick(queue, () => sendMany(port, '0', party));
        party.say('first');
        await sink.until(1);
        await insideTick(queue, () => {
          isLet = false;
          // They wait where the peer was heard until now.
          for (let i = 0; i < 5; i++) party.say(`${i}`);
          const untilUs = systemClock.monotonicUs() + 20_000;
          while (systemClock.monotonicUs() < untilUs);
        });
        await insideTick(queue, () => sendMany(port, '1', party));
        party.say('last');
        await sink.until(7);
        assert.deepEqual(
          sink.received.map(({ text }) => text),
          ['first', '0', '1', '2', '3', '4', 'last'],
        );
        assert.deepEqual(await party.until(2 * many), [0, 1].flatMap(sentIn));
        assert.equal((transport as FfiTransport).steering, 'io_uring takes no more');
        party.peer.close();
      },
    );
  });
});

describe('steering', { skip: forbidden }, () => {
  test('is probed, and stays', async () => {
    const transport = steered.create({});
    assert.equal(transport.probe(), undefined);
    assert.deepEqual([transport.steering, transport.note], ['on', undefined]);
    await transport.stop();
  });

  test('sends packets of any length, with any bytes, as any socket does', () =>
    withTransport(steered, address, async (transport, queue) => {
      const port = await transport.open(new RecordingSink());
      const peer = await openPeer(address);
      const heard: Buffer[] = [];
      const all = Promise.withResolvers<void>();
      const lengths = Array.from({ length: 400 }, (_, i) => (i < 60 ? 1 : (i * 7) % 1300));
      peer.on('message', (data, { port: from }) => {
        assert.equal(from, port.port);
        if (heard.push(data) === lengths.length) all.resolve();
      });
      const sent = lengths.map((length, i) => Buffer.alloc(length, i % 3 === 0 ? 0xff : i));
      for (let at = 0; at < sent.length; at += 50)
        await insideTick(queue, () => {
          for (const data of sent.slice(at, at + 50)) {
            port.reserve(2048).set(data);
            port.commit(data.length, address, peer.address().port);
          }
        });
      await all.promise;
      assert.deepEqual(heard, sent);
      assert.equal(transport.counters.failedSends, 0);
      peer.close();
    }));

  test('takes nothing of who has the same port on another address, or of another port', () =>
    withTransport(steered, address, async (transport, queue) => {
      const sink = new RecordingSink();
      const port = await transport.open(sink);
      const party = await Party.open(address, port.port);
      await insideTick(queue, () => sendMany(port, '0', party));
      party.say('ours');
      await sink.until(1);
      const other = await openPeer('127.0.0.2', port.port);
      const beside = await openPeer(address);
      for (const [socket, text] of [
        [other, 'of another address'],
        [beside, 'of another port'],
      ] as const) {
        const told = once(socket, 'message');
        await sendFrom(party.peer, Buffer.from(text), socket.address().port, socket.address().address);
        assert.equal(String((await told)[0]), text);
        socket.close();
      }
      assert.equal(sink.received.length, 1);
      party.peer.close();
    }));

  test('by two at once: each has its own', () =>
    withTransport(steered, address, (one, inOne) =>
      withTransport(steered, address, async (two, inTwo) => {
        const [sinkOne, sinkTwo] = [new RecordingSink(), new RecordingSink()];
        const [portOne, portTwo] = [await one.open(sinkOne), await two.open(sinkTwo)];
        const to = (port: number) => ({ address, port }) as Party;
        for (let phase = 0; phase < 3; phase++) {
          await insideTick(inOne, () => sendMany(portOne, `${phase}`, to(portTwo.port)));
          await insideTick(inTwo, () => sendMany(portTwo, `${phase}`, to(portOne.port)));
          await Promise.all([sinkOne, sinkTwo].map((sink) => sink.until((phase + 1) * many)));
        }
        for (const sink of [sinkOne, sinkTwo])
          assert.deepEqual(
            sink.received.map(({ text }) => text),
            [0, 1, 2].flatMap(sentIn),
          );
      }),
    ));

  test('ends for a peer that floods its port: it is heard on, by the port alone', () =>
    withTransport(steered, address, async (transport, queue) => {
      const sinks = [new RecordingSink(), new RecordingSink()];
      const ports = await Promise.all(sinks.map((sink) => transport.open(sink)));
      const parties = await Promise.all(ports.map(({ port }) => Party.open(address, port)));
      for (const [i, port] of ports.entries())
        await insideTick(queue, () => sendMany(port, '0', parties[i]!));
      const flood = Array.from({ length: 600 }, (_, i) => `${i}`);
      await insideTick(queue, () => {
        for (const text of flood) parties[0]!.say(text);
        parties[1]!.say('quiet');
        const untilUs = systemClock.monotonicUs() + 50_000;
        while (systemClock.monotonicUs() < untilUs);
      });
      await sinks[1]!.until(1);
      await sinks[0]!.until(flood.length);
      for (const port of ports)
        await insideTick(queue, () => sendMany(port, '1', parties[ports.indexOf(port)]!));
      for (const [i, party] of parties.entries()) {
        party.say('after');
        await sinks[i]!.until(i === 0 ? flood.length + 1 : 2);
        assert.deepEqual(await party.until(2 * many), [0, 1].flatMap(sentIn));
        party.peer.close();
      }
      assert.deepEqual(
        sinks.map(({ received }) => received.map(({ text }) => text)),
        [
          [...flood, 'after'],
          ['quiet', 'after'],
        ],
      );
    }));
});
