import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { TestPhone } from '../media/test-phone.ts';
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
  /** Both talk for so long at once, then the recording is stopped. @returns where each is in its own channel */
  const talkAndStop = async (caller: TestPhone, phone: TestPhone) => {
    await bench.slots(30, [
      [caller, samples(30, 8000)],
      [phone, samples(30, 8000)],
    ]);
    await bench.execute({ verb: 'recording.stop', recordingId: 'r', reason: 'stopped' });
    await bench.slots(3);
    return [await channel('a'), await channel('b')] as const;
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
      const [a, b] = await talkAndStop(caller, phone);
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
    const [a, b] = await talkAndStop(caller, phone);
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
    const [a, b] = await talkAndStop(caller, phone);
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
    const [a, b] = await talkAndStop(caller, phone);
    assert.equal(a.end, b.end);
    assert.equal(b.end - b.at, 33 * slot);
  });
});

describe('words that overtake the answer of a call that is recorded by itself', () => {
  let bench: RecordingBench;

  beforeEach(() => {
    bench = new RecordingBench();
  });

  afterEach(async () => {
    await bench.close();
  });

  const talkSlots = 40;

  /** How many slots of speech are in what the party says, and where it is heard speaking by the other one. */
  async function recorded({ leadSlots = 0, recordAfter = 0, joinAfter = 0 }) {
    await bench.call('a');
    await bench.record('a', 'other');
    await bench.join('a', 'room');
    await bench.slots(10);
    const { phone, answer } = await bench.ring('b');
    const talk = (slots: number) => bench.slots(slots, [[phone, samples(slots, 8000)]]);
    await talk(leadSlots);
    await answer();
    await talk(recordAfter);
    await bench.record('b', 'r');
    await talk(Math.max(0, joinAfter));
    if (joinAfter >= 0) await bench.join('b', 'room');
    await talk(talkSlots);
    for (const recordingId of ['r', 'other'])
      await bench.execute({ verb: 'recording.stop', recordingId, reason: 'stopped' });
    await bench.slots(3);
    const span = async (recordingId: string, legId: string, side: string) => {
      const request = { kind: 'channel', trackId: `${side}-${legId}`, format: 'wav' } as const;
      const audio = await bench.render(recordingId, `call-${legId}`, request);
      const isLoud = (sample: number): boolean => Math.abs(sample) > 2000;
      return { at: audio.findIndex(isLoud) / slot, end: (audio.findLastIndex(isLoud) + 1) / slot };
    };
    return {
      said: await span('r', 'b', 'said'),
      heard: await span('other', 'a', 'heard'),
      heardLength: (await bench.render('r', 'call-b')).length / slot,
    };
  }

  for (const [leadSlots, recordAfter, joinAfter] of [
    [5, 0, 0],
    [5, 0, 5],
    [5, 3, 5],
    [25, 0, 20],
    [0, 0, 5],
    [0, 5, 25],
  ] as const)
    it(`by ${leadSlots} packets, recorded ${recordAfter} behind it, joined ${joinAfter} later: all is there, in its place`, async () => {
      const { said, heard, heardLength } = await recorded({ leadSlots, recordAfter, joinAfter });
      const spoken = leadSlots + recordAfter + joinAfter + talkSlots;
      assert.deepEqual(said, { at: 0, end: spoken });
      // The call that is recorded lasts one slot more: its last packet came within it.
      assert.equal(heardLength, spoken + 1);
      assert.ok(heard.end > heard.at);
    });

  it('are there where the party joins nobody', async () => {
    const { said } = await recorded({ leadSlots: 5, joinAfter: -1 });
    assert.deepEqual(said, { at: 0, end: 5 + talkSlots });
  });

  it('are not there from before consent', async () => {
    const { phone, answer } = await bench.ring('b');
    await bench.slots(5, [[phone, samples(5, 8000)]]);
    await answer();
    await bench.record('b', 'r', { options: { consent: 'required' } });
    await bench.slots(4, [[phone, samples(4, 8000)]]);
    await bench.execute({ verb: 'recording.consent', recordingId: 'r' });
    await bench.slots(3, [[phone, samples(3, 8000)]]);
    await bench.join('b', 'room');
    await bench.slots(3, [[phone, samples(3, 8000)]]);
    await bench.execute({ verb: 'recording.stop', recordingId: 'r', reason: 'stopped' });
    await bench.slots(3);
    const request = { kind: 'channel', trackId: 'said-b', format: 'wav' } as const;
    assert.equal((await bench.render('r', 'call-b', request)).length, 6 * slot);
  });
});
