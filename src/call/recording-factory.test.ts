import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Directory } from './directory.ts';
import type { RecordableRoom } from './recordable-room.ts';
import type { Recording } from './recording.ts';
import { maxRecordings, maxRunningRecordings, RecordingFactory } from './recording-factory.ts';
import type { RecordingKeys } from './recording-keys.ts';

/** A room whose recordings are nowhere but here. */
function emptyRoom() {
  const recordings: Recording[] = [];
  const factory = new RecordingFactory({
    directory: { recordingStarted: () => undefined } as unknown as Directory,
    closer: { follow: () => undefined },
    keys: { create: () => ({ plain: '', sealed: '' }) } as unknown as RecordingKeys,
    rateHz: 8000,
    rateHzOf: () => 8000,
  });
  const room: RecordableRoom = {
    ...{ conversationId: 'c', accountId: 'a', name: '', dialect: 'native', startedUnixMs: 0 },
    worker: { send: async () => ({}) } as unknown as MediaWorker,
    eventCallbacks: new Set(),
    members: [],
    recordings,
  };
  const start = (): Recording => {
    const recording = factory.create(room, {});
    recordings.push(recording);
    recording.start();
    return recording;
  };
  return { start };
}

test('no more than so many run at once; one that was stopped makes room', () => {
  const { start } = emptyRoom();
  const started = Array.from({ length: maxRunningRecordings }, start);
  assert.throws(start, { code: 'TOO_MANY_RECORDINGS' });
  started[0]!.stop();
  start();
  assert.throws(start, { code: 'TOO_MANY_RECORDINGS' });
});

test('there are no more than so many in all, each room by itself', () => {
  const { start } = emptyRoom();
  for (let made = 0; made < maxRecordings; made++) start().stop();
  assert.throws(start, { code: 'TOO_MANY_RECORDINGS' });
  emptyRoom().start();
});
