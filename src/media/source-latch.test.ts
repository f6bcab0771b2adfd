import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  moveSilenceUs,
  probationPackets,
  provenPackets,
  SourceLatch,
  sourceSilenceUs,
} from './source-latch.ts';

const signalled = { address: '192.0.2.1', port: 4000 };

/** Each source sends a stream of its own, whose numbers go on from packet to packet. */
class NumberedLatch extends SourceLatch {
  readonly #next = new Map<string, number>();

  from(address: string, port: number, atUs: number): boolean {
    const source = `${address}:${port}`;
    const sequenceNumber = this.#next.get(source) ?? port;
    this.#next.set(source, sequenceNumber + 1);
    return this.accepts(address, port, atUs, port, sequenceNumber);
  }

  /** A source nobody signalled is heard after its probation. */
  prove(address: string, port: number, atUs: number): void {
    while (!this.from(address, port, atUs))
      assert.ok((this.#next.get(`${address}:${port}`) ?? 0) < port + 50);
  }
}

function latchOnSignalled(): NumberedLatch {
  const latch = new NumberedLatch();
  latch.signal(signalled);
  assert.equal(latch.from('192.0.2.1', 4000, 0), true);
  return latch;
}

describe('SourceLatch', () => {
  it('sends to the signalled address until a packet came', () => {
    const latch = new NumberedLatch();
    assert.equal(latch.sendAddress, '');
    assert.equal(latch.sendPort, 0);
    latch.signal(signalled);
    assert.equal(latch.latched, false);
    assert.equal(latch.sendAddress, '192.0.2.1');
    assert.equal(latch.sendPort, 4000);
  });

  it('follows a phone behind NAT, whose packets come from an address nobody signalled', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 });
    assert.equal(latch.from('203.0.113.9', 61000, 0), true);
    assert.equal(latch.sendAddress, '203.0.113.9');
    assert.equal(latch.sendPort, 61000);
  });

  it('latches without any signalled address', () => {
    const latch = new NumberedLatch();
    assert.equal(latch.from('203.0.113.9', 61000, 0), true);
    assert.equal(latch.sendPort, 61000);
  });

  it('refuses a stray source while the current one is alive', () => {
    const latch = latchOnSignalled();
    assert.equal(latch.from('198.51.100.7', 5000, 20_000), false);
    assert.equal(latch.from('192.0.2.1', 4002, 20_000), false, 'same host, another port');
    assert.equal(latch.from('192.0.2.1', 4000, 40_000), true);
    assert.equal(latch.sendAddress, '192.0.2.1');
  });

  it('lets a stray source that came first give way to the signalled one', () => {
    const latch = new NumberedLatch();
    latch.signal(signalled);
    latch.prove('198.51.100.7', 5000, 0);
    assert.equal(latch.from('192.0.2.1', 4000, 1000), true);
    assert.equal(latch.from('198.51.100.7', 5000, 2000), false);
    assert.equal(latch.sendPort, 4000);
  });

  it('prefers the signalled host with another port to a stranger', () => {
    const latch = new NumberedLatch();
    latch.signal(signalled);
    latch.prove('198.51.100.7', 5000, 0);
    assert.equal(latch.from('192.0.2.1', 61000, 1000), true);
    assert.equal(latch.from('198.51.100.7', 5000, 2000), false);
  });

  it('takes another port of the same address once the current one was silent for the bound', () => {
    const latch = latchOnSignalled();
    assert.equal(latch.from('192.0.2.1', 4002, sourceSilenceUs - 1), false);
    assert.equal(latch.from('192.0.2.1', 4002, sourceSilenceUs), true);
    assert.equal(latch.sendPort, 4002);
    assert.equal(latch.from('192.0.2.1', 4000, sourceSilenceUs + 1), true, 'the signalled one comes back');
  });

  it('never hands a leg to a foreign address, however long the current source is silent', () => {
    const latch = latchOnSignalled();
    assert.equal(latch.from('198.51.100.7', 5000, 100 * sourceSilenceUs), false);
    assert.equal(latch.from('192.0.2.1', 4000, 100 * sourceSilenceUs + 1), true);
    latch.signal({ address: '192.0.2.2', port: 4100 });
    latch.prove('198.51.100.7', 5000, 100 * sourceSilenceUs + 2);
    assert.equal(latch.sendAddress, '198.51.100.7', 'another is signalled');
  });

  it('follows a NAT to another port after silence, never to another address', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 });
    for (let packet = 0; packet < provenPackets; packet++) latch.from('203.0.113.9', 61000, packet);
    assert.equal(latch.from('198.51.100.7', 5000, 2 * sourceSilenceUs), false);
    assert.equal(latch.from('203.0.113.9', 61001, 2 * sourceSilenceUs), true);
    assert.equal(latch.from('198.51.100.7', 5000, 4 * sourceSilenceUs), false, 'still the same source');
    assert.equal(latch.sendPort, 61001);
  });

  it('forgets a foreign source that said next to nothing, so that a phone behind NAT is heard', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 });
    assert.equal(latch.from('198.51.100.7', 5000, 0), true, 'a stray packet comes first');
    assert.equal(latch.from('203.0.113.9', 61000, sourceSilenceUs - 1), false);
    assert.equal(latch.from('203.0.113.9', 61000, sourceSilenceUs), true);
    assert.equal(latch.sendAddress, '203.0.113.9');
  });

  it('keeps the latch when the same address is signalled again', () => {
    const latch = latchOnSignalled();
    latch.signal({ ...signalled });
    assert.equal(latch.from('198.51.100.7', 5000, 1000), false);
  });

  it('lets go when the signalled address changes, and hears the old source only until the new one speaks', () => {
    const latch = latchOnSignalled();
    latch.signal({ address: '192.0.2.2', port: 4100 });
    assert.equal(latch.sendAddress, '192.0.2.2');
    assert.equal(latch.from('192.0.2.1', 4000, 1000), true, 'a packet in flight');
    assert.equal(latch.from('192.0.2.2', 4100, 2000), true);
    assert.equal(latch.from('192.0.2.1', 4000, 3000), false);
  });

  it('lets a new NAT binding replace the abandoned source at once', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 });
    latch.from('203.0.113.9', 61000, 0);
    latch.signal({ address: '10.0.0.5', port: 4002 });
    assert.equal(latch.from('203.0.113.9', 61000, 1000), true);
    assert.equal(latch.from('203.0.113.9', 61001, 2000), true);
    assert.equal(latch.from('203.0.113.9', 61000, 3000), false);
  });

  it('takes a stranger for the phone only after a stream of consecutive packets, where the phone could be heard', () => {
    const latch = new SourceLatch();
    latch.signal(signalled);
    const numbers = [
      1,
      2,
      3,
      5,
      ...Array.from({ length: probationPackets.publicAddress - 1 }, (_, i) => 6 + i),
    ];
    const taken = numbers.map((number) => latch.accepts('198.51.100.7', 5000, number * 20_000, 7, number));
    assert.deepEqual(taken.slice(0, -1), new Array(numbers.length - 1).fill(false));
    assert.equal(taken.at(-1), true);
    const spread = new SourceLatch();
    spread.signal(signalled);
    for (let second = 0; second < 60; second++)
      assert.equal(spread.accepts('198.51.100.7', 5000, second * 1_000_000, 7, second), false);
  });

  it('knows a phone behind NAT by where its SIP messages come from, and prefers it to a stranger that came first', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 }, '203.0.113.9');
    assert.equal(latch.from('198.51.100.7', 5000, 0), true);
    assert.equal(latch.from('203.0.113.9', 61_000, 1000), true);
    assert.equal(latch.from('198.51.100.7', 5000, 2000), false);
    const strict = new NumberedLatch();
    strict.signal(signalled, '203.0.113.9');
    assert.equal(strict.from('203.0.113.9', 61_000, 0), true);
  });

  it('follows a phone that moved, by the numbers of its stream', () => {
    const latch = new SourceLatch();
    latch.signal(signalled);
    for (let n = 0; n < 100; n++) assert.ok(latch.accepts('192.0.2.1', 4000, n * 20_000, 7, 65_500 + n));
    const lastUs = 99 * 20_000;
    const next = 65_500 + 100 - 65_536;
    assert.equal(
      latch.accepts('198.51.100.7', 5000, lastUs + moveSilenceUs - 1, 7, next),
      false,
      'still alive',
    );
    assert.equal(
      latch.accepts('198.51.100.7', 5000, lastUs + moveSilenceUs, 8, next),
      false,
      'another stream',
    );
    assert.equal(
      latch.accepts('198.51.100.7', 5000, lastUs + moveSilenceUs, 7, next - 5),
      false,
      'played before',
    );
    assert.equal(latch.accepts('198.51.100.7', 5000, lastUs + moveSilenceUs, 7, next + 10), true);
    assert.equal(latch.sendAddress, '198.51.100.7');
  });
});
