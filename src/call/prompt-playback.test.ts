import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import { PromptPlayback } from './prompt-playback.ts';

function workerThat(send: () => Promise<unknown>): MediaWorker {
  return { send } as unknown as MediaWorker;
}

test('a prompt that the worker refuses has ended, and says why', async () => {
  const full = new CallreelError('PROMPTS_EXHAUSTED', 'no room');
  const prompts = new PromptPlayback('leg');
  const playback = prompts.start(
    workerThat(() => Promise.reject(full)),
    new Int16Array(160),
    8000,
  );
  assert.equal(await playback.ended, 'stopped');
  assert.equal(playback.refusal, full);
});

test('a leg that closes ends what it plays, which is no refusal', async () => {
  const prompts = new PromptPlayback('leg');
  const playback = prompts.start(
    workerThat(() => Promise.resolve()),
    new Int16Array(160),
    8000,
  );
  prompts.close();
  assert.equal(await playback.ended, 'leg-closed');
  assert.equal(playback.refusal, undefined);
});
