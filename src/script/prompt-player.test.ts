import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Playback } from '../call/prompt-playback.ts';
import { FakeClock } from '../clock.ts';
import { CallreelError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import type { PlayEnd } from '../media/control.ts';
import { PromptPlayer } from './prompt-player.ts';
import { Prompts } from './prompts.ts';
import type { Prompt } from './verb.ts';

/** A worker that plays a part when it is told to. */
class Line {
  readonly id = 'leg';
  readonly queue: { samples: Int16Array; end(reason: PlayEnd): void }[] = [];
  readonly heard: number[] = [];
  mostQueued = 0;

  play(samples: Int16Array): Playback {
    const { promise, resolve } = Promise.withResolvers<PlayEnd>();
    const entry = { samples, end: resolve };
    this.queue.push(entry);
    this.mostQueued = Math.max(this.mostQueued, this.queue.length);
    const stop = () => {
      this.queue.splice(this.queue.indexOf(entry), 1);
      resolve('stopped');
    };
    return { ended: promise, refusal: undefined, stop };
  }

  /** The first part comes to its end. */
  async finish(): Promise<void> {
    const entry = this.queue.shift();
    if (entry) this.heard.push(entry.samples.length);
    entry?.end('finished');
    await settled();
  }
}

/** Whatever promises had to do is done. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function playerOf(load: (url: string) => Promise<Int16Array>) {
  const clock = new FakeClock();
  const loaded: string[] = [];
  const audioSource = {
    load: async ({ url }: { url: string }) => {
      loaded.push(url);
      return { samples: await load(url), rateHz: 8000 as const };
    },
  };
  const prompts = new Prompts({
    audioSource,
    textToSpeech: { speak: () => assert.fail() },
    log: silentLogger,
  });
  return { player: new PromptPlayer({ prompts, clock, log: silentLogger }), loaded, clock };
}

const urls = (count: number): Prompt[] =>
  Array.from({ length: count }, (_, n) => ({ kind: 'url', url: String(n + 1) }));
const samplesOf = async (url: string) => new Int16Array(Number(url));

test('a list is loaded and queued a little ahead, and heard in order', async () => {
  const { player, loaded, clock } = playerOf(samplesOf);
  const line = new Line();
  const played = player.play(line, urls(100), new AbortController().signal);
  await settled();
  assert.ok(loaded.length < 30, `${loaded.length} were loaded`);
  for (let n = 0; n < 100; n++) await line.finish();
  assert.equal(await played, undefined);
  assert.deepEqual(
    line.heard,
    Array.from({ length: 100 }, (_, n) => n + 1),
  );
  assert.equal(line.mostQueued, 17);
  assert.equal(clock.pendingTimers, 0);
});

test('of what is long one part waits, and nothing that the worker would refuse', async () => {
  const minute = 60 * 8000;
  const { player } = playerOf(async () => new Int16Array(20 * minute));
  const line = new Line();
  const played = player.play(
    line,
    [{ kind: 'silence', durationMs: 60_000 }, ...urls(3)],
    new AbortController().signal,
  );
  await settled();
  assert.deepEqual(
    line.queue.map(({ samples }) => samples.length / minute),
    [1 / 3, 1 / 3, 1 / 3],
  );
  await line.finish();
  await line.finish();
  assert.equal(line.queue.length, 2);
  await line.finish();
  assert.equal(line.queue.length, 1, 'two of 20 minutes are more than a worker takes');
  for (let n = 0; n < 3; n++) await line.finish();
  assert.equal(await played, undefined);
});

test('what can not be had is left out, and the first of it reported', async () => {
  const { player } = playerOf(async (url) => {
    if (url === '2') throw new CallreelError('AUDIO_INVALID', 'no audio');
    if (url === '3') throw new CallreelError('AUDIO_TOO_LONG', 'endless');
    return new Int16Array(Number(url));
  });
  const line = new Line();
  const played = player.play(line, urls(4), new AbortController().signal);
  await settled();
  await line.finish();
  await line.finish();
  assert.equal((await played)?.code, 'AUDIO_INVALID');
  assert.deepEqual(line.heard, [1, 4]);
});

test('a short first one waits a little for the next, and no longer', async () => {
  const { player, clock } = playerOf((url) =>
    url === '1' ? samplesOf(url) : Promise.withResolvers<Int16Array>().promise,
  );
  const line = new Line();
  const given = new AbortController();
  const played = player.play(line, urls(2), given.signal);
  await settled();
  assert.equal(line.queue.length, 0);
  clock.advanceMs(999);
  await settled();
  assert.equal(line.queue.length, 0);
  clock.advanceMs(1);
  await settled();
  assert.equal(line.queue.length, 1);
  given.abort();
  await line.finish();
  void played;
});

test('a long first one waits for nothing', async () => {
  const { player, clock } = playerOf((url) =>
    url === '1' ? Promise.resolve(new Int16Array(16_000)) : Promise.withResolvers<Int16Array>().promise,
  );
  const line = new Line();
  void player.play(line, urls(2), new AbortController().signal);
  await settled();
  assert.deepEqual([line.queue.length, clock.pendingTimers], [1, 0]);
});

test('a loop goes round without loading again, until it is given up', async () => {
  const { player, loaded } = playerOf(samplesOf);
  const line = new Line();
  const given = new AbortController();
  const played = player.play(line, urls(2), given.signal, { loop: true });
  await settled();
  for (let n = 0; n < 5; n++) await line.finish();
  assert.deepEqual(line.heard, [1, 2, 1, 2, 1]);
  assert.deepEqual(loaded, ['1', '2']);
  given.abort();
  assert.equal(await played, undefined);
  assert.deepEqual(line.queue, []);
});

test('a loop of nothing comes to its end', async () => {
  const { player } = playerOf(() => Promise.reject(new CallreelError('AUDIO_INVALID', 'no audio')));
  const played = player.play(new Line(), urls(2), new AbortController().signal, { loop: true });
  assert.equal((await played)?.code, 'AUDIO_INVALID');
});
