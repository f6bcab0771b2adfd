import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';
import { edgesOf, toneOf, tonesIn } from './test-tones.ts';

throwOnUnlistedTransitions();

describe('a call that is recorded by itself, with a party that must not be recorded', () => {
  let bench: RecordingBench;

  beforeEach(() => {
    bench = new RecordingBench();
  });

  afterEach(async () => {
    await bench.close();
  });

  const play = (samples: Int16Array, playId = 'p') =>
    bench.execute({ verb: 'play.start', legId: 'a', playId, rateHz: 8000, samples });
  const stop = async (recordingId = 'r') => {
    await bench.execute({ verb: 'recording.stop', recordingId, reason: 'stopped' });
    await bench.slots(3);
  };
  const channel = (trackId: string, recordingId = 'r') =>
    bench.render(recordingId, 'call-a', { kind: 'channel', trackId, format: 'wav' });

  for (const mode of ['mix', 'relay'] as const)
    it(`holds nothing of a party that must not be recorded (${mode})`, async () => {
      const phone = await bench.call('a');
      const other = await bench.call('b');
      await bench.record('a', 'r');
      await bench.join('a', 'room', { mode });
      await bench.join('b', 'room', { mode, policy: 'never' });
      await play(toneOf(700, 200));
      await bench.slots(40, [
        [phone, toneOf(500, 800)],
        [other, toneOf(900, 800)],
      ]);
      await stop();
      const heard = await channel('heard-a');
      assert.deepEqual(tonesIn(heard, 0, heard.length), [700]);
      assert.equal(edgesOf(heard).to - edgesOf(heard).from, 1600);
      assert.deepEqual(tonesIn(await channel('said-a'), 0, 6400), [500]);
    });

  it('holds in place of a party that must not be recorded what the party really heard: a prompt alone', async () => {
    const phones = [await bench.call('a'), await bench.call('b'), await bench.call('eve')] as const;
    await bench.record('a', 'r');
    for (const [legId, policy] of [
      ['a', 'follow'],
      ['b', 'follow'],
      ['eve', 'never'],
    ] as const)
      await bench.join(legId, 'room', { policy });
    const [, bob, eve] = phones;
    await bench.slots(20, [
      [bob, toneOf(900, 400)],
      [eve, toneOf(1300, 400)],
    ]);
    await bench.execute({
      ...{ verb: 'play.start', legId: 'a', playId: 'alone', rateHz: 8000, overRoom: 'replace' },
      samples: toneOf(700, 600),
    });
    await bench.slots(40, [
      [bob, toneOf(900, 800)],
      [eve, toneOf(1300, 800)],
    ]);
    await stop();
    const heard = await channel('heard-a');
    // The slot that the prompt begins with is the one behind its command.
    assert.deepEqual(tonesIn(heard, 2000, 20 * 160), [900]);
    assert.deepEqual(tonesIn(heard, 21 * 160, 21 * 160 + 4800), [700]);
    assert.deepEqual(tonesIn(heard, 22 * 160 + 4800, 58 * 160), [900]);
  });

  it('holds what is played to the party when it has left who must not be recorded', async () => {
    await bench.call('a');
    const eve = await bench.call('eve');
    await bench.record('a', 'r');
    await bench.join('a', 'room');
    await bench.join('eve', 'room', { policy: 'never' });
    await bench.slots(10, [[eve, toneOf(1300, 200)]]);
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await bench.slots(5, [[eve, toneOf(1300, 100)]]);
    await play(toneOf(700, 200));
    await bench.slots(15);
    await stop();
    const heard = await channel('heard-a');
    assert.deepEqual(tonesIn(heard, 0, heard.length), [700]);
    assert.equal(edgesOf(heard).to - edgesOf(heard).from, 1600);
  });

  it('holds nothing of a muted party beside one that must not be recorded', async () => {
    const phones = [await bench.call('a'), await bench.call('bob'), await bench.call('eve')] as const;
    await bench.record('a', 'r');
    await bench.join('a', 'room');
    await bench.join('bob', 'room');
    await bench.join('eve', 'room', { policy: 'never' });
    const [, bob, eve] = phones;
    const bothSpeak = async (slots: number, hz: number) =>
      await bench.slots(slots, [
        [bob, toneOf(hz, 20 * slots)],
        [eve, toneOf(1300, 20 * slots)],
      ]);
    const mute = (muted: boolean) => bench.execute({ verb: 'room.mute', legId: 'bob', muted, deaf: false });
    await bothSpeak(20, 900);
    await mute(true);
    await bothSpeak(30, 500);
    await mute(false);
    await bothSpeak(30, 700);
    await stop();
    const heard = await channel('heard-a');
    assert.deepEqual(tonesIn(heard, 2000, 20 * 160), [900]);
    // What waits in the jitter buffer when it is muted, or no longer, is heard as it is played.
    assert.deepEqual(tonesIn(heard, 30 * 160, 50 * 160), []);
    assert.deepEqual(tonesIn(heard, 60 * 160, 78 * 160), [700]);
  });
});
