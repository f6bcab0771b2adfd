import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { PlayStart } from '../media/control.ts';
import type { WorkerMessage } from './messages.ts';
import { PromptStore } from './prompt-store.ts';

const music = Int16Array.from({ length: 1000 }, (_, i) => i * 7);
const other = Int16Array.from({ length: 500 }, (_, i) => i * 11);

const play = (legId: string, playId: string, samples = music): PlayStart => ({
  verb: 'play.start',
  legId,
  playId,
  samples: samples.slice(),
  rateHz: 8000,
});
const ended = (legId: string, playId: string): WorkerMessage => ({
  kind: 'event',
  event: { event: 'play.ended', legId, playId, reason: 'finished', playedMs: 1 },
});
const refusal = (id: number): WorkerMessage => ({
  kind: 'refusal',
  id,
  error: { code: 'NOT_FOUND', message: 'no leg' },
});

describe('PromptStore', () => {
  let store: PromptStore;
  beforeEach(() => {
    store = new PromptStore(3000);
  });

  it('keeps the same audio once, until the last of its prompts has ended', () => {
    const [a, b] = [store.keep(1, play('a', 'p')), store.keep(2, play('b', 'p'))];
    assert.deepEqual(a.samples, new Int16Array(a.samples.buffer));
    assert.deepEqual([...a.samples], [...music]);
    assert.ok(a.samples.buffer instanceof SharedArrayBuffer);
    assert.equal(b.samples.buffer, a.samples.buffer);
    assert.equal(store.bytes, 2000);
    store.observe(ended('a', 'p'));
    store.observe(ended('a', 'p'));
    assert.equal(store.bytes, 2000);
    store.observe(ended('b', 'p'));
    assert.equal(store.bytes, 0);
  });

  it('keeps a notice until its recording has ended or it was refused, once with the prompts that are the same', () => {
    const notice = (recordingId: string) =>
      ({ verb: 'recording.notice', recordingId, audio: { samples: music.slice(), rateHz: 8000 } }) as const;
    const recordingEnded = (recordingId: string): WorkerMessage => ({
      kind: 'event',
      event: { event: 'recording.ended', recordingId, roomId: 'room', reason: 'stopped' },
    });
    const { samples } = store.keep(1, play('a', 'r'));
    const { audio } = store.keepNotice(2, notice('r'));
    assert.ok('samples' in audio && audio.samples.buffer === samples.buffer);
    assert.throws(() => store.keepNotice(3, notice('r')), { code: 'CONFLICT' });
    store.observe(ended('a', 'r'));
    assert.equal(store.bytes, 2000);
    store.observe(recordingEnded('other'));
    store.observe(recordingEnded('r'));
    assert.equal(store.bytes, 0);
    store.keepNotice(4, notice('r'));
    store.observe(refusal(4));
    const failed = { verb: 'recording.notice', recordingId: 'r', audio: { failure: 'x' } } as const;
    assert.equal(store.keepNotice(5, failed), failed);
    assert.equal(store.bytes, 0);
  });

  it('keeps the audio of a part of a larger array, and no more', () => {
    const { samples } = store.keep(1, { ...play('a', 'p'), samples: music.subarray(100, 110) });
    assert.deepEqual([...samples], [...music.subarray(100, 110)]);
    assert.equal(store.bytes, 20);
  });

  it('forgets what the tick thread refused, and nothing for other answers', () => {
    store.keep(1, play('a', 'p'));
    store.observe({ kind: 'reply', id: 1, reply: {} });
    store.observe(refusal(1));
    store.keep(2, play('b', 'q', other));
    assert.equal(store.bytes, 3000);
    store.observe(refusal(3));
    store.observe(refusal(2));
    store.observe({ kind: 'finished' });
    assert.equal(store.bytes, 2000);
  });

  it('refuses a prompt that plays, and different audio beyond its bound', () => {
    store.keep(1, play('a', 'p'));
    assert.throws(() => store.keep(2, play('a', 'p', other)), { code: 'CONFLICT' });
    store.keep(3, play('a', 'q', other));
    assert.throws(() => store.keep(4, play('a', 'r', Int16Array.of(1))), { code: 'PROMPTS_EXHAUSTED' });
    store.keep(5, play('b', 'r', other));
    store.observe(ended('a', 'p'));
    store.keep(6, play('a', 'p', Int16Array.of(1)));
    assert.equal(store.bytes, 1002);
  });

  it('takes an end that comes before the answer to the start', () => {
    store.keep(1, play('a', 'p'));
    store.observe(ended('a', 'p'));
    store.observe({ kind: 'reply', id: 1, reply: {} });
    assert.equal(store.bytes, 0);
    store.keep(2, play('a', 'p'));
    assert.equal(store.bytes, 2000);
  });
});
