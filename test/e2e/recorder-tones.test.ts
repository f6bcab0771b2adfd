import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { assertOnlyRun, decoded } from './channel-audio.ts';
import { eventually } from './eventually.ts';
import {
  annHz,
  type Party,
  RecorderStage,
  type RecordingBody,
  rateHz,
  sayTone,
  wavChannels,
  wavSamples,
  whoIsIn,
} from './recorder-stage.ts';

/** `beep` and `warning_tone_interval_ms`: what the parties hear, and what of it is in the files. */
const stage = await RecorderStage.open();
const stereo = { stereo: true };
let ann: Party;
let bob: Party;

/** Parts two tones, which are 800 ms apart at least. Slots that the server was too late for part nothing. */
const partingSamples = rateHz / 2;

/** Beeps a party has heard, whole, by their lengths in ms. */
function tonesHeard(samples: Int16Array): number[] {
  const tones: { from: number; to: number }[] = [];
  for (const [at, sample] of samples.entries()) {
    if (Math.abs(sample) < 200) continue;
    const last = tones.at(-1);
    if (last && at - last.to < partingSamples) last.to = at;
    else tones.push({ from: at, to: at });
  }
  const whole = tones.filter(({ to }) => to < samples.length - partingSamples);
  for (const { from, to } of whole) assert.equal(whoIsIn(samples.subarray(from, to)), 'beep');
  return whole.map(({ from, to }) => Math.round((to - from) / 8));
}

/** Slot after slot: a tone goes on behind the slots that a server was too late for. */
const heardBy = ({ call }: Party) => tonesHeard(decoded(call, call.receivedPackets));

/** Waits until the party has heard so many, whole. */
async function tones(party: Party, count: number): Promise<number[]> {
  return await eventually(`${count} tones`, () => {
    const lengths = heardBy(party);
    return lengths.length >= count ? lengths : undefined;
  });
}

/** Waits until the last tone, if there was any, is over for as long as parts two. */
async function quiet({ call }: Party): Promise<void> {
  const from = call.receivedPackets.length;
  await eventually('silence', () => {
    const since = decoded(call, call.receivedPackets.slice(from));
    const tail = since.subarray(-partingSamples - 1);
    return (tail.length > partingSamples && tail.every((sample) => Math.abs(sample) < 200)) || undefined;
  });
}

before(async () => {
  ann = await stage.join('tones');
  bob = await stage.join('bob');
});
after(() => stage[Symbol.asyncDispose]());

suite('recorder: tones', { concurrency: false }, () => {
  test('without them, and with `beep` false, nothing is heard', async () => {
    for (const options of [{}, { beep: false }]) {
      const recording = await stage.record(ann, options);
      await sayTone(ann, annHz);
      assert.equal(whoIsIn(await wavSamples(await stage.stop(recording))), 'ann');
    }
    assert.deepEqual(heardBy(ann), []);
  });

  test('beep: the party hears it before the recording begins, and it is not in the file', async () => {
    const others = await stage.record(ann, stereo);
    const started = await stage.record(ann, { ...stereo, beep: true });
    assert.equal(started.state, 'waiting');
    await stage.in(started, 'recording');
    await sayTone(ann, annHz);
    const recording = await stage.stop(started);
    assert.equal(recording.reason, 'stopped');
    const [left, right] = await wavChannels(recording);
    assert.deepEqual([whoIsIn(left!), whoIsIn(right!)], ['ann', '']);
    assert.ok(right!.every((sample) => sample === 0));
    const [length, ...more] = heardBy(ann);
    assert.deepEqual([more, Math.abs(length! - 400) <= 40], [[], true], `${length} ms`);
    // What runs beside it hears it, as the party did.
    const [, heard] = await wavChannels(await stage.stop(others));
    assert.equal(whoIsIn(heard!), 'beep');
    const { call } = ann;
    const all = call.received();
    const from = all.findIndex((sample) => sample !== 0);
    const to = all.findLastIndex((sample) => sample !== 0) + 1;
    assertOnlyRun(heard!, all.subarray(from, to), 'the beep');
    assert.deepEqual(heardBy(bob), []);
  });

  test('beep: stopped before it is over nothing is recorded', async () => {
    const { state, recorded_ms, url } = await stage.stop(await stage.record(bob, { beep: true }));
    assert.deepEqual([state, recorded_ms], ['ended', 0]);
    assert.equal((await wavSamples({ url, recorded_ms } as RecordingBody)).length, 0);
    await tones(bob, 1);
  });

  test('warning tone: heard so often while it records, by the party, not while it is paused', async () => {
    const before = heardBy(bob).length;
    const rare = await stage.record(bob, { warning_tone_interval_ms: 86_400_000 });
    const often = await stage.record(bob, { ...stereo, warning_tone_interval_ms: 1000 });
    const lengths = (await tones(bob, before + 2)).slice(before);
    for (const length of lengths.slice(0, 2)) assert.ok(Math.abs(length - 200) <= 40, `${length} ms`);
    const warned = await stage.stop(often);
    const [, heard] = await wavChannels(warned);
    // Everything that the party hears, this too.
    assert.equal(whoIsIn(heard!), 'beep');
    // The first one an interval from the beginning, the next one an interval later: slots of 20 ms. A server that is
    // held up is late with one; that it is punctual otherwise is tested on a clock of its own.
    const edges = edgesOf(heard!);
    assert.ok(edges.length >= 2, `${edges}`);
    assert.ok(edges[0]! >= 1000 - 60, `${edges}`);
    assert.ok(edges[1]! - edges[0]! >= 1000 - 60, `${edges}`);
    assert.equal(whoIsIn(await wavSamples(await stage.stop(rare))), 'beep');
    await quiet(bob);
    const after = heardBy(bob).length;
    // Long enough for the pause to come before it.
    const paused = await stage.record(bob, { ...stereo, warning_tone_interval_ms: 3000 });
    await stage.post(`/v1/recordings/${paused.recording_id}/pause`, { behaviour: 'silence' });
    const beside = await stage.record(bob, { max_length_ms: 3500 });
    await stage.in(beside, 'ended');
    await quiet(bob);
    assert.equal(heardBy(bob).length, after);
    await stage.stop(paused);
  });

  test('of a conference everybody hears the warning', async () => {
    const before = heardBy(ann).length;
    const second = await stage.join('tones', 2);
    const path = '/v1/conferences/tones/recordings';
    const { body } = await stage.post<RecordingBody>(path, { warning_tone_interval_ms: 1000 });
    await tones(ann, before + 1);
    await tones(second, 1);
    assert.equal((await stage.stop(body)).reason, 'no_media');
  });
});

/** Where each tone begins, in ms. */
function edgesOf(samples: Int16Array): number[] {
  const edges: number[] = [];
  let silentFrom = -rateHz;
  for (const [at, sample] of samples.entries()) {
    if (Math.abs(sample) < 200) continue;
    if (at - silentFrom > partingSamples) edges.push(at / 8);
    silentFrom = at;
  }
  return edges;
}
