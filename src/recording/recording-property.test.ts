import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { TestPhone } from '../media/test-phone.ts';
import type { PauseBehaviour } from '../spool/records.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';
import {
  type RecordingScript,
  recordingScript,
  roomOfScript,
  type ScriptAction,
  type ScriptPacket,
} from './test-recording-script.ts';
import {
  ReferenceRecorder,
  type ReferenceRecording,
  type ReferenceTrack,
  referenceFile,
} from './test-reference-recorder.ts';
import type { ScriptCalls } from './test-script-calls.ts';

throwOnUnlistedTransitions();

const firstSeed = 1;
const scripts = 64;
/** Of each what it was found by. */
const found = new Map([
  [96, 'the first packet comes 9 ms before the end of a pause of the call'],
  [134, 'a key before a pause of the call, the first audio 64 ms behind it'],
]);
const pumpUs = 60_000;
/** Half a second tells whom one hears. */
const mixedSlots = 25;

describe('the engine and the reference agree', () => {
  const seeds = Array.from({ length: scripts }, (_, index) => firstSeed + index);
  for (const seed of [...seeds, ...found.keys()]) {
    it(['seed', seed, found.get(seed) ?? ''].join(' ').trimEnd(), async () => {
      const script = recordingScript(seed);
      const bench = new RecordingBench();
      try {
        await run(bench, script);
        const reference = new ReferenceRecorder(script);
        for (const recording of reference.recordings()) await compare(bench, script, reference, recording);
      } finally {
        await bench.close();
      }
    });
  }
});

async function run(bench: RecordingBench, { legs, actions, slots, shape }: RecordingScript): Promise<void> {
  const phones = new Map<string, TestPhone>();
  for (const { legId } of legs) phones.set(legId, await bench.call(legId));
  const packets = legs.flatMap((leg) => leg.packets.map((packet) => ({ ...packet, legId: leg.legId })));
  const moments = [...actions, ...packets].sort((a, b) => a.atUs - b.atUs);
  let nowUs = 0;
  let pumpedUs = 0;
  const advanceTo = (atUs: number): void => {
    for (; pumpedUs + pumpUs <= atUs; pumpedUs += pumpUs) {
      bench.advanceUs(pumpedUs + pumpUs - nowUs);
      nowUs = pumpedUs + pumpUs;
      bench.pump();
    }
    bench.advanceUs(atUs - nowUs);
    nowUs = atUs;
  };
  for (const moment of moments) {
    advanceTo(moment.atUs);
    if ('kind' in moment) await act(bench, moment, shape === 'relay' ? 'relay' : 'mix');
    else await say(phones.get(moment.legId)!, moment);
  }
  advanceTo(slots * 20_000 + 400_000);
  bench.pump();
}

async function say(phone: TestPhone, { slot, payload, digit }: ScriptPacket): Promise<void> {
  phone.timestamp = slot * 160;
  if (digit !== undefined) await phone.press(digit);
  else await phone.send({ payload: payload! });
}

async function act(bench: RecordingBench, action: ScriptAction, mode: 'mix' | 'relay'): Promise<void> {
  switch (action.kind) {
    case 'record': {
      const { recordingId, on, options } = action;
      if (on === roomOfScript) await bench.recordRoom(on, recordingId, { options });
      else await bench.record(on, recordingId, { options });
      return;
    }
    case 'pause': {
      const { recordingId, behaviour, scope } = action;
      return unlessEnded(bench.execute({ verb: 'recording.pause', recordingId, behaviour, scope }));
    }
    case 'resume':
      return unlessEnded(bench.execute({ verb: 'recording.resume', recordingId: action.recordingId }));
    case 'stop': {
      const { recordingId } = action;
      return unlessEnded(bench.execute({ verb: 'recording.stop', recordingId, reason: 'stopped' }));
    }
    case 'join':
      await bench.join(action.legId, roomOfScript, { mode });
      return;
    case 'leave':
      await bench.execute({ verb: 'room.leave', legId: action.legId });
      return;
    case 'close':
      await bench.execute({ verb: 'leg.close', legId: action.legId });
      return;
    case 'closeRoom':
      await bench.execute({ verb: 'room.close', roomId: roomOfScript });
      return;
    case 'play': {
      const { legId, samples } = action;
      const playId = `p${action.atUs}`;
      await bench.execute({ verb: 'play.start', legId, playId, rateHz: 8000, samples });
    }
  }
}

/** The recording may be over when its next command comes. */
async function unlessEnded(executed: Promise<unknown>): Promise<void> {
  await executed.catch((error: unknown) => {
    if (!(error instanceof CallreelError) || (error.code !== 'NOT_FOUND' && error.code !== 'CONFLICT'))
      throw error;
  });
}

async function compare(
  bench: RecordingBench,
  script: RecordingScript,
  reference: ReferenceRecorder,
  expected: ReferenceRecording,
): Promise<void> {
  const { recordingId, roomId, startSample, endSample, pauses } = expected;
  const spooled = bench.open(recordingId, roomId);
  const { end } = spooled;
  const what = (name: string): string =>
    `seed ${script.seed} ${script.shape} ${recordingId} of ${expected.on}: ${name}`;
  assert.deepEqual(
    { reason: end?.reason, startSample: spooled.startSample, endSample: end?.atSample },
    { reason: expected.reason, startSample, endSample },
    what('start and end'),
  );
  assert.deepEqual(
    spooled.pauses
      .map((pause) => ({ ...pause, toSample: Math.min(endSample, pause.toSample ?? endSample) }))
      .filter(({ fromSample, toSample }) => fromSample < toSample),
    pauses.filter(({ fromSample, toSample }) => fromSample < toSample),
    what('pauses'),
  );
  const tracks = expected.tracks.filter(({ fromSample }) => fromSample < endSample);
  assert.deepEqual(
    spooled.tracks.filter((track) => track.startSample < endSample).map(({ trackId }) => trackId),
    tracks.map(({ trackId }) => trackId),
    what('tracks'),
  );
  for (const track of tracks) {
    const file = await bench.render(recordingId, roomId, {
      kind: 'channel',
      trackId: track.trackId,
      format: 'wav',
    });
    const fromSample = Math.max(startSample, track.fromSample);
    same(file, expected, { ...track, fromSample }, what(track.trackId));
    if (script.shape === 'mix' && track.side === 'heard') hears(file, reference.calls, expected, track, what);
  }
  const mixOf = (parts: readonly ReferenceTrack[]) => {
    const samples = new Int32Array(endSample);
    const exact = new Uint8Array(endSample).fill(1);
    for (const part of parts)
      for (let k = part.fromSample; k < Math.min(endSample, part.toSample); k++) {
        samples[k]! += part.samples[k]!;
        if (part.exact[k] === 0) exact[k] = 0;
      }
    return { fromSample: startSample, toSample: endSample, samples, exact };
  };
  same(await bench.render(recordingId, roomId), expected, mixOf(tracks), what('mix'));
  const stereo = await bench.render(recordingId, roomId, { kind: 'stereo', format: 'wav' });
  const isLeft = ({ side, legId }: ReferenceTrack): boolean =>
    expected.on === roomOfScript ? legId === tracks[0]?.legId : side === 'said';
  const unrecorded = { listen: 0, speak: 1, both: undefined }[expected.options.direction ?? 'both'];
  for (const [index, parts] of [tracks.filter(isLeft), tracks.filter((track) => !isLeft(track))].entries())
    same(
      stereo.filter((_, k) => k % 2 === index),
      index === unrecorded && expected.on !== roomOfScript ? unmasked(expected) : expected,
      mixOf(parts),
      what(`stereo ${index}`),
    );
}

/** Of the side that is not recorded: no tone stands in its place. */
function unmasked({ pauses, ...recording }: ReferenceRecording): ReferenceRecording {
  const behaviourOf = (each: PauseBehaviour): PauseBehaviour => (each === 'mask' ? 'silence' : each);
  return {
    ...recording,
    pauses: pauses.map((pause) => ({ ...pause, behaviour: behaviourOf(pause.behaviour) })),
  };
}

/** In a mix, where the other party talks on and on, its tone and not one's own. */
function hears(
  file: Int16Array,
  calls: ScriptCalls,
  recording: ReferenceRecording,
  { legId, fromSample }: ReferenceTrack,
  what: (name: string) => string,
): void {
  const other = calls.script.legs.find((leg) => leg.legId !== legId)!;
  const own = calls.script.legs.find((leg) => leg.legId === legId)!;
  const { fromUs, toUs } = calls.together();
  const isMixed = ({ atUs, payload }: ScriptPacket): boolean =>
    payload !== undefined && fromUs < atUs && atUs < toUs && recording.isOn(atUs);
  const talks = other.packets.filter(isMixed);
  for (const [index, { atUs, slot }] of talks.entries()) {
    if (talks[index + mixedSlots]?.slot !== slot + mixedSlots) continue;
    // The jitter buffer's delay.
    const from = Math.round(((atUs - recording.originUs) * 8) / 1000) + 5 * 160 - fromSample;
    const to = from + (mixedSlots - 5) * 160;
    const pausedBefore = recording.pauses.some((pause) => pause.fromSample < to + fromSample);
    if (pausedBefore || to + fromSample > recording.endSample) return;
    const part = file.subarray(from, to);
    assert.ok(levelOf(part, other.toneHz) > 3000, what(`the other is heard at ${from}`));
    assert.ok(levelOf(part, own.toneHz) < 300, what(`not one's own voice at ${from}`));
    return;
  }
}

function levelOf(samples: Int16Array, frequencyHz: number): number {
  let re = 0;
  let im = 0;
  for (const [k, sample] of samples.entries()) {
    re += sample * Math.cos((2 * Math.PI * frequencyHz * k) / 8000);
    im += sample * Math.sin((2 * Math.PI * frequencyHz * k) / 8000);
  }
  return (2 * Math.hypot(re, im)) / samples.length;
}

function same(
  file: Int16Array,
  recording: ReferenceRecording,
  track: { fromSample: number; toSample: number; samples: ArrayLike<number>; exact: Uint8Array },
  what: string,
): void {
  const expected = referenceFile(recording, track);
  const exact = referenceFile(recording, { ...track, samples: track.exact });
  assert.equal(file.length, expected.length, `${what}: samples`);
  for (let k = 0; k < file.length; k++)
    if (exact[k] !== 0 && file[k] !== expected[k]) {
      const near = (samples: ArrayLike<number>) =>
        Array.from(samples)
          .slice(Math.max(0, k - 3), k + 5)
          .join(' ');
      assert.fail(
        `${what}: sample ${k} of ${file.length}\n  engine    ${near(file)}\n  reference ${near(expected)}`,
      );
    }
}
