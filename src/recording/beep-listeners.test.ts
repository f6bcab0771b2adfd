import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

const sampleOf = (slots: number): number => slots * 160;
/** 400 ms. */
const beepSlots = 20;

describe('a recording with a beep, while the beep sounds', () => {
  let bench: RecordingBench;

  beforeEach(async () => {
    bench = new RecordingBench();
    await bench.call('a');
    await bench.call('b');
    await bench.join('a', 'room');
  });

  afterEach(async () => {
    await bench.close();
  });

  async function beepFor(slots: number): Promise<void> {
    await bench.slots(1);
    await bench.recordRoom('room', 'r', { options: { beep: true } });
    await bench.slots(slots);
  }
  const began = () =>
    bench.events.flatMap((event) => (event.event === 'recording.started' ? event.atSample : []));

  it('begins when its only listener hangs up', async () => {
    await beepFor(5);
    assert.deepEqual(began(), []);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    await bench.slots(2);
    assert.deepEqual(began(), [sampleOf(1 + 5 + 1)]);
    await bench.join('b', 'room');
    await bench.slots(3);
    await bench.execute({ verb: 'recording.stop', recordingId: 'r', reason: 'stopped' });
    await bench.slots(3);
    assert.equal((await bench.render('r', 'room')).length, sampleOf(4));
  });

  it('begins when the last of its listeners hangs up, wherever it is by then', async () => {
    await bench.join('b', 'room');
    await beepFor(3);
    await bench.execute({ verb: 'leg.close', legId: 'b' });
    await bench.slots(3);
    assert.deepEqual(began(), []);
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    await bench.slots(2);
    assert.deepEqual(began(), [sampleOf(1 + 6 + 1)]);
  });

  it('begins behind the beep where one listener hangs up and another hears all of it', async () => {
    await bench.join('b', 'room');
    await beepFor(3);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    await bench.slots(beepSlots);
    assert.deepEqual(began(), [sampleOf(2 + beepSlots)]);
  });

  it('begins behind the beep where its only listener has not answered, or has left the room', async () => {
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await bench.ring('c');
    await bench.join('c', 'room');
    await beepFor(3);
    await bench.execute({ verb: 'room.leave', legId: 'c' });
    await bench.slots(beepSlots);
    assert.deepEqual(began(), [sampleOf(2 + beepSlots)]);
  });

  it('ends without a sample where it is stopped, or its room is closed, before the next slot', async () => {
    await beepFor(3);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    await bench.execute({ verb: 'room.close', roomId: 'room' });
    await bench.slots(3);
    assert.deepEqual(began(), []);
    assert.equal(bench.open('r', 'room').end?.reason, 'no_media');
    assert.equal((await bench.render('r', 'room')).length, 0);
  });

  it('of a call ends with the call', async () => {
    await bench.record('a', 'call', { options: { beep: true } });
    await bench.slots(3);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    await bench.slots(3);
    assert.deepEqual(began(), []);
    assert.equal(bench.open('call', 'call-a').end?.reason, 'no_media');
  });
});
