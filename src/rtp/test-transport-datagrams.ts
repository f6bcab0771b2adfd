import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import {
  insideTick,
  openPeer,
  RecordingSink,
  send,
  sendFrom,
  type TransportUnderTest,
  withTransport,
} from './test-transport.ts';
import type { TransportPort } from './transport.ts';

export function datagramConformance(name: string, underTest: TransportUnderTest): void {
  describe(`${name}: datagrams`, () => {
    for (const address of ['127.0.0.1', '::1'])
      test(`travel both ways over ${address} with their source`, () =>
        withTransport(underTest, address, async (transport, queue) => {
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
      withTransport(underTest, '127.0.0.1', async (transport, queue) => {
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
      withTransport(underTest, '127.0.0.1', async (transport, queue) => {
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
      withTransport(underTest, '127.0.0.1', async (transport, queue) => {
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
      withTransport(underTest, '127.0.0.1', async (transport) => {
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
      withTransport(underTest, '::', async (transport, queue) => {
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
      withTransport(underTest, '127.0.0.1', async (transport, queue) => {
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
        assert.equal(transport.counters.sendOverflows, 0, 'peers that are gone are no shortage of ours');
      }));
  });
}
