import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
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
  readonly received: Received[] = [];
  #waiting: { count: number; resolve: () => void } | undefined;

  receive({ data, arrivalUs, sourceAddress, sourcePort }: Datagram): void {
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

const anyPort: PortRange = { first: 0, last: 0 };

export function transportConformance(name: string, { create }: TransportUnderTest): void {
  /** Runs `body` with a transport whose loop empties `queue` in each tick, and stops it whatever happens. */
  async function withTransport(
    address: string,
    body: (transport: RtpTransport, queue: (() => void)[]) => Promise<void>,
  ): Promise<void> {
    const transport = create({ address, ports: anyPort, startIndex: () => 0 });
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
          send(from, 'to nobody', '127.0.0.1', gone.port);
        });
        await insideTick(queue, () => send(from, 'after', '127.0.0.1', to.port));
        assert.deepEqual(
          (await sink.until(1)).map(({ text }) => text),
          ['after'],
        );
        assert.equal(transport.counters.failedSends, 3);
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
      const probe = create({ address: '127.0.0.1', ports: anyPort, startIndex: () => 0 });
      const base = (await probe.open(new RecordingSink())).port;
      const first = (base & ~1) - 6;
      const ports = { first, last: first + 5 };
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
        await Promise.all([probe.stop(), transport.stop(), other.stop()]);
      }
    });

    test('RTP is on an even port, its RTCP one above, and each hears its own', () =>
      withTransport('127.0.0.1', async (transport, queue) => {
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
      }));

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
        process.getActiveResourcesInfo().filter((type) => type === 'UDPWRAP').length;
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
