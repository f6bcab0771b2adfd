import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import {
  assertTaken,
  countDescriptors,
  insideTick,
  many,
  openPeer,
  Party,
  RecordingSink,
  send,
  sendFrom,
  sendMany,
  sentIn,
  type TransportUnderTest,
  withTransport,
} from './test-transport.ts';
import type { RtpTransport } from './transport.ts';

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

export function steadyConformance(name: string, underTest: TransportUnderTest): void {
  describe(`${name}: a steady destination`, () => {
    for (const address of ['127.0.0.1', '::1', '::'])
      test(`hides nobody else, and may move, over ${address}`, () =>
        withTransport(underTest, address, (transport, queue) =>
          moveAmongStrays(transport, queue, address === '::' ? '127.0.0.1' : address),
        ));

    test('that is nobody any more: all is sent, whoever comes back is heard, and others too', () =>
      withTransport(underTest, '127.0.0.1', async (transport, queue) => {
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
}
