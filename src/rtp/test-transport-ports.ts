import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CallreelError } from '../errors.ts';
import {
  anyPort,
  countDescriptors,
  findFreeRange,
  insideTick,
  openPeer,
  RecordingSink,
  send,
  sendFrom,
  type TransportUnderTest,
  withTransport,
} from './test-transport.ts';
import type { Datagram, TransportPort } from './transport.ts';

function forceGarbageCollection(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

export function portConformance(name: string, underTest: TransportUnderTest): void {
  describe(`${name}: ports`, () => {
    test('closing inside a tick: what was committed goes out, nothing more comes in', () =>
      withTransport(underTest, '127.0.0.1', async (transport, queue) => {
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
      withTransport(underTest, '127.0.0.1', async (transport, queue) => {
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

    test('a sink that stops the transport hears nothing more, nor do others', () =>
      withTransport(underTest, '127.0.0.1', async (transport, queue) => {
        const heard: string[] = [];
        const stopped = Promise.withResolvers<void>();
        const receive = ({ data }: Datagram): void => {
          heard.push(Buffer.from(data).toString('latin1'));
          transport.stop().then(stopped.resolve, stopped.reject);
        };
        const ports = [await transport.open({ receive }), await transport.open({ receive })];
        await insideTick(queue, () => {
          for (let i = 0; i < 10; i++) send(ports[0]!, `${i}`, '127.0.0.1', ports[i % 2]!.port);
        });
        await stopped.promise;
        assert.deepEqual(heard, ['0']);
      }));

    test('a range gives even ports from its start index on, then PORTS_EXHAUSTED, then the freed one', async () => {
      const ports = await findFreeRange(underTest, 6);
      const { first } = ports;
      const transport = underTest.create({ address: '127.0.0.1', ports, startIndex: () => 1 });
      const other = underTest.create({ address: '127.0.0.1', ports, startIndex: () => 1 });
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
      const { first } = await findFreeRange(underTest, 2);
      await withTransport(
        underTest,
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
      withTransport(underTest, '127.0.0.1', async (transport, queue) => {
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
      withTransport(underTest, '127.0.0.1', async (transport, queue) => {
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
      const ports = await findFreeRange(underTest, 4);
      await withTransport(
        underTest,
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
      const transport = underTest.create({ address: '192.0.2.1', ports: anyPort, startIndex: () => 0 });
      await assert.rejects(
        transport.open(new RecordingSink()),
        (error) => error instanceof CallreelError && error.code === 'CONFIG_INVALID',
      );
      await transport.stop();
    });
  });

  describe(`${name}: loop`, () => {
    test('ticks with a rising time and ends with stop', async () => {
      const transport = underTest.create({ address: '127.0.0.1', ports: anyPort, startIndex: () => 0 });
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
      const transport = underTest.create({ address: '127.0.0.1', ports: anyPort, startIndex: () => 0 });
      transport.run(() => {});
      for (let i = 0; i < 5; i++) await transport.open(new RecordingSink());
      const opening = transport.open(new RecordingSink()).catch((error: unknown) => error);
      await transport.stop();
      await opening;
      assert.equal(count(), before);
    });
  });
}
