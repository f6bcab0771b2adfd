import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { rtpHeaderBytes, writeRtpHeader } from '../rtp/packet.ts';
import { settleUs } from './source-latch.ts';
import { MediaBench } from './test-bench.ts';
import { maxUnprovenPackets, maxUnprovenUs, UnprovenPackets } from './unproven-packets.ts';

const datagram = (fill: number, arrivalUs: number, sourcePort = 4000, sourceAddress = '192.0.2.1') => ({
  data: Uint8Array.of(fill),
  ...{ arrivalUs, sourceAddress, sourcePort },
});

describe('UnprovenPackets', () => {
  it('gives what the proven source sent before, in order, and forgets the rest', () => {
    const given: number[] = [];
    const unproven = new UnprovenPackets(({ data }) => given.push(data[0]!));
    assert.equal(unproven.releaseTo('192.0.2.1', 4001, 10), false);
    for (let k = 0; k < 6; k++) unproven.hold(datagram(k, k, 4000 + (k % 2)));
    unproven.hold(datagram(6, 6, 4001, '192.0.2.2'));
    assert.equal(unproven.releaseTo('192.0.2.1', 4001, 10), true);
    assert.deepEqual(given, [1, 3, 5]);
    assert.equal(unproven.releaseTo('192.0.2.1', 4000, 10), false);
    unproven.releaseAll(10);
    assert.equal(given.length, 3);
  });

  it('gives everything where an answer came, but nothing that is old, and no more than it may hold', () => {
    const given: number[] = [];
    const unproven = new UnprovenPackets(({ arrivalUs }) => given.push(arrivalUs));
    for (let k = 0; k < maxUnprovenPackets + 5; k++) unproven.hold(datagram(0, k));
    unproven.releaseAll(maxUnprovenUs + 7);
    assert.equal(given[0], 7);
    assert.equal(given.length, maxUnprovenPackets - 2);
    unproven.hold(datagram(0, 0));
    unproven.forget();
    unproven.releaseAll(0);
    assert.equal(given.length, maxUnprovenPackets - 2);
  });
});

describe('a source that has to prove itself', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  const stranger = { sourceAddress: '203.0.113.9', sourcePort: 61_000, ssrc: 99 };

  /** Packet `k` of a stream, in its place of 20 ms: every byte is `k`. */
  function receive(k: number, { ssrc, ...source } = stranger): void {
    const data = new Uint8Array(rtpHeaderBytes + 160).fill(k);
    const numbers = { sequenceNumber: 65_530 + k, timestamp: k * 160, ssrc };
    numbers.sequenceNumber &= 0xffff;
    writeRtpHeader(data, { marker: false, payloadType: 0, ...numbers });
    const arrivalUs = bench.clock.monotonicUs() + k * 20_000;
    bench.executor.legs.get('a').receive({ data, arrivalUs, ...source });
  }

  const captured = () => bench.capture.packets.map(({ packet }) => packet.payload[0]);

  it('is in no recording and is sent nothing until it is proven; then it is recorded from its first word', async () => {
    await bench.call('a', { remote: { address: '127.0.0.1', port: 9 }, signallingAddress: '127.0.0.1' });
    await bench.join('a', 'room');
    for (let k = 0; k < 50; k++) receive(k);
    assert.deepEqual(captured(), []);
    const { counters } = bench.executor.legs.get('a');
    assert.equal(counters.strayPackets, 50);
    for (let k = 50; k < 60; k++) receive(k);
    assert.deepEqual(captured(), [...Array(60).keys()]);
    assert.equal(counters.strayPackets, 0);
    assert.equal(bench.capture.packets[3]?.packet.arrivalUs, bench.clock.monotonicUs() + 60_000);
  });

  it('is recorded from its first word once an answer names it', async () => {
    const phone = await bench.call('a', { remote: undefined, signallingAddress: '127.0.0.1' });
    await bench.join('a', 'room');
    for (let k = 0; k < 5; k++) receive(k);
    assert.deepEqual(captured(), []);
    await bench.execute(phone.negotiation('a', { remote: { address: '203.0.113.9', port: 61_000 } }));
    for (let k = 5; k < 8; k++) receive(k);
    assert.deepEqual(captured(), [...Array(8).keys()]);
  });

  it('of the address that the phone behind NAT has is recorded from its first word, a stray one not', async () => {
    await bench.call('a', { remote: { address: '10.0.0.5', port: 9 }, signallingAddress: '203.0.113.9' });
    await bench.join('a', 'room');
    receive(0, { ...stranger, sourcePort: 50_000, ssrc: 5 });
    for (let k = 1; k < 20; k++) receive(k);
    assert.deepEqual(captured(), upTo(1, 20));
    assert.equal(bench.executor.legs.get('a').counters.strayPackets, 1);
  });

  it('and says little is recorded all the same', async () => {
    await bench.call('a', { remote: { address: '10.0.0.5', port: 9 }, signallingAddress: '203.0.113.9' });
    await bench.join('a', 'room');
    for (let k = 0; k < 2; k++) receive(k);
    assert.deepEqual(captured(), []);
    await bench.slots(settleUs / 20_000 + 1);
    assert.deepEqual(captured(), [0, 1]);
  });

  it('is a phone that begins anew at another port: nothing of it is lost', async () => {
    await bench.call('a', { remote: { address: '203.0.113.9', port: 61_000 } });
    await bench.join('a', 'room');
    for (let k = 0; k < 20; k++) receive(k);
    for (let k = 20; k < 40; k++) receive(k, { ...stranger, sourcePort: 61_002, ssrc: 100 });
    assert.deepEqual(captured(), upTo(0, 40));
  });

  it('is a phone that moved to another network: nothing of it is lost', async () => {
    await bench.call('a', { remote: { address: '203.0.113.9', port: 61_000 } });
    await bench.join('a', 'room');
    for (let k = 0; k < 20; k++) receive(k);
    for (let k = 20; k < 40; k++) receive(k, { ...stranger, sourceAddress: '198.51.100.7' });
    assert.deepEqual(captured(), upTo(0, 40));
    assert.equal(bench.executor.legs.get('a').counters.strayPackets, 0);
  });

  it('is not one that talks at the same address while the phone talks', async () => {
    await bench.call('a', { remote: { address: '203.0.113.9', port: 61_000 } });
    await bench.join('a', 'room');
    for (let k = 0; k < 100; k++) {
      receive(k);
      receive(k, { ...stranger, sourcePort: 50_000, ssrc: 5 });
    }
    assert.deepEqual(captured(), upTo(0, 100));
  });
});

const upTo = (first: number, end: number) => Array.from({ length: end - first }, (_, k) => first + k);
