import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { decodeUlaw } from '../codec/g711.ts';
import type { TestPhone } from '../media/test-phone.ts';
import { type PauseBehaviour, pauseBehaviours } from '../spool/records.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

const slot = 160;
const spoken = 0x11;
const speech = new Int16Array(slot);
decodeUlaw(new Uint8Array(slot).fill(spoken), speech);

describe('pauses of one recording that overlap', () => {
  let bench: RecordingBench;
  let phone: TestPhone;

  /** `r` is looked at; `s` and `t` pause the call. */
  beforeEach(async () => {
    bench = new RecordingBench();
    phone = await bench.call('a');
    for (const recordingId of ['r', 's', 't']) await bench.record('a', recordingId);
  });

  afterEach(async () => {
    await bench.close();
  });

  const pause = (recordingId: string, behaviour: PauseBehaviour) =>
    bench.execute({
      ...{ verb: 'recording.pause', recordingId, behaviour },
      scope: recordingId === 'r' ? 'recording' : 'call',
    });
  const resume = (recordingId: string) => bench.execute({ verb: 'recording.resume', recordingId });
  async function say(slots: number): Promise<void> {
    for (let i = 0; i < slots; i++) {
      await phone.send({ payload: new Uint8Array(slot).fill(spoken) });
      await bench.slots(1);
    }
  }

  /** What is in the file, as [what, slots]. */
  async function file(): Promise<[string, number][]> {
    for (const recordingId of ['r', 's', 't'])
      await bench.execute({ verb: 'recording.stop', recordingId, reason: 'stopped' });
    await bench.slots(3);
    const samples = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'said-a', format: 'wav' });
    const runs: [string, number][] = [];
    for (let at = 0; at < samples.length; at += slot) {
      const part = samples.subarray(at, at + slot);
      const kind = part.every((sample) => sample === 0)
        ? 'silence'
        : part.every((sample) => sample === speech[0])
          ? 'speech'
          : 'mask';
      const last = runs.at(-1);
      if (last?.[0] === kind) last[1]++;
      else runs.push([kind, 1]);
    }
    return runs;
  }
  const told = () =>
    bench.events.flatMap((event) =>
      'recordingId' in event && event.recordingId === 'r' && 'atSample' in event
        ? `${event.event.slice('recording.'.length)} ${event.atSample / slot}`
        : [],
    );
  /** Slots of the recording one after the other, those that are left out left out. */
  function expected(...spans: ['speech' | PauseBehaviour, number][]): [string, number][] {
    const runs: [string, number][] = [];
    for (const [kind, slots] of spans) {
      if (kind === 'skip') continue;
      const last = runs.at(-1);
      if (last?.[0] === kind) last[1] += slots;
      else runs.push([kind, slots]);
    }
    return runs;
  }

  /** Two that overlap: in slots of 20 ms from 2 to 9 and from 5 to 14, or the second within the first. */
  async function overlap(
    [first, firstBehaviour]: readonly [string, PauseBehaviour],
    [second, secondBehaviour]: readonly [string, PauseBehaviour],
    isWithin: boolean,
  ): Promise<[string, number][]> {
    await say(2);
    await pause(first, firstBehaviour);
    await say(3);
    await pause(second, secondBehaviour);
    await say(4);
    await resume(isWithin ? second : first);
    await say(5);
    await resume(isWithin ? first : second);
    await say(6);
    assert.deepEqual(told(), ['started 0', 'paused 2', 'resumed 14']);
    return await file();
  }

  for (const own of pauseBehaviours)
    for (const ofCall of pauseBehaviours) {
      it(`its own (${own}) counts where both are, behind it that of the call (${ofCall})`, async () =>
        assert.deepEqual(
          await overlap(['r', own], ['s', ofCall], false),
          expected(['speech', 2], [own, 7], [ofCall, 5], ['speech', 6]),
        ));

      it(`its own (${own}) within that of the call (${ofCall})`, async () =>
        assert.deepEqual(
          await overlap(['s', ofCall], ['r', own], true),
          expected(['speech', 2], [ofCall, 3], [own, 4], [ofCall, 5], ['speech', 6]),
        ));

      it(`the one of two of the call that asked first (${ofCall}), then the other (${own})`, async () =>
        assert.deepEqual(
          await overlap(['s', ofCall], ['t', own], false),
          expected(['speech', 2], [ofCall, 7], [own, 5], ['speech', 6]),
        ));
    }

  it('the one of the call that is over first leaves its own', async () => {
    await pause('s', 'mask');
    await say(1);
    await pause('r', 'silence');
    await say(2);
    await bench.execute({ verb: 'recording.stop', recordingId: 's', reason: 'stopped' });
    await say(3);
    await resume('r');
    await say(4);
    await bench.record('a', 's');
    assert.deepEqual(told(), ['started 0', 'paused 0', 'resumed 6']);
    assert.deepEqual(await file(), expected(['mask', 1], ['silence', 5], ['speech', 4]));
  });

  it('one that paused the call stays paused with it where another did so too', async () => {
    await bench.execute({ verb: 'recording.pause', recordingId: 'r', behaviour: 'silence', scope: 'call' });
    await say(1);
    await pause('s', 'mask');
    await say(2);
    await resume('r');
    await say(3);
    await resume('s');
    await say(4);
    assert.deepEqual(await file(), expected(['silence', 3], ['mask', 3], ['speech', 4]));
  });

  it('that were asked for before it begins', async () => {
    await bench.execute({ verb: 'recording.stop', recordingId: 'r', reason: 'stopped' });
    await bench.slots(3);
    bench.events.length = 0;
    await pause('s', 'mask');
    await bench.record('a', 'r2', { options: { beep: true } });
    await bench.execute({
      ...{ verb: 'recording.pause', recordingId: 'r2', behaviour: 'silence', scope: 'recording' },
    });
    await bench.slots(25);
    await bench.execute({ verb: 'recording.resume', recordingId: 'r2' });
    await bench.slots(5);
    await resume('s');
    await bench.slots(5);
    await bench.execute({ verb: 'recording.stop', recordingId: 'r2', reason: 'stopped' });
    await bench.slots(3);
    const { pauses } = bench.open('r2', 'call-a');
    assert.deepEqual(
      pauses.map(({ behaviour }) => behaviour),
      ['silence', 'mask'],
    );
    assert.equal(pauses[0]!.toSample, pauses[1]!.fromSample);
    assert.equal(pauses[1]!.toSample! - pauses[1]!.fromSample, 5 * slot);
  });
});
