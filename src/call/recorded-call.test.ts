import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Leg } from './leg.ts';
import { RecordedCall } from './recorded-call.ts';
import { Recording } from './recording.ts';

const leg = {
  id: 'leg',
  connection: { connectionId: 'leg', accountId: 'account', from: 'a', to: 'b', direction: 'incoming' },
} as unknown as Leg;
const worker = { send: async () => ({}) } as unknown as MediaWorker;

test('a call knows its recordings until their ends are on record, however many it has', async () => {
  let made = 0;
  const call: RecordedCall = new RecordedCall({
    ...{ leg, worker, startedUnixMs: 0 },
    recordings: {
      create: ({ conversationId, accountId }, wishes, capture) =>
        new Recording({
          ...{ recordingId: `r${made++}`, conversationId, accountId, rateHz: 8000, worker, meta: {}, wishes },
          ...{ key: { plain: '', sealed: '' }, call: capture },
        }),
    },
  });
  const lasting = call.addRecording({});
  for (let i = 0; i < 100; i++) {
    const recording = call.addRecording({});
    recording.stop();
    recording.markEnded('stopped');
    assert.deepEqual(call.recordings, [lasting, recording], 'its end is not on record yet');
    recording.markWritten();
    await recording.whenWritten;
    assert.deepEqual(call.recordings, [lasting]);
  }
});
