import assert from 'node:assert/strict';
import { it } from 'node:test';
import { tone } from '../audio/tone.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import type { TestPhone } from '../media/test-phone.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';
import { throughUlaw, ulawOf } from './test-ulaw.ts';

throwOnUnlistedTransitions();

const slotSamples = 160;
const slots = 100;
/** What the party says in each slot, from the first on, and what it is played, from slot 30 on. */
const said = tone({ rateHz: 8000, frequencyHz: 500, levelDbov: -20 }, 40 * slotSamples).map(throughUlaw);
const prompt = tone({ rateHz: 8000, frequencyHz: 700, levelDbov: -20 }, 25 * slotSamples);

interface Case {
  options: RecorderOptions;
  start?: number;
  reason: string;
  end: number;
  /** Of the file of both sides. */
  pause?: { from: number; to: number; behaviour: 'skip' | 'silence' | 'mask' };
}

const sample = (slot: number): number => slot * slotSamples;
const beepEnd = sample(21);
/** The last word is over 40 slots in; the last slot that was sent reaches one beyond the stop. */
const cases: Record<string, Case> = {
  plain: { options: {}, reason: 'stopped', end: sample(101) },
  speak: { options: { direction: 'speak' }, reason: 'stopped', end: sample(100) },
  listen: { options: { direction: 'listen' }, reason: 'stopped', end: sample(101) },
  beep: { options: { beep: true }, start: beepEnd, reason: 'stopped', end: sample(101) },
  length: { options: { maxLengthMs: 777 }, reason: 'max_length', end: 777 * 8 },
  key: { options: { terminators: '#' }, reason: 'terminator', end: sample(45) },
  silence: { options: { endSilenceTimeoutMs: 500 }, reason: 'end_silence', end: sample(40) + 4000 },
  skip: {
    ...{ options: {}, reason: 'stopped', end: sample(101) },
    pause: { from: sample(10), to: sample(35), behaviour: 'skip' },
  },
  mask: {
    ...{ options: { direction: 'both' }, reason: 'stopped', end: sample(101) },
    pause: { from: sample(10), to: sample(35), behaviour: 'mask' },
  },
  lengthOfPaused: {
    ...{ options: { maxLengthMs: 400 }, reason: 'max_length', end: sample(45) },
    pause: { from: sample(10), to: sample(35), behaviour: 'silence' },
  },
};

it('ten recordings of one call, each with other options, are each right to the sample', async () => {
  const bench = new RecordingBench();
  try {
    const phone = await bench.call('a');
    for (const [recordingId, { options }] of Object.entries(cases))
      await bench.record('a', recordingId, { options });
    for (let slot = 0; slot < slots; slot++) await step(bench, phone, slot);
    for (const recordingId of Object.keys(cases))
      if (cases[recordingId]!.reason === 'stopped')
        await bench.execute({ verb: 'recording.stop', recordingId, reason: 'stopped' });
    await bench.slots(3);
    for (const [recordingId, each] of Object.entries(cases)) await check(bench, recordingId, each);
  } finally {
    await bench.close();
  }
});

async function step(bench: RecordingBench, phone: TestPhone, slot: number): Promise<void> {
  if (slot === 30)
    await bench.execute({ verb: 'play.start', legId: 'a', playId: 'p', rateHz: 8000, samples: prompt });
  for (const [recordingId, { pause }] of Object.entries(cases)) {
    if (pause && sample(slot) === pause.from)
      await bench.execute({
        verb: 'recording.pause',
        recordingId,
        scope: 'recording',
        behaviour: pause.behaviour,
      });
    if (pause && sample(slot) === pause.to) await bench.execute({ verb: 'recording.resume', recordingId });
  }
  phone.timestamp = sample(slot);
  if (slot < 40) {
    const frame = said.subarray(sample(slot), sample(slot + 1));
    await phone.send({ payload: Uint8Array.from(frame, ulawOf) });
  }
  if (slot === 45) await phone.press('#');
  await bench.slots(1);
}

async function check(bench: RecordingBench, recordingId: string, expected: Case): Promise<void> {
  const { options, start = 0, reason, pause } = expected;
  const spooled = bench.open(recordingId, 'call-a');
  let { end } = expected;
  // Voice activity decides every 10 ms, by the 20 ms before.
  const isByVoice = reason === 'end_silence' && Math.abs(spooled.end!.atSample - end) <= slotSamples;
  if (isByVoice) end = spooled.end!.atSample;
  assert.deepEqual(
    [spooled.startSample, spooled.end?.reason, spooled.end?.atSample],
    [start, reason, end],
    recordingId,
  );
  const { direction = 'both' } = options;
  const left = new Int16Array(sample(slots + 2));
  if (direction !== 'listen') left.set(said);
  const right = new Int16Array(left.length);
  if (direction !== 'speak') {
    // Each slot is heard when it is sent: at its end.
    right.set(prompt, sample(31));
    for (let k = 0; k < beepSamples.length; k++) right[sample(1) + k]! += beepSamples[k]!;
    right.set(right.map(throughUlaw));
    // The slot of the very moment was sent before the command.
    if (pause) right.fill(0, pause.to, pause.to + slotSamples);
  }
  const file = (signal: Int16Array): number[] =>
    Array.from(signal.subarray(start, end)).flatMap((value, k) => {
      const at = start + k;
      if (!pause || at < pause.from || at >= pause.to) return [value];
      return pause.behaviour === 'skip' ? [] : [pause.behaviour === 'mask' ? maskTone[at]! : 0];
    });
  const mix = left.map((value, k) => value + right[k]!);
  assert.deepEqual(Array.from(await bench.render(recordingId, 'call-a')), file(mix), `${recordingId} mix`);
  const stereo = await bench.render(recordingId, 'call-a', { kind: 'stereo', format: 'wav' });
  const side = (index: number): number[] => Array.from(stereo.filter((_, k) => k % 2 === index));
  assert.deepEqual(side(0), file(left), `${recordingId} left`);
  assert.deepEqual(side(1), file(right), `${recordingId} right`);
}

const beepSamples = tone({ rateHz: 8000, frequencyHz: 1400, levelDbov: -20 }, sample(20));
const maskTone = tone({ rateHz: 8000, frequencyHz: 440, levelDbov: -30 }, sample(slots));

it('one that starts within a packet of 60 ms that is being sent begins behind it, to the sample', async () => {
  const bench = new RecordingBench();
  try {
    await bench.call('a', { ptimeMs: 60 });
    await bench.record('a', 'r');
    const samples = Int16Array.from({ length: 60 * slotSamples }, (_, k) => 1000 + (k % 997) * 20);
    await bench.execute({ verb: 'play.start', legId: 'a', playId: 'p', rateHz: 8000, samples });
    const heardIn = async (recordingId: string) => {
      const request = { kind: 'channel', trackId: 'heard-a', format: 'wav' } as const;
      return await bench.render(recordingId, 'call-a', request);
    };
    // Each in another slot of a packet.
    const starts = [10, 11, 12].map((slot) => [`after-${slot}`, slot] as const);
    for (let slot = 0; slot < 40; slot++) {
      for (const [recordingId, after] of starts) if (slot === after) await bench.record('a', recordingId);
      await bench.slots(1);
    }
    for (const recordingId of ['r', ...starts.map(([name]) => name)])
      await bench.execute({ verb: 'recording.stop', recordingId, reason: 'stopped' });
    await bench.slots(3);
    const whole = await heardIn('r');
    const silentSlots = [];
    for (const [recordingId, slot] of starts) {
      const heard = await heardIn(recordingId);
      const silent = heard.findIndex((sample) => sample !== 0);
      silentSlots.push(silent / slotSamples);
      const from = slot * slotSamples;
      assert.deepEqual(
        heard.subarray(silent),
        whole.subarray(from + silent, from + heard.length),
        recordingId,
      );
    }
    // The slot of the start itself was sent before.
    assert.deepEqual(silentSlots.toSorted(), [1, 2, 3]);
    const first = whole.findIndex((sample) => sample !== 0);
    assert.ok(
      whole.subarray(first).every((sample) => sample !== 0),
      'nothing of it is missing',
    );
  } finally {
    await bench.close();
  }
});
