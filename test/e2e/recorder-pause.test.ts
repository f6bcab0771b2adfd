import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { pauseBehaviours } from '../../src/spool/records.ts';
import { fetchAudio } from '../../src/testkit/recorded-audio.ts';
import {
  annHz,
  bobHz,
  type Party,
  RecorderStage,
  type RecordingBody,
  rateHz,
  sayTone,
  secretHz,
  wavChannels,
  whoIsIn,
} from './recorder-stage.ts';

/**
 * Pauses of every behaviour and both scopes, over one call: what Ann says and what Bob says in the span is absent,
 * silent or masked, at the same samples in every file of it.
 */
const stage = await RecorderStage.open();
const room = 'pause';
const ended = new Map<string, RecordingBody>();
const secretMs = 500;
let ann: Party;

const path = ({ recording_id }: RecordingBody, verb: string) => `/v1/recordings/${recording_id}/${verb}`;

async function pause(recording: RecordingBody, options?: object): Promise<RecordingBody> {
  const { status, body } =
    options === undefined
      ? await stage.http.post<RecordingBody>(path(recording, 'pause'))
      : await stage.post<RecordingBody>(path(recording, 'pause'), options);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

async function resume(recording: RecordingBody): Promise<RecordingBody> {
  const { status, body } = await stage.post<RecordingBody>(path(recording, 'resume'));
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

before(async () => {
  ann = await stage.join(room);
  const bob = await stage.join(room, 2);
  const paused = new Map<string, [RecordingBody, object | undefined]>();
  const stereo = { stereo: true };
  paused.set('default', [await stage.record(ann, stereo), undefined]);
  paused.set('empty', [await stage.record(ann, stereo), {}]);
  for (const behaviour of pauseBehaviours)
    paused.set(behaviour, [await stage.record(ann, stereo), { behaviour, scope: 'recording' }]);
  paused.set('mono', [await stage.record(ann), { behaviour: 'mask' }]);
  paused.set('keys', [await stage.record(ann, { terminators: '#' }), { behaviour: 'silence' }]);
  const untouched = await stage.record(ann, stereo);
  const conference = await stage.post<RecordingBody>(`/v1/conferences/${room}/recordings`, {
    control_id: 'room',
  });
  const bobs = await stage.record(bob, stereo);
  const holder = await stage.record(ann, { ...stereo, control_id: 'holder' });
  const others = { untouched, conference: conference.body, bobs, holder };

  await sayTone(ann, annHz);
  for (const [recording, options] of paused.values()) {
    const state = await pause(recording, options);
    // Once more changes nothing, whatever it asks for.
    assert.deepEqual(
      [(await pause(recording, { behaviour: 'mask' })).state, state.state],
      ['paused', 'paused'],
    );
  }
  await sayTone(bob, secretHz, secretMs);
  await ann.call.pressDigit('#');
  for (const [recording] of paused.values()) {
    assert.equal((await resume(recording)).state, 'recording');
    assert.equal((await resume(recording)).state, 'recording');
  }
  await sayTone(bob, bobHz);
  for (const [name, [recording]] of paused) ended.set(name, await stage.stop(recording));

  // A pause of the call, and what begins while it lasts.
  const fresh = await stage.record(ann, stereo);
  await pause(holder, { behaviour: 'silence', scope: 'call' });
  const late = await stage.record(ann, stereo);
  for (const recording of [untouched, conference.body, bobs, holder, fresh, late])
    await stage.in(recording, 'paused');
  await sayTone(ann, secretHz, secretMs);
  await resume(holder);
  await sayTone(ann, annHz);
  for (const [name, recording] of Object.entries({ ...others, fresh, late }))
    if (name !== 'untouched') ended.set(name, await stage.stop(recording));

  // One that ends gives the call free that it held.
  const ending = await stage.record(ann, stereo);
  await pause(ending, { scope: 'call' });
  await sayTone(ann, secretHz, secretMs);
  ended.set('ending', await stage.stop(ending));
  await stage.in(untouched, 'recording');
  await sayTone(ann, annHz);
  ended.set('untouched', await stage.stop(untouched));
});
after(() => stage[Symbol.asyncDispose]());

const lengthMs = ({ duration_ms, recorded_ms }: RecordingBody) => duration_ms! - recorded_ms!;

suite('recorder: pause', () => {
  for (const name of ['default', 'empty', 'skip'])
    test(`${name}: the span is cut out`, async () => {
      const recording = ended.get(name)!;
      assert.deepEqual((await wavChannels(recording)).map(whoIsIn), ['ann', 'bob']);
      assert.ok(lengthMs(recording) >= secretMs, `${lengthMs(recording)} ms`);
    });

  for (const name of ['silence', 'mask'])
    test(`${name}: the span keeps its length, at the same samples on both sides`, async () => {
      const recording = ended.get(name)!;
      const { channels } = await fetchAudio(recording.url);
      for (const { length } of channels)
        assert.equal(Math.round((length * 1000) / rateHz), recording.duration_ms);
      assert.ok(lengthMs(recording) >= secretMs);
      const [left, right] = channels;
      for (const [side, samples] of Object.entries({ left: left!, right: right! }))
        assert.ok(!whoIsIn(samples).includes('secret'), side);
      assert.ok(whoIsIn(left!).includes('ann') && whoIsIn(right!).includes('bob'));
      if (name === 'silence') return;
      // The mask is the same on both sides, and ends and begins nowhere else.
      const [mask, other] = [maskOf(left!, right!), maskOf(right!, left!)];
      assert.deepEqual(mask, other);
      // The difference of two lengths, each rounded to a millisecond.
      const maskMs = (mask.length * 1000) / rateHz;
      assert.ok(Math.abs(maskMs - lengthMs(recording)) <= 1, `${maskMs} ms, not ${lengthMs(recording)} ms`);
    });

  test('in one channel the mask lies over nothing', async () => {
    const { channels } = await fetchAudio(ended.get('mono')!.url);
    const [samples] = channels;
    assert.ok(!whoIsIn(samples!).includes('secret'));
    assert.ok(/ann.*bob/.test(whoIsIn(samples!)));
  });

  test('no key ends what is paused', () => {
    const { reason, digit } = ended.get('keys')!;
    assert.deepEqual([reason, digit], ['stopped', null]);
  });

  test('scope recording: others go on', async () => {
    const [, right] = (await fetchAudio(ended.get('untouched')!.url)).channels;
    assert.ok(whoIsIn(right!).includes('bob'));
    assert.ok(whoIsIn(right!).includes('secret'));
  });

  test('scope call: nothing of it is in any recording that hears the call, later ones too', async () => {
    for (const name of ['holder', 'bobs', 'conference', 'fresh', 'late']) {
      const { channels } = await fetchAudio(ended.get(name)!.url);
      const said = name === 'bobs' ? channels[1]! : channels[0]!;
      assert.ok(whoIsIn(said).includes('ann'), name);
      if (name === 'conference') assert.equal(occurrences(said), 1, name);
      else assert.ok(!whoIsIn(said).includes('secret'), name);
    }
    for (const name of ['fresh', 'late']) {
      const { channels } = await fetchAudio(ended.get(name)!.url);
      assert.deepEqual(channels.map(whoIsIn), ['ann', ''], name);
    }
  });

  test('scope call ends with the recording that asked for it', async () => {
    for (const samples of await wavChannels(ended.get('ending')!)) assert.equal(whoIsIn(samples), '');
    const [said] = (await fetchAudio(ended.get('untouched')!.url)).channels;
    assert.ok(!whoIsIn(said!).includes('secret'));
    assert.ok(whoIsIn(said!).includes('ann'));
  });

  test('what has ended is neither paused nor resumed', async () => {
    const recording = ended.get('skip')!;
    for (const verb of ['pause', 'resume']) {
      const { status, body } = await stage.post(path(recording, verb));
      assert.deepEqual([status, body.error.code], [409, 'CONFLICT'], verb);
    }
    assert.equal((await stage.stop(recording)).reason, 'stopped');
    for (const verb of ['pause', 'resume', 'stop', 'consent']) {
      const body = verb === 'consent' ? { method: 'dtmf', who: 'Ann' } : {};
      const answer = await stage.post(`/v1/recordings/0000000000000000/${verb}`, body);
      assert.deepEqual([answer.status, answer.body.error.code], [404, 'NOT_FOUND'], verb);
    }
  });
});

/** The longest stretch that both sides have alike and that is not silent. */
function maskOf(samples: Int16Array, other: Int16Array): Int16Array {
  let best = new Int16Array(0);
  for (let from = 0; from < samples.length; ) {
    let to = from;
    while (to < samples.length && samples[to] === other[to]) to++;
    const alike = samples.subarray(from, to);
    const first = alike.findIndex((sample) => sample !== 0);
    const loud =
      first < 0 ? alike.subarray(0, 0) : alike.subarray(first, alike.findLastIndex((s) => s !== 0) + 1);
    if (loud.length > best.length) best = loud.slice();
    from = to + 1;
  }
  return best;
}

/** How often the secret is said. */
function occurrences(samples: Int16Array): number {
  let count = 0;
  let before = false;
  for (let at = 0; at + 800 <= samples.length; at += 800) {
    const now = whoIsIn(samples.subarray(at, at + 800)).includes('secret');
    if (now && !before) count++;
    before = now;
  }
  return count;
}
