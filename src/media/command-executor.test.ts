import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { MediaBench } from './test-bench.ts';

describe('CommandExecutor', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  it('opens a room at its first join and closes each stay before the room', async () => {
    await bench.call('a');
    await bench.call('b');
    await bench.join('a', 'room');
    await bench.join('b', 'room');
    await bench.execute({ verb: 'leg.close', legId: 'b' });
    await bench.execute({ verb: 'room.close', roomId: 'room' });
    assert.deepEqual(bench.capture.calls, [
      'roomOpened room',
      'stayOpened track-a',
      'stayOpened track-b',
      'stayClosed track-b',
      'stayClosed track-a',
      'roomClosed room',
    ]);
    assert.equal(bench.executor.rooms.count, 0);
    assert.equal(bench.executor.legs.count, 1);
  });

  it('keeps an empty room for those who come back', async () => {
    await bench.call('a');
    await bench.join('a', 'room');
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await bench.join('a', 'room', { trackId: 'again' });
    assert.deepEqual(bench.capture.calls, [
      'roomOpened room',
      'stayOpened track-a',
      'stayClosed track-a',
      'stayOpened again',
    ]);
  });

  it('tells the capture stage of the end of a room nobody joined', async () => {
    await bench.execute({ verb: 'room.close', roomId: 'room' });
    assert.deepEqual(bench.capture.calls, ['roomClosed room']);
  });

  it('answers what it can not do by an error and goes on', async () => {
    await bench.call('a');
    await bench.join('a', 'room');
    await assert.rejects(bench.execute({ verb: 'leg.open', legId: 'a' }), { code: 'CONFLICT' });
    await assert.rejects(bench.join('a', 'other'), { code: 'CONFLICT' });
    await assert.rejects(bench.join('nobody', 'room'), { code: 'NOT_FOUND' });
    await assert.rejects(bench.execute({ verb: 'leg.close', legId: 'nobody' }), { code: 'NOT_FOUND' });
    assert.equal(bench.executor.rooms.count, 1);
  });

  it('closes a leg that is still being opened', async () => {
    const opening = bench.execute({ verb: 'leg.open', legId: 'a' });
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    await assert.rejects(opening, { code: 'CONFLICT' });
    const { stats } = await bench.execute({ verb: 'worker.stats' });
    assert.equal(stats?.legs, 0);
    assert.equal(stats?.openPorts, 0);
  });

  it('frees the port of a closed leg', async () => {
    const phone = await bench.call('a');
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    await bench.slots(3);
    assert.equal(phone.received.length, 0);
    assert.equal((await bench.execute({ verb: 'worker.stats' })).stats?.openPorts, 0);
  });

  it('passes recording commands on', async () => {
    const key = { plain: 'cGxhaW4=', sealed: 'c2VhbGVk' };
    const start = { recordingId: 'r', roomId: 'room', accountId: 'account', rateHz: 8000, key, meta: {} };
    await bench.execute({ verb: 'recording.start', ...start });
    await bench.execute({ verb: 'spool.settle', roomIds: ['room', 'other'] });
    await bench.execute({ verb: 'recording.stop', recordingId: 'r', reason: 'stopped' });
    assert.deepEqual(bench.recordings.calls, ['start r', 'settle room other', 'stop r stopped']);
  });

  it('drains: no new legs, done once legs, rooms and recordings are gone', async () => {
    await bench.call('a');
    await bench.join('a', 'room');
    assert.equal(bench.executor.drained, false);
    await bench.execute({ verb: 'worker.drain' });
    await assert.rejects(bench.execute({ verb: 'leg.open', legId: 'b' }), { code: 'DRAINING' });
    assert.equal(bench.executor.drained, false);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    assert.equal(bench.executor.drained, false);
    bench.recordings.count = 1;
    await bench.execute({ verb: 'room.close', roomId: 'room' });
    assert.equal(bench.executor.drained, false);
    bench.recordings.count = 0;
    assert.equal(bench.executor.drained, true);
  });

  it('catches up a short stall, lets a long one go, and keeps time in both', async () => {
    const phone = await bench.call('a');
    await bench.slots(1);
    for (const [stallMs, packets] of [
      [60, 3],
      [2000, 3],
    ] as const) {
      const before = phone.received.at(-1)!.timestamp;
      phone.received.length = 0;
      bench.executor.tick(bench.clock.monotonicUs() + stallMs * 1000);
      bench.clock.advanceMs(stallMs + 5);
      await bench.slots(0);
      assert.equal(phone.received.length, packets);
      assert.equal((phone.received.at(-1)!.timestamp - before) >>> 0, (stallMs / 20) * 160);
      bench.clock.advanceMs(15);
      await bench.slots(0);
    }
  });

  it('counts what it did', async () => {
    const phone = await bench.call('a');
    await phone.send({ payload: new Uint8Array(160) });
    await phone.send({ payload: new Uint8Array(2048) });
    await bench.slots(2);
    const { stats } = await bench.execute({ verb: 'worker.stats' });
    assert.equal(stats?.legs, 1);
    assert.equal(stats?.openPorts, 1);
    assert.equal(stats?.rooms, 0);
    assert.equal(stats?.receivedPackets, 1);
    assert.equal(stats?.sentPackets, 2);
    assert.equal(stats?.failedSends, 0);
    assert.deepEqual([stats?.droppedDatagrams, stats?.socketErrors], [1, 0]);
    assert.deepEqual([stats?.driver, stats?.driverNote], ['dgram', undefined]);
  });
});
