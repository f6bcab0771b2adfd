import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { EarlyPackets, maxEarlyPackets, maxEarlyUs } from './early-packets.ts';
import { MediaBench } from './test-bench.ts';
import { TestPhone } from './test-phone.ts';

const speech = (fill: number): Uint8Array => new Uint8Array(160).fill(fill);

const datagram = (fill: number, arrivalUs = 0) => ({
  data: Uint8Array.of(fill),
  arrivalUs,
  sourceAddress: '192.0.2.1',
  sourcePort: 4000,
});

describe('EarlyPackets', () => {
  const released = (early: EarlyPackets, nowUs: number): number[] => {
    const fills: number[] = [];
    early.release(nowUs, ({ data }) => fills.push(data[0]!));
    return fills;
  };

  it('gives what it holds in order, once; its own bytes', () => {
    const early = new EarlyPackets();
    const reused = datagram(1);
    early.hold(reused);
    reused.data[0] = 2;
    early.hold(reused);
    assert.deepEqual(released(early, 0), [1, 2]);
    assert.deepEqual(released(early, 0), []);
  });

  it('keeps the newest packets, and none that is too old', () => {
    const early = new EarlyPackets();
    for (let index = 0; index < maxEarlyPackets + 3; index++) early.hold(datagram(index, index));
    assert.deepEqual(released(early, maxEarlyUs + 10).slice(0, 2), [10, 11]);
    for (let index = 0; index < maxEarlyPackets + 3; index++) early.hold(datagram(index, index));
    assert.equal(released(early, maxEarlyUs).length, maxEarlyPackets);
  });

  it('lets nothing grow too old that is recorded', () => {
    const early = new EarlyPackets();
    for (const index of [1, 2, 3, 4]) early.hold(datagram(index, index * 1000));
    early.recordFrom(2000);
    early.recordFrom(3000);
    assert.equal(early.firstArrivalUs(10 * maxEarlyUs), 2000);
    assert.deepEqual(released(early, 10 * maxEarlyUs), [2, 3, 4]);
  });
});

describe('packets before the answer', () => {
  let bench: MediaBench;
  let phone: TestPhone;
  beforeEach(async () => {
    bench = new MediaBench();
    phone = await TestPhone.open();
    const { port } = await bench.execute({ verb: 'leg.open', legId: 'called', awaitsAnswer: true });
    phone.remotePort = port ?? 0;
  });
  afterEach(async () => {
    await phone.close();
    await bench.close();
  });

  const captured = (): (number | undefined)[] => bench.capture.packets.map(({ packet }) => packet.payload[0]);

  const answer = () => bench.execute(phone.negotiation('called'));

  it('are the first of the stay, whether they came before the agreement or after it', async () => {
    await phone.send({ payload: speech(1) });
    await bench.slots(1);
    await answer();
    await phone.send({ payload: speech(2) });
    await bench.slots(1);
    assert.deepEqual(captured(), []);
    await bench.join('called', 'room');
    assert.deepEqual(captured(), [1, 2]);
    await phone.send({ payload: speech(3) });
    await bench.slots(1);
    assert.deepEqual(captured(), [1, 2, 3]);
  });

  it('are heard by the other party, relayed as they came', async () => {
    const caller = await bench.call('caller');
    await phone.send({ payload: speech(1) });
    await bench.slots(1);
    await bench.join('caller', 'room', { mode: 'relay' });
    await answer();
    await bench.join('called', 'room', { mode: 'relay' });
    await bench.slots(1);
    assert.ok(caller.received.some((packet) => packet.payload()[0] === 1));
  });

  it('wait for the agreement where the leg is in its room before', async () => {
    await bench.join('called', 'room');
    await phone.send({ payload: speech(1) });
    await bench.slots(1);
    await answer();
    assert.deepEqual(captured(), [1]);
  });

  it('wait longer for a room that follows the answer at once', async () => {
    const late = await TestPhone.open();
    const { port } = await bench.execute({
      ...{ verb: 'leg.open', legId: 'late', awaitsAnswer: true, joinsAtAnswer: true },
    });
    late.remotePort = port ?? 0;
    await bench.execute(late.negotiation('late'));
    await late.send({ payload: speech(1) });
    await bench.slots(1);
    for (let slot = 0; slot < 100; slot++) {
      bench.clock.advanceUs(20_000);
      await bench.slots(1);
    }
    await bench.join('late', 'room');
    assert.deepEqual(captured(), [1]);
    await late.close();
  });

  it('are let go where nobody takes the leg into a room, and the leg is heard all the same', async () => {
    await answer();
    await phone.send({ payload: speech(1) });
    await bench.slots(1);
    assert.deepEqual(bench.events, []);
    bench.clock.advanceUs(maxEarlyUs);
    await bench.slots(1);
    await phone.send({ payload: speech(2) });
    await bench.slots(1);
    assert.equal(bench.events.filter(({ event }) => event === 'leg.media').length, 1);
    await bench.join('called', 'room');
    assert.deepEqual(captured(), []);
  });

  it('of a leg that is asked, not asking, are those of no stay', async () => {
    const other = await bench.call('other');
    await other.send({ payload: speech(1) });
    await bench.slots(1);
    await bench.join('other', 'room');
    assert.deepEqual(captured(), []);
  });
});
