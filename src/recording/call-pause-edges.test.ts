import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { tone } from '../audio/tone.ts';
import { GrowingSignal } from '../render/growing-signal.ts';
import { GrowingRecording } from '../spool/growing-recording.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

const toneOf = (frequencyHz: number, ms: number): Int16Array =>
  tone({ rateHz: 8000, frequencyHz, levelDbov: -20 }, ms * 8);

describe('a recording of a call at a pause or a stop', () => {
  let bench: RecordingBench;

  beforeEach(() => {
    bench = new RecordingBench();
  });

  afterEach(async () => {
    await bench.close();
  });

  const stop = async () => {
    await bench.execute({ verb: 'recording.stop', recordingId: 'r', reason: 'stopped' });
    await bench.slots(3);
  };

  for (const behaviour of ['pause', 'stop'] as const)
    it(`ends where a terminator went down that is held into a ${behaviour}`, async () => {
      const phone = await bench.call('a');
      await bench.record('a', 'r', { options: { terminators: '#' } });
      await bench.slots(10, [[phone, toneOf(500, 200)]]);
      const release = await phone.hold('#');
      await bench.slots(2);
      const command =
        behaviour === 'stop'
          ? ({ verb: 'recording.stop', reason: 'stopped' } as const)
          : ({ verb: 'recording.pause', behaviour: 'silence', scope: 'recording' } as const);
      await assert.rejects(bench.execute({ ...command, recordingId: 'r' }), { code: 'NOT_FOUND' });
      await release();
      await bench.slots(5, [[phone, toneOf(900, 100)]]);
      const { end } = bench.open('r', 'call-a');
      assert.deepEqual([end?.reason, end?.digit, end?.atSample], ['terminator', '#', 1600]);
    });

  for (const direction of ['speak', 'listen'] as const)
    it(`a masked span of ${direction} alone is heard on its own side, in the file that grew with it too`, async () => {
      const phone = await bench.call('a');
      await bench.record('a', 'r', { options: { direction } });
      const { spoolDirectory, masterKey } = bench.spool;
      const recording = new GrowingRecording(
        conversationDirectoryOf(spoolDirectory, 'call-a'),
        'r',
        masterKey,
      );
      const grown = new GrowingSignal({
        recording,
        stereo: true,
        lossConcealment: 'off',
        clock: bench.spool.clock,
      });
      await bench.slots(10, [[phone, toneOf(500, 200)]]);
      await bench.execute({
        ...{ verb: 'recording.pause', recordingId: 'r', behaviour: 'mask', scope: 'recording' },
      });
      await bench.slots(10);
      await stop();
      const samples = await bench.render('r', 'call-a', { kind: 'stereo', format: 'wav' });
      const sides = [0, 1].map((side) => samples.filter((_, k) => k % 2 === side).subarray(1600, 3200));
      if (direction === 'listen') sides.reverse();
      assert.deepEqual(
        sides.map((side) => side.some((sample) => sample !== 0)),
        [true, false],
      );
      assert.deepEqual(
        [...grown.advance()].flatMap((block) => [...block]),
        [...samples],
      );
    });

  it('a key that is held beyond a pause in which it went down ends nothing', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r', { options: { terminators: '#' } });
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await bench.execute({
      ...{ verb: 'recording.pause', recordingId: 'r', behaviour: 'silence', scope: 'recording' },
    });
    const release = await phone.hold('#');
    await bench.slots(2);
    await bench.execute({ verb: 'recording.resume', recordingId: 'r' });
    await release();
    await bench.slots(5);
    await stop();
    assert.equal(bench.open('r', 'call-a').end?.reason, 'stopped');
  });
});
