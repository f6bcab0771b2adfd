import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { openRendition, type Rendition } from './rendition.ts';
import { sidesOf } from './sides.ts';
import { frame, testStream, testTone, testTrack, testView } from './test-track.ts';
import type { TrackView } from './track-source.ts';

const samples = 100 * frame;

/** A tone from `fromFrame` on, as long as `frames`. */
function stay(
  trackId: string,
  connectionId: string,
  hertz: number,
  fromFrame: number,
  frames: number,
): TrackView {
  const stream = testStream(testTone(frames * frame, hertz, 6000), {
    ssrc: hertz,
    arrivalUs: (k) => (fromFrame + k) * 20_000,
  });
  const ends = { startSample: fromFrame * frame, endSample: (fromFrame + frames) * frame };
  return { ...testTrack(trackId, stream.records, ends), connectionId };
}

/** Ann comes, Bob and Cid join, Ann leaves and comes back. */
const ann = stay('1', 'ann', 400, 0, 30);
const bob = stay('2', 'bob', 700, 10, 60);
const cid = stay('3', 'cid', 1100, 20, 60);
const annAgain = stay('4', 'ann', 400, 70, 30);
const view = testView([ann, bob, cid, annAgain], { endSample: samples });

async function bytesOf(rendition: Rendition, from?: number, to?: number): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(rendition.read(from, to)));
}

/** The samples of each channel. */
async function channelsOf(rendition: Rendition): Promise<Int16Array[]> {
  const { data, channels, frames } = parseWav(await bytesOf(rendition));
  const pcm = pcm16Samples(data);
  return Array.from({ length: channels }, (_, channel) =>
    Int16Array.from({ length: frames }, (_sample, k) => pcm[k * channels + channel]!),
  );
}

const oneChannel = async (of: typeof view, kind: 'mix' | 'left' | 'right') =>
  (await channelsOf(openRendition(of, { kind, format: 'wav' })))[0]!;

test('all stays of the party that joined first are left, everybody else is right', () => {
  const ids = (tracks: readonly TrackView[]) => tracks.map(({ trackId }) => trackId);
  const { left, right } = sidesOf(view);
  assert.deepEqual(
    [ids(left.tracks), ids(right.tracks)],
    [
      ['1', '4'],
      ['2', '3'],
    ],
  );
  assert.deepEqual(sidesOf(testView([])).left.tracks, []);
});

test('stereo is the mix of each side, as long as the mix', async () => {
  const [left, right, ...others] = await channelsOf(openRendition(view, { kind: 'stereo', format: 'wav' }));
  assert.equal(others.length, 0);
  const leftAlone = await oneChannel(testView([ann, annAgain], { endSample: samples }), 'mix');
  const rightAlone = await oneChannel(testView([bob, cid], { endSample: samples }), 'mix');
  assert.equal(left?.length, samples);
  assert.deepEqual(left, leftAlone);
  assert.deepEqual(right, rightAlone);
  assert.deepEqual(await oneChannel(view, 'left'), left);
  assert.deepEqual(await oneChannel(view, 'right'), right);
  assert.ok(left.some((sample) => sample > 4000) && right.some((sample) => sample > 4000));
});

test('a pause is silent, or cut out, at the same sample on both sides and on every channel', async () => {
  const pauses = [
    { fromSample: 2000, toSample: 3001, behaviour: 'silence' as const },
    { fromSample: 5000, toSample: 6001, behaviour: 'skip' as const },
  ];
  for (const kind of ['stereo', 'channels'] as const) {
    const whole = await channelsOf(openRendition(view, { kind, format: 'wav' }));
    const paused = await channelsOf(openRendition({ ...view, pauses }, { kind, format: 'wav' }));
    assert.equal(paused.length, kind === 'stereo' ? 2 : 4);
    for (const [index, channel] of paused.entries()) {
      assert.equal(channel.length, samples - 1001);
      assert.deepEqual(channel.subarray(2000, 3001), new Int16Array(1001));
      if (kind === 'channels') {
        assert.deepEqual(channel.subarray(3001, 5000), whole[index]!.subarray(3001, 5000));
        assert.deepEqual(channel.subarray(5000), whole[index]!.subarray(6001));
      }
    }
  }
});

test('side by side every stay has a channel of its own, in the order of joining, silent where it was not there', async () => {
  const rendition = openRendition(view, { kind: 'channels', format: 'wav' });
  assert.deepEqual(rendition.trackIds, ['1', '2', '3', '4']);
  const channels = await channelsOf(rendition);
  for (const [index, track] of view.tracks.entries()) {
    const expected = new Int16Array(samples);
    const request = { kind: 'channel', trackId: track.trackId, format: 'wav' } as const;
    expected.set((await channelsOf(openRendition(view, request)))[0]!, track.startSample);
    assert.deepEqual(channels[index], expected, track.trackId);
  }
});

test('every byte range of a file of several channels is that part of the whole', async () => {
  for (const kind of ['stereo', 'channels'] as const) {
    const rendition = openRendition(view, { kind, format: 'wav' });
    const whole = await bytesOf(rendition);
    assert.equal(whole.length, rendition.byteLength);
    const headBytes = whole.length - rendition.samples * 2 * (kind === 'stereo' ? 2 : 4);
    for (const [from, to] of [
      [0, 1],
      [headBytes - 1, headBytes + 3],
      [headBytes + 5, headBytes + 20_003],
      [50_001, 60_002],
      [whole.length - 7, whole.length + 100],
    ] as const)
      assert.deepEqual(await bytesOf(rendition, from, to), whole.subarray(from, to), `${kind} ${from}-${to}`);
  }
});

test('of nobody there is an empty stereo file, and no channel', async () => {
  const empty = testView([], { endSample: 800 });
  const stereo = await channelsOf(openRendition(empty, { kind: 'stereo', format: 'wav' }));
  assert.deepEqual(stereo, [new Int16Array(800), new Int16Array(800)]);
  assert.throws(() => openRendition(empty, { kind: 'channels', format: 'wav' }), /there is no channel/);
});

test('sides of a growing recording are as long as its mix', async () => {
  const growing = testView(
    view.tracks.map((track) => ({ ...track, endSample: undefined })),
    { endSample: undefined },
  );
  const mix = openRendition(growing, { kind: 'mix', format: 'wav' });
  for (const kind of ['left', 'right'] as const) {
    const side = openRendition(growing, { kind, format: 'wav' });
    assert.deepEqual([side.complete, side.samples], [false, mix.samples]);
  }
});

test('of a call by itself the left side is what the party says, the right one what it hears', () => {
  const track = (trackId: string, side?: 'heard') => ({ ...testTrack(trackId, []), ...(side && { side }) });
  // The side decides, not the order.
  const { left, right } = sidesOf(testView([track('h', 'heard'), track('s')]));
  assert.deepEqual(
    [left, right].map(({ tracks }) => tracks.map(({ trackId }) => trackId)),
    [['s'], ['h']],
  );
});
