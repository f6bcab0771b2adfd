import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

/** Slots of 20 ms. */
const slot = 160;
const samples = (slots: number, level: number): Int16Array => new Int16Array(slots * slot).fill(level);

describe('words that overtake the answer', () => {
  let bench: RecordingBench;

  beforeEach(() => {
    bench = new RecordingBench();
  });

  afterEach(async () => {
    await bench.close();
  });

  const channel = async (legId: string): Promise<{ at: number; end: number }> => {
    const { tracks } = bench.open('r', 'room');
    const trackId = tracks.find(({ party }) => party.connectionId === joined.get(legId))?.trackId ?? '';
    const audio = await bench.render('r', 'room', { kind: 'channel', trackId, format: 'wav' });
    const { startSample } = tracks.find((track) => track.trackId === trackId)!;
    const isLoud = (sample: number): boolean => Math.abs(sample) > 2000;
    return { at: startSample + audio.findIndex(isLoud), end: startSample + audio.findLastIndex(isLoud) + 1 };
  };
  const joined = new Map<string, string>();
  const join = async (legId: string): Promise<void> => {
    joined.set(legId, `connection-${legId}`);
    await bench.join(legId, 'room', {
      trackId: `track-${legId}`,
      party: {
        ...{ connectionId: `connection-${legId}`, from: 'a', to: 'b' },
        ...{ direction: 'incoming', role: 'participant' },
      },
    });
  };
  const stop = async (): Promise<void> => {
    await bench.execute({ verb: 'recording.stop', recordingId: 'r', reason: 'stopped' });
    await bench.slots(3);
  };

  for (const leadSlots of [1, 5, 12, 25])
    it(`by ${leadSlots * 20} ms are recorded, and both parties are where they were`, async () => {
      const caller = await bench.call('a');
      const { phone, answer } = await bench.ring('b');
      await bench.slots(leadSlots, [[phone, samples(leadSlots, 8000)]]);
      await answer();
      await bench.recordRoom('room', 'r');
      await join('a');
      await join('b');
      await bench.slots(30, [
        [caller, samples(30, 8000)],
        [phone, samples(30, 8000)],
      ]);
      await stop();
      const [a, b] = [await channel('a'), await channel('b')];
      assert.equal(a.end, b.end);
      assert.equal(a.end - a.at, 30 * slot);
      assert.equal(b.end - b.at, (30 + leadSlots) * slot);
    });

  it('are not there where the other party was recorded before, and move nothing', async () => {
    const caller = await bench.call('a');
    const { phone, answer } = await bench.ring('b');
    await bench.slots(20, [[phone, samples(20, 8000)]]);
    await answer();
    await bench.recordRoom('room', 'r');
    await join('a');
    await bench.slots(1, [
      [caller, samples(1, 8000)],
      [phone, samples(1, 8000)],
    ]);
    await join('b');
    await bench.slots(30, [
      [caller, samples(30, 8000)],
      [phone, samples(30, 8000)],
    ]);
    await stop();
    const [a, b] = [await channel('a'), await channel('b')];
    assert.equal(a.end, b.end);
    assert.deepEqual([a.at, b.at], [0, 0]);
  });

  it('are not there from a pause', async () => {
    const caller = await bench.call('a');
    await bench.recordRoom('room', 'r');
    await join('a');
    await bench.slots(40, [[caller, samples(40, 8000)]]);
    const { phone, answer } = await bench.ring('b');
    await bench.execute({
      verb: 'recording.pause',
      recordingId: 'r',
      behaviour: 'silence',
      scope: 'recording',
    });
    await bench.slots(10, [[phone, samples(10, 8000)]]);
    await bench.execute({ verb: 'recording.resume', recordingId: 'r' });
    await bench.slots(5, [[phone, samples(5, 8000)]]);
    await answer();
    await join('b');
    await bench.slots(30, [
      [caller, samples(30, 8000)],
      [phone, samples(30, 8000)],
    ]);
    await stop();
    const [a, b] = [await channel('a'), await channel('b')];
    assert.equal(a.end, b.end);
    assert.equal(b.at, 50 * slot);
  });

  it('of another stream before the answer are not there', async () => {
    const caller = await bench.call('a');
    const { phone, answer } = await bench.ring('b');
    await bench.slots(10, [[phone, samples(10, 8000)]]);
    phone.ssrc = 77;
    await bench.slots(3, [[phone, samples(3, 8000)]]);
    await answer();
    await bench.recordRoom('room', 'r');
    await join('a');
    await join('b');
    await bench.slots(30, [
      [caller, samples(30, 8000)],
      [phone, samples(30, 8000)],
    ]);
    await stop();
    const [a, b] = [await channel('a'), await channel('b')];
    assert.equal(a.end, b.end);
    assert.equal(b.end - b.at, 33 * slot);
  });
});
