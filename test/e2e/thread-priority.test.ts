import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { test } from 'node:test';
import { noise } from '../../src/testkit/noise.ts';
import { channelFrom } from './channel-audio.ts';
import { Scene } from './scene.ts';
import { TemporaryDataDir } from './temporary-data-dir.ts';

/** Of the threads of this process, in which the server runs; names are cut to 15 characters (proc(5)). */
function nicenessOf(threadName: string): number[] {
  return readdirSync('/proc/self/task').flatMap((thread) => {
    try {
      const name = readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trimEnd();
      return name === threadName ? [getPriority(Number(thread))] : [];
    } catch {
      // It has ended since.
      return [];
    }
  });
}

test('threads that write, render and measure files stand back for media and signalling', async () => {
  using files = new TemporaryDataDir();
  await using scene = await Scene.open({ settings: { CALLREEL_RECORDING_FILES_DIRECTORY: files.path } });
  const call = await scene.call([scene.join('files', { do_record: true })]);
  await call.play(noise({ samples: 8000, seed: 1 }));
  await call.hangUp();
  const conversation = await scene.endedConversation({ conference_name: 'files' });
  const { audio } = channelFrom(conversation, call);
  // Whole: heads are made by the thread for WAV.
  for (const url of [audio.wav_file, audio.mp3_file])
    assert.ok((await (await fetch(url)).arrayBuffer()).byteLength > 2000);
  const [own] = nicenessOf('node-MainThread');
  for (const [name, niceness] of [
    ['file thread', 19],
    ['quality thread', 19],
    ['render thread', 15],
    ['render thread (', 19],
  ] as const) {
    const found = nicenessOf(name);
    assert.ok(found.length > 0, name);
    assert.ok(
      found.every((each) => each === Math.max(niceness, own ?? 0)),
      `${name}: ${found.join(', ')}`,
    );
  }
});
