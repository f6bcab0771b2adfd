import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  moveSilenceUs,
  rivalSilenceUs,
  SourceLatch,
  settledPackets,
  settleUs,
  steadyPackets,
  steadyUs,
} from './source-latch.ts';
import { probationUs } from './source-probation.ts';

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

  /** 20 ms apart, until the source is heard. @returns when it was */
  prove(address: string, port: number, fromUs: number): number {
    let atUs = fromUs;
    while (!this.from(address, port, atUs)) {
      atUs += 20_000;
      assert.ok(atUs <= fromUs + 2 * probationUs, 'never proven');
    }
    return atUs;
  }
}

/** 20 ms apart, so many packets. @returns how many were heard */
function count(latch: NumberedLatch, packets: number, address: string, port: number, fromUs: number): number {
  let heard = 0;
  for (let k = 0; k < packets; k++) if (latch.from(address, port, fromUs + k * 20_000)) heard++;
  return heard;
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

  it('hears a phone behind NAT, which sends from where its SIP messages come, once it is steady', () => {
    for (const remote of [{ address: '10.0.0.5', port: 4000 }, signalled, undefined]) {
      const latch = new NumberedLatch();
      latch.signal(remote, '203.0.113.9');
      assert.equal(latch.from('203.0.113.9', 61000, 0), false);
      assert.equal(latch.onProbation, true, 'kept');
      assert.equal(latch.sendAddress, '203.0.113.9', 'hears us at once');
      assert.equal(latch.sendPort, 61000);
      assert.equal(latch.prove('203.0.113.9', 61000, 20_000), steadyUs);
    }
  });

  it('hears the first packet of a phone behind a NAT that keeps ports, though others of the NAT talk', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 }, '203.0.113.9');
    latch.prove('203.0.113.9', 61000, 0);
    for (let k = 0; k < 100; k++) {
      assert.equal(latch.from('203.0.113.9', 4000, 110_000 + k * 20_000), true);
      assert.equal(latch.from('203.0.113.9', 61000, 120_000 + k * 20_000), false);
    }
  });

  it('is not diverted by a stray packet of the address that the phone behind NAT has too', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 }, '203.0.113.9');
    assert.equal(latch.from('203.0.113.9', 50_000, 0), false);
    assert.equal(latch.prove('203.0.113.9', 61000, 20_000), 20_000 + steadyUs);
    assert.equal(latch.sendPort, 61000);
    assert.equal(count(latch, 100, '203.0.113.9', 61000, 40_000 + steadyUs), 100);
  });

  it('is not diverted by a stream of that address that is there already when the phone begins', () => {
    for (const aheadUs of [10_000, 50_000, 90_000]) {
      const latch = new NumberedLatch();
      latch.signal({ address: '10.0.0.5', port: 4000 }, '203.0.113.9');
      let heard = 0;
      for (let atUs = 0; atUs < 2_000_000; atUs += 10_000) {
        if (atUs % 20_000 === 0) assert.equal(latch.from('203.0.113.9', 50_000, atUs), false);
        if ((atUs - aheadUs) % 20_000 === 0 && atUs >= aheadUs && latch.from('203.0.113.9', 61_000, atUs))
          heard++;
      }
      assert.ok(heard > 90);
      assert.equal(latch.sendPort, 61_000);
    }
  });

  it('takes who sends too little to be steady after a while, the one with the most', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 }, '203.0.113.9');
    assert.equal(latch.settle(settleUs), false, 'nobody');
    assert.equal(count(latch, 1, '203.0.113.9', 50_000, 0), 0);
    assert.equal(count(latch, 3, '203.0.113.9', 61000, 10_000), 0);
    assert.equal(latch.settle(settleUs - 1), false);
    assert.equal(latch.settle(settleUs), true);
    assert.equal(latch.settle(settleUs), false);
    assert.equal(latch.sendPort, 61000);
    assert.equal(latch.from('203.0.113.9', 61000, settleUs + 1), true);
    assert.equal(latch.from('203.0.113.9', 50_000, settleUs + 1), false);
  });

  it('follows a phone behind NAT and a proxy once it is proven, and sends nothing to it before', () => {
    for (const remote of [
      { address: '10.0.0.5', port: 4000 },
      { address: '0.0.0.0', port: 4000 },
      undefined,
    ]) {
      const latch = new NumberedLatch();
      latch.signal(remote, '192.0.2.200');
      const before = latch.sendAddress;
      assert.equal(latch.from('203.0.113.9', 61000, 0), false);
      assert.equal(latch.onProbation, true);
      assert.equal(latch.sendAddress, before);
      assert.equal(before, remote?.address === '10.0.0.5' ? '10.0.0.5' : '');
      assert.equal(latch.prove('203.0.113.9', 61000, 20_000), probationUs);
      assert.equal(latch.sendAddress, '203.0.113.9');
      assert.equal(latch.sendPort, 61000);
    }
  });

  it('is not diverted by stray packets where a phone is silent at a private address', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '127.0.0.1', port: 4000 }, '127.0.0.1');
    assert.equal(count(latch, 5, '127.0.0.66', 5000, 0), 0);
    assert.equal(latch.sendAddress, '127.0.0.1');
    assert.equal(latch.from('127.0.0.1', 4000, 100_000), true);
    assert.equal(count(latch, 200, '127.0.0.66', 5000, 120_000), 0);
  });

  it('does not believe a source as long as a better one speaks, however little', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 }, '192.0.2.200');
    latch.prove('203.0.113.9', 61000, 0);
    latch.signal({ address: '10.0.0.5', port: 4002 }, '192.0.2.200');
    for (let k = 0; k < 10; k++) {
      assert.equal(latch.from('203.0.113.9', 61000, 2_000_000 + k * 800_000), true, 'the one before');
      assert.equal(count(latch, 38, '198.51.100.7', 5000, 2_010_000 + k * 800_000), 0);
    }
    assert.ok(count(latch, 60, '198.51.100.7', 5000, 10_010_000) > 0, 'which fell silent');
  });

  it('believes an authentic packet at once', () => {
    const latch = new SourceLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 });
    assert.equal(latch.accepts('203.0.113.9', 61000, 0, 7, 1, false), false);
    assert.equal(latch.accepts('203.0.113.9', 61000, 0, 7, 1, true), true);
  });

  it('goes with authentic packets wherever they come from, but not back', () => {
    const latch = new SourceLatch();
    latch.signal(signalled);
    const sends = (port: number) => assert.equal(latch.sendPort, port);
    assert.equal(latch.accepts('192.0.2.1', 4000, 0, 7, 1, true), true);
    assert.equal(latch.accepts('198.51.100.7', 5000, 20_000, 7, 3, true), true, 'another address');
    sends(5000);
    assert.equal(latch.accepts('192.0.2.1', 4000, 21_000, 7, 2, true), true, 'overtaken');
    sends(5000);
    assert.equal(latch.accepts('198.51.100.7', 5002, 40_000, 8, 900, true), true, 'another stream');
    sends(5002);
    assert.equal(latch.accepts('198.51.100.7', 5004, 60_000, 8, 901, false), true, 'as any plain one');
    latch.signal({ address: '192.0.2.9', port: 4000 });
    assert.equal(latch.accepts('192.0.2.9', 4000, 80_000, 9, 1, true), true);
    assert.equal(latch.accepts('198.51.100.7', 5004, 81_000, 8, 902, true), false, 'the former source');
    sends(4000);
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
    const atUs = latch.prove('198.51.100.7', 5000, 0);
    assert.equal(latch.sendPort, 5000);
    assert.equal(latch.from('192.0.2.1', 4000, atUs + 1000), true);
    assert.equal(count(latch, 200, '198.51.100.7', 5000, atUs + 2000), 0);
    assert.equal(latch.sendPort, 4000);
  });

  it('prefers each source of the table to those below it, at once', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.9', port: 4000 }, '203.0.113.9');
    latch.prove('198.51.100.7', 5000, 0);
    latch.signal({ address: '192.0.2.1', port: 4000 }, '203.0.113.9');
    const rising: [string, number][] = [
      ['198.51.100.7', 5000],
      ['198.51.100.7', 5002],
      ['203.0.113.9', 61000],
      ['192.0.2.1', 4002],
      ['203.0.113.9', 4000],
      ['192.0.2.1', 4000],
    ];
    const lower: [string, number][] = [['198.51.100.8', 5000]];
    for (const [k, [address, port]] of rising.entries()) {
      const atUs = 2_000_000 + k * 10_000;
      assert.equal(latch.from(address, port, atUs), true, `${address}:${port}`);
      assert.equal(latch.sendPort, port);
      for (const [other, otherPort] of lower)
        assert.equal(latch.from(other, otherPort, atUs + 1000), false, `${other}:${otherPort}`);
      lower.push([address, port]);
    }
  });

  it('takes a phone that begins anew at another port of its address, from its first packet', () => {
    for (const overlapping of [0, 2]) {
      const latch = new NumberedLatch();
      latch.signal(signalled);
      assert.equal(count(latch, 50, '192.0.2.1', 4000, 0), 50);
      for (let k = 0; k < overlapping; k++) {
        assert.equal(latch.from('192.0.2.1', 4002, 1_000_000 + k * 20_000), false);
        assert.equal(latch.onProbation, true);
        assert.equal(latch.from('192.0.2.1', 4000, 1_010_000 + k * 20_000), true);
      }
      const atUs = 1_020_000 + overlapping * 20_000;
      assert.equal(latch.prove('192.0.2.1', 4002, atUs), atUs + steadyUs);
      assert.equal(latch.sendPort, 4002);
      assert.equal(latch.from('192.0.2.1', 4000, atUs + steadyUs + 1), true, 'the signalled one comes back');
    }
  });

  it('never hands a leg to another that talks at the same address while the phone talks', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 }, '203.0.113.9');
    const provenUs = latch.prove('203.0.113.9', 61000, 0);
    const talk = (fromUs: number) => {
      for (let k = 0; k < 500; k++) {
        assert.equal(latch.from('203.0.113.9', 50_000, fromUs + k * 20_000 - 10_000), false);
        assert.equal(latch.from('203.0.113.9', 61000, fromUs + k * 20_000), true);
      }
      return fromUs + 500 * 20_000;
    };
    const pauseUs = talk(provenUs + 20_000);
    assert.equal(count(latch, 90, '203.0.113.9', 50_000, pauseUs - 10_000), 0, 'a pause of 1.8 s');
    const longUs = talk(pauseUs + 1_800_000);
    assert.ok(latch.prove('203.0.113.9', 50_000, longUs) >= longUs + rivalSilenceUs - 20_000);
    const backUs = longUs + rivalSilenceUs + 100_000;
    assert.equal(latch.from('203.0.113.9', 61000, backUs), true, 'at once');
    talk(backUs + 20_000);
  });

  it('wants a stream of the other port', () => {
    const latch = latchOnSignalled();
    assert.equal(count(latch, steadyPackets - 1, '192.0.2.1', 4002, 5_000_000), 0);
    assert.equal(count(latch, steadyPackets - 1, '192.0.2.1', 4004, 6_000_000), 0);
    assert.equal(latch.sendPort, 4000);
  });

  it('never hands a leg to a foreign address, however long the current source is silent', () => {
    const latch = latchOnSignalled();
    assert.equal(count(latch, 1000, '198.51.100.7', 5000, 1_000_000), 0);
    assert.equal(latch.onProbation, false);
    assert.equal(latch.from('192.0.2.1', 4000, 100_000_000), true);
    latch.signal({ address: '192.0.2.2', port: 4100 });
    latch.prove('198.51.100.7', 5000, 100_000_001);
    assert.equal(latch.sendAddress, '198.51.100.7', 'another is signalled');
  });

  it('follows a NAT to another port after silence, never to another address', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 });
    const atUs = latch.prove('203.0.113.9', 61000, 0);
    count(latch, settledPackets, '203.0.113.9', 61000, atUs);
    assert.equal(count(latch, 200, '198.51.100.7', 5000, atUs + rivalSilenceUs), 0);
    latch.prove('203.0.113.9', 61001, atUs + 4 * rivalSilenceUs);
    assert.equal(count(latch, 200, '198.51.100.7', 5000, atUs + 6 * rivalSilenceUs), 0, 'the same source');
    assert.equal(latch.sendPort, 61001);
  });

  it('forgets a foreign source that fell silent once it was proven, so that a phone behind NAT is heard', () => {
    const latch = new NumberedLatch();
    latch.signal({ address: '10.0.0.5', port: 4000 });
    const atUs = latch.prove('198.51.100.7', 5000, 0);
    assert.equal(count(latch, 10, '203.0.113.9', 61000, atUs), 0);
    latch.prove('203.0.113.9', 61000, atUs + 200_000);
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

  it('lets a new NAT binding replace the former source at once', () => {
    for (const signallingAddress of [undefined, '203.0.113.9']) {
      const latch = new NumberedLatch();
      latch.signal({ address: '10.0.0.5', port: 4000 }, signallingAddress);
      const atUs = latch.prove('203.0.113.9', 61000, 0);
      latch.signal({ address: '10.0.0.5', port: 4002 }, signallingAddress);
      assert.equal(latch.from('203.0.113.9', 61000, atUs + 1000), true);
      assert.equal(latch.from('203.0.113.9', 61001, atUs + 2000), true);
      assert.equal(latch.from('203.0.113.9', 61000, atUs + 3000), false);
    }
  });

  it('loses nothing where a NAT changes the port within the stream', () => {
    const latch = new SourceLatch();
    latch.signal({ address: '10.0.0.5', port: 61_000 }, '203.0.113.9');
    const port = (n: number) => (n < 50 || n === 51 ? 61_000 : 61_001);
    // Packet 50 overtakes 51 and 49 is lost.
    for (const n of [...Array(49).keys(), 50, 51, 52, 53])
      assert.equal(latch.accepts('203.0.113.9', port(n), n * 20_000, 7, (65_520 + n) & 0xffff), true, `${n}`);
    assert.equal(latch.sendPort, 61_001);
    assert.equal(
      latch.accepts('203.0.113.9', 61_002, 54 * 20_000, 8, 65_520 + 54 - 65_536),
      false,
      'other SSRC',
    );
    assert.equal(latch.accepts('203.0.113.9', 61_002, 54 * 20_000, 7, 5000), false, 'other numbers');
    assert.equal(latch.accepts('198.51.100.7', 61_001, 54 * 20_000, 7, 38), false, 'other address');
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
    assert.equal(latch.onProbation, true, 'kept for when it is not');
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
