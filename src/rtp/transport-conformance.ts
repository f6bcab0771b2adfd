import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CallreelError } from '../errors.ts';
import type { PortRange } from './port-range.ts';
import type { Datagram, RtpTransport, TransportPort } from './transport.ts';

/** What every driver of the transport contract must do, over real sockets. Each driver's test calls it once. */
export interface TransportUnderTest {
  create(options: { address: string; ports: PortRange; startIndex: (count: number) => number }): RtpTransport;
}

interface Received {
  text: string;
  arrivalUs: number;
  sourceAddress: string;
  sourcePort: number;
}

/** Copies what the contract only lends. */
class RecordingSink {
  readonly received: Received[];
  #waiting: { count: number; resolve: () => void } | undefined;

  constructor(received: Received[] = []) {
    this.received = received;
  }

  receive({ data, arrivalUs, sourceAddress, sourcePort }: Datagram): void {
    // RTP that another process sends to a port it had before.
    if ((data[0] ?? 0) >= 0x80) return;
    this.received.push({ text: Buffer.from(data).toString('latin1'), arrivalUs, sourceAddress, sourcePort });
    if (this.#waiting && this.received.length >= this.#waiting.count) this.#waiting.resolve();
  }

  async until(count: number): Promise<Received[]> {
    if (this.received.length < count)
      await new Promise<void>((resolve) => (this.#waiting = { count, resolve }));
    return this.received;
  }
}

function send(from: TransportPort, text: string, address: string, port: number): void {
  const bytes = Buffer.from(text, 'latin1');
  from.reserve(2048).set(bytes);
  from.commit(bytes.length, address, port);
}

/** Resolves with what `action` gives when run inside the next tick. */
function insideTick<T>(queue: (() => void)[], action: () => T): Promise<T> {
  return new Promise((resolve, reject) =>
    queue.push(() => {
      try {
        resolve(action());
      } catch (error) {
        reject(error);
      }
    }),
  );
}

/** A peer that is none of ours, over a socket of Node. */
async function openPeer(address: string): Promise<Socket> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

function sendFrom(peer: Socket, data: Uint8Array, port: number, address: string): Promise<unknown> {
  return new Promise((resolve) => peer.send(data, port, address, resolve));
}

/** So much to one destination that a driver may prepare for more. */
const many = 120;

const sentIn = (phase: number): string[] => Array.from({ length: many }, (_, i) => `${phase}: ${i}`);

function sendMany(from: TransportPort, phase: string, { address, port }: Party): void {
  for (let i = 0; i < many; i++) send(from, `${phase}: ${i}`, address, port);
}

/** None of ours, who talks to one port of ours. */
class Party {
  readonly peer: Socket;
  readonly address: string;
  readonly port: number;
  readonly #to: number;
  readonly #heard: string[] = [];

  constructor(peer: Socket, to: number) {
    this.peer = peer;
    ({ address: this.address, port: this.port } = peer.address());
    this.#to = to;
    peer.on('message', (data) => this.#heard.push(data.toString('latin1')));
  }

  static async open(address: string, to: number): Promise<Party> {
    return new Party(await openPeer(address), to);
  }

  /** @returns what is to be heard, and from which port */
  say(text: string): [string, number] {
    void this.peer.send(text, this.#to, this.address);
    return [text, this.port];
  }

  async until(count: number): Promise<string[]> {
    while (this.#heard.length < count) await once(this.peer, 'message');
    return this.#heard;
  }
}

/** A port talks to one party, then to another, and hears all of them all the time. */
async function moveAmongStrays(
  transport: RtpTransport,
  queue: (() => void)[],
  address: string,
): Promise<void> {
  const sink = new RecordingSink();
  const port = await transport.open(sink);
  const parties = await Promise.all([0, 1, 2].map(() => Party.open(address, port.port)));
  const descriptors = countDescriptors();
  const expected: [string, number][] = [];
  for (const [phase, to] of [0, 0, 1, 1, 0, 0].entries()) {
    await insideTick(queue, () => sendMany(port, `${phase}`, parties[to]!));
    // Some wait where the peer was heard until now.
    for (let i = 0; i < 5; i++) expected.push(parties[to]!.say(`${phase}: burst ${i}`));
    await sink.until(expected.length);
    for (const party of parties) {
      expected.push(party.say(`${phase}: one of all`));
      await sink.until(expected.length);
    }
  }
  assert.deepEqual(
    sink.received.map(({ text, sourcePort }) => [text, sourcePort]),
    expected,
  );
  assert.ok(sink.received.every(({ sourceAddress }) => sourceAddress === address));
  for (const [i, phases] of [[0, 1, 4, 5], [2, 3], []].entries())
    assert.deepEqual(await parties[i]!.until(phases.length * many), phases.flatMap(sentIn));
  assert.equal(transport.counters.failedSends, 0);
  await assertTaken(port.port, address, true);
  await transport.stop();
  assert.ok(countDescriptors() < descriptors, 'whatever belonged to the port is closed');
  await assertTaken(port.port, address, false);
  for (const { peer } of parties) peer.close();
}

/** Whether another socket, even one that would share the port, is refused it. */
async function assertTaken(port: number, address: string, isTaken: boolean): Promise<void> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', reusePort: true });
  const bound = new Promise((resolve) => {
    socket.once('error', () => resolve(false));
    socket.once('listening', () => resolve(true));
  });
  socket.bind(port, address);
  assert.equal(await bound, !isTaken);
  socket.close();
}

function forceGarbageCollection(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** Where the system tells. */
function countDescriptors(): number {
  return existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0;
}

const anyPort: PortRange = { first: 0, last: 0 };

export function transportConformance(name: string, { create }: TransportUnderTest): void {
  /** Runs `body` with a transport whose loop empties `queue` in each tick, and stops it whatever happens. */
  async function withTransport(
    address: string,
    body: (transport: RtpTransport, queue: (() => void)[]) => Promise<void>,
    ports = anyPort,
  ): Promise<void> {
    const transport = create({ address, ports, startIndex: () => 0 });
    const queue: (() => void)[] = [];
    transport.run(() => {
      for (const action of queue.splice(0)) action();
    });
    try {
      await body(transport, queue);
    } finally {
      await transport.stop();
    }
  }

  /** Beginning with an even one; other processes may take them meanwhile, which is not likely. */
  async function findFreeRange(count: number): Promise<PortRange> {
    for (;;) {
      const probe = create({ address: '127.0.0.1', ports: anyPort, startIndex: () => 0 });
      const first = Math.max(1024, ((await probe.open(new RecordingSink())).port & ~1) - count);
      const range = { first, last: first + count - 1 };
      await probe.stop();
      const trial = create({ address: '127.0.0.1', ports: range, startIndex: () => 0 });
      const opening = Array.from({ length: count / 2 }, () => trial.open(new RecordingSink()));
      const opened = await Promise.allSettled(opening);
      await trial.stop();
      if (opened.every(({ status }) => status === 'fulfilled')) return range;
    }
  }

  describe(`${name}: datagrams`, () => {
    for (const address of ['127.0.0.1', '::1'])
      test(`travel both ways over ${address} with their source`, () =>
        withTransport(address, async (transport, queue) => {
          const left = new RecordingSink();
          const right = new RecordingSink();
          const a = await transport.open(left);
          const b = await transport.open(right);
          await insideTick(queue, () => send(a, 'ping', address, b.port));
          const [ping] = await right.until(1);
          assert.deepEqual(
            { text: ping!.text, sourceAddress: ping!.sourceAddress, sourcePort: ping!.sourcePort },
            { text: 'ping', sourceAddress: address, sourcePort: a.port },
          );
          await insideTick(queue, () => send(b, 'pong', address, ping!.sourcePort));
          assert.equal((await left.until(1))[0]!.text, 'pong');
        }));

    test('of one tick arrive whole, in order and with rising times', () =>
      withTransport('127.0.0.1', async (transport, queue) => {
        const sink = new RecordingSink();
        const from = await transport.open(new RecordingSink());
        const to = await transport.open(sink);
        const texts = Array.from({ length: 100 }, (_, i) => `${i}:`.padEnd(172 + i, 'x'));
        await insideTick(queue, () => {
          for (const text of texts) send(from, text, '127.0.0.1', to.port);
        });
        const received = await sink.until(100);
        assert.deepEqual(
          received.map(({ text }) => text),
          texts,
        );
        assert.ok(received.every(({ arrivalUs }, i) => i === 0 || arrivalUs >= received[i - 1]!.arrivalUs));
        assert.equal(transport.counters.receivedPackets, 100);
        assert.equal(transport.counters.sentPackets, 100);
      }));

    test('committed by a sink while it receives go out too', () =>
      withTransport('127.0.0.1', async (transport, queue) => {
        const sink = new RecordingSink();
        const source = await transport.open(sink);
        const echo: { port?: TransportPort } = {};
        echo.port = await transport.open({
          receive({ data, sourceAddress, sourcePort }) {
            echo.port!.reserve(data.length).set(data);
            echo.port!.commit(data.length, sourceAddress, sourcePort);
          },
        });
        await insideTick(queue, () => send(source, 'echo', '127.0.0.1', echo.port!.port));
        assert.equal((await sink.until(1))[0]!.text, 'echo');
      }));

    test('of 2048 bytes pass, an unused reservation sends nothing', () =>
      withTransport('127.0.0.1', async (transport, queue) => {
        const sink = new RecordingSink();
        const from = await transport.open(new RecordingSink());
        const to = await transport.open(sink);
        const longest = 'y'.repeat(2048);
        await insideTick(queue, () => {
          from.reserve(100).fill(1);
          send(from, longest, '127.0.0.1', to.port);
          assert.throws(() => from.reserve(2049), RangeError);
        });
        assert.deepEqual(
          (await sink.until(1)).map(({ text }) => text),
          [longest],
        );
      }));

    test('of no bytes pass, longer ones than a datagram may be are dropped, and the next one is whole', () =>
      withTransport('127.0.0.1', async (transport) => {
        const sink = new RecordingSink();
        const { port } = await transport.open(sink);
        const peer = await openPeer('127.0.0.1');
        for (const bytes of [2049, 60_000, 0, 2048])
          await sendFrom(peer, new Uint8Array(bytes).fill(120), port, '127.0.0.1');
        const received = await sink.until(2);
        peer.close();
        assert.deepEqual(
          received.map(({ text }) => text),
          ['', 'x'.repeat(2048)],
        );
        assert.equal(transport.counters.receivedPackets, 2);
      }));

    test('of sources that take turns come with their own, IPv4 in its own form on a port of both families', () =>
      withTransport('::', async (transport, queue) => {
        const sink = new RecordingSink();
        const to = await transport.open(sink);
        const peers = [await openPeer('127.0.0.1'), await openPeer('::1'), await openPeer('127.0.0.1')];
        const expected: [string, number][] = [];
        for (let round = 0; round < 2; round++)
          for (const peer of peers) {
            const { address, port } = peer.address();
            await sendFrom(peer, Buffer.from('turn'), to.port, address);
            await sink.until(expected.push([address, port]));
          }
        assert.deepEqual(
          sink.received.map(({ sourceAddress, sourcePort }) => [sourceAddress, sourcePort]),
          expected,
        );
        const answers = peers.map(async (peer) => String((await once(peer, 'message'))[0]));
        await insideTick(queue, () => {
          for (const [address, port] of expected.slice(0, 3)) send(to, `to ${port}`, address, port);
        });
        assert.deepEqual(
          await Promise.all(answers),
          expected.slice(0, 3).map(([, port]) => `to ${port}`),
        );
        for (const peer of peers) peer.close();
      }));

    test('the kernel refuses are counted and harm nothing', () =>
      withTransport('127.0.0.1', async (transport, queue) => {
        const sink = new RecordingSink();
        const from = await transport.open(new RecordingSink());
        const gone = await transport.open(new RecordingSink());
        const to = await transport.open(sink);
        gone.close();
        await insideTick(queue, () => {
          send(from, 'to port 0', '127.0.0.1', 0);
          send(from, 'to a name', 'localhost', to.port);
          send(from, 'to another family', '::1', to.port);
          for (let i = 0; i < 20; i++) send(from, 'to nobody', '127.0.0.1', gone.port);
        });
        await insideTick(queue, () => send(from, 'after', '127.0.0.1', to.port));
        assert.deepEqual(
          (await sink.until(1)).map(({ text }) => text),
          ['after'],
        );
        assert.equal(transport.counters.failedSends, 3);
      }));
  });

  describe(`${name}: a steady destination`, () => {
    for (const address of ['127.0.0.1', '::1', '::'])
      test(`hides nobody else, and may move, over ${address}`, () =>
        withTransport(address, (transport, queue) =>
          moveAmongStrays(transport, queue, address === '::' ? '127.0.0.1' : address),
        ));

    test('that is nobody any more: all is sent, whoever comes back is heard, and others too', () =>
      withTransport('127.0.0.1', async (transport, queue) => {
        const sink = new RecordingSink();
        const port = await transport.open(sink);
        const party = await Party.open('127.0.0.1', port.port);
        for (let i = 0; i < 5; i++) {
          if (i === 2) party.peer.close();
          await insideTick(queue, () => sendMany(port, 'on and on', party));
        }
        const stray = await openPeer('127.0.0.1');
        await sendFrom(stray, Buffer.from('stray'), port.port, '127.0.0.1');
        assert.equal((await sink.until(1))[0]!.text, 'stray');
        const back = createSocket('udp4');
        back.bind(party.port, '127.0.0.1');
        await once(back, 'listening');
        const heard = once(back, 'message');
        await insideTick(queue, () => send(port, 'again', '127.0.0.1', party.port));
        assert.equal(String((await heard)[0]), 'again');
        await sendFrom(back, Buffer.from('back'), port.port, '127.0.0.1');
        assert.deepEqual(
          (await sink.until(2)).map(({ text }) => text),
          ['stray', 'back'],
        );
        assert.deepEqual([transport.counters.failedSends, transport.counters.sentPackets], [0, 5 * many + 1]);
        for (const socket of [stray, back]) socket.close();
      }));
  });

  describe(`${name}: ports`, () => {
    test('closing inside a tick: what was committed goes out, nothing more comes in', () =>
      withTransport('127.0.0.1', async (transport, queue) => {
        const sink = new RecordingSink();
        const closing = new RecordingSink();
        const to = await transport.open(sink);
        const from = await transport.open(closing);
        await insideTick(queue, () => {
          send(from, 'last words', '127.0.0.1', to.port);
          send(to, 'too late', '127.0.0.1', from.port);
          from.close();
          from.close();
          send(from, 'from beyond', '127.0.0.1', to.port);
        });
        await sink.until(1);
        await insideTick(queue, () => send(to, 'too late', '127.0.0.1', from.port));
        await insideTick(queue, () => send(to, 'self', '127.0.0.1', to.port));
        assert.deepEqual(
          (await sink.until(2)).map(({ text }) => text),
          ['last words', 'self'],
        );
        assert.deepEqual(closing.received, []);
      }));

    test('a sink that closes its own port hears no further datagram of the batch', () =>
      withTransport('127.0.0.1', async (transport, queue) => {
        const heard: number[] = [];
        const sink = new RecordingSink();
        const from = await transport.open(sink);
        const once: { port?: TransportPort } = {};
        once.port = await transport.open({
          receive: ({ data }) => {
            heard.push(data[0]!);
            once.port!.close();
          },
        });
        await insideTick(queue, () => {
          for (let i = 0; i < 10; i++) send(from, String.fromCharCode(65 + i), '127.0.0.1', once.port!.port);
          send(from, 'end', '127.0.0.1', from.port);
        });
        await sink.until(1);
        assert.deepEqual(heard, [65]);
      }));

    test('a range gives even ports from its start index on, then PORTS_EXHAUSTED, then the freed one', async () => {
      const ports = await findFreeRange(6);
      const { first } = ports;
      const transport = create({ address: '127.0.0.1', ports, startIndex: () => 1 });
      const other = create({ address: '127.0.0.1', ports, startIndex: () => 1 });
      try {
        const opened: TransportPort[] = [];
        for (let i = 0; i < 3; i++) {
          const owner = i === 1 ? other : transport;
          opened.push(await owner.open(new RecordingSink()));
        }
        assert.deepEqual(
          opened.map(({ port }) => port - first),
          [2, 4, 0],
        );
        for (const exhausted of [transport, other])
          await assert.rejects(
            exhausted.open(new RecordingSink()),
            (error) => error instanceof CallreelError && error.code === 'PORTS_EXHAUSTED',
          );
        await other.stop();
        assert.equal((await transport.open(new RecordingSink())).port, opened[1]!.port);
      } finally {
        await Promise.all([transport.stop(), other.stop()]);
      }
    });

    test('a port that is closed while datagrams wait is free, and who has it next hears none of them', async () => {
      const { first } = await findFreeRange(2);
      await withTransport(
        '127.0.0.1',
        async (transport, queue) => {
          const peer = await openPeer('127.0.0.1');
          const former = new RecordingSink();
          const sink = new RecordingSink();
          const closing = await transport.open(former);
          await insideTick(queue, () => undefined);
          for (let i = 0; i < 50; i++) void peer.send('of the past', first, '127.0.0.1');
          await sendFrom(peer, Buffer.from('of the past'), first, '127.0.0.1');
          const heard = former.received.length;
          closing.close();
          let again: TransportPort | undefined;
          while (!again) {
            again = await transport.open(sink).catch(() => undefined);
            if (!again) await insideTick(queue, () => undefined);
          }
          assert.equal(again.port, first);
          await insideTick(queue, () => undefined);
          await sendFrom(peer, Buffer.from('of now'), first, '127.0.0.1');
          peer.close();
          assert.equal((await sink.until(1))[0]!.text, 'of now');
          assert.equal(former.received.length, heard);
        },
        { first, last: first },
      );
    });

    test('hundreds of ports each hear their own, while others come and go and garbage is collected', () =>
      withTransport('127.0.0.1', async (transport, queue) => {
        const count = 300;
        const sinks = Array.from({ length: count }, () => new RecordingSink());
        const ports: TransportPort[] = [];
        for (const sink of sinks) ports.push(await transport.open(sink));
        for (let round = 0; round < 6; round++) {
          await insideTick(queue, () => {
            for (const [i, port] of ports.entries())
              send(port, `${i} in ${round}`, '127.0.0.1', ports[(i + 1) % count]!.port);
          });
          forceGarbageCollection();
          await Promise.all(sinks.map((sink) => sink.until(round + 1)));
          for (let i = round; i < count; i += 7) {
            ports[i]!.close();
            sinks[i] = new RecordingSink(sinks[i]!.received);
            ports[i] = await transport.open(sinks[i]!);
          }
          forceGarbageCollection();
        }
        for (const [i, sink] of sinks.entries())
          assert.deepEqual(
            sink.received.map(({ text }) => text),
            Array.from({ length: 6 }, (_, round) => `${(i + count - 1) % count} in ${round}`),
          );
      }));

    test('one that is flooded does not hold up another', () =>
      withTransport('127.0.0.1', async (transport, queue) => {
        const flooded = new RecordingSink();
        const sink = new RecordingSink();
        const from = await transport.open(new RecordingSink());
        const target = await transport.open(flooded);
        const other = await transport.open(sink);
        await insideTick(queue, () => {
          for (let i = 0; i < 400; i++) send(from, `${i}`, '127.0.0.1', target.port);
          send(from, 'in time', '127.0.0.1', other.port);
        });
        await sink.until(1);
        const received = await flooded.until(400);
        assert.deepEqual(
          received.map(({ text }) => text),
          Array.from({ length: 400 }, (_, i) => `${i}`),
        );
      }));

    test('RTP is on an even port, its RTCP one above, and each hears its own', async () => {
      // A third one sends.
      const ports = await findFreeRange(4);
      await withTransport(
        '127.0.0.1',
        async (transport, queue) => {
          const heardRtp = new RecordingSink();
          const heardRtcp = new RecordingSink();
          const from = await transport.open(new RecordingSink());
          const rtp = await transport.open(heardRtp);
          assert.equal(rtp.port % 2, 0);
          const rtcp = await transport.openRtcp(rtp, heardRtcp);
          assert.equal(rtcp?.port, rtp.port + 1);
          await insideTick(queue, () => {
            send(from, 'audio', '127.0.0.1', rtp.port);
            send(from, 'report', '127.0.0.1', rtp.port + 1);
          });
          assert.equal((await heardRtp.until(1))[0]!.text, 'audio');
          assert.equal((await heardRtcp.until(1))[0]!.text, 'report');
          assert.equal(await transport.openRtcp(rtp, heardRtcp), undefined, 'taken');
          rtcp!.close();
          await insideTick(queue, () => send(rtp, 'still here', '127.0.0.1', from.port));
          await transport.stop();
          assert.equal(await transport.openRtcp(rtp, heardRtcp), undefined, 'stopped');
        },
        ports,
      );
    });

    test("an address that is not of this machine is the caller's mistake", async () => {
      const transport = create({ address: '192.0.2.1', ports: anyPort, startIndex: () => 0 });
      await assert.rejects(
        transport.open(new RecordingSink()),
        (error) => error instanceof CallreelError && error.code === 'CONFIG_INVALID',
      );
      await transport.stop();
    });
  });

  describe(`${name}: loop`, () => {
    test('ticks with a rising time and ends with stop', async () => {
      const transport = create({ address: '127.0.0.1', ports: anyPort, startIndex: () => 0 });
      const sink = new RecordingSink();
      const port = await transport.open(sink);
      const timesUs: number[] = [];
      await new Promise<void>((resolve) =>
        transport.run((nowUs) => {
          timesUs.push(nowUs);
          if (timesUs.length === 10) resolve();
        }),
      );
      assert.ok(timesUs.every((us, i) => i === 0 || us > timesUs[i - 1]!));
      const stopping = transport.stop();
      const ticks = timesUs.length;
      port.close();
      await stopping;
      await transport.stop();
      assert.equal(timesUs.length, ticks);
      await assert.rejects(transport.open(sink), CallreelError);
    });

    test('stop leaves no handle', async () => {
      const count = (): number =>
        process.getActiveResourcesInfo().filter((type) => type === 'UDPWRAP').length + countDescriptors();
      const before = count();
      const transport = create({ address: '127.0.0.1', ports: anyPort, startIndex: () => 0 });
      transport.run(() => {});
      for (let i = 0; i < 5; i++) await transport.open(new RecordingSink());
      const opening = transport.open(new RecordingSink()).catch((error: unknown) => error);
      await transport.stop();
      await opening;
      assert.equal(count(), before);
    });
  });
}
