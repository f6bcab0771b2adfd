import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { FakeClock } from '../clock.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import type { Leg, LegHandlers } from './leg.ts';
import { RecordedCalls } from './recorded-calls.ts';
import { Recording } from './recording.ts';

const worker = { send: async () => ({}) } as unknown as MediaWorker;
let made = 0;
let calls: RecordedCalls;

function callOf(id: string, known: { worker?: MediaWorker; ended?: boolean } = { worker }) {
  const handlers: LegHandlers[] = [];
  const connection = { connectionId: id, accountId: 'account', from: 'a', to: 'b', direction: 'incoming' };
  const leg = { id, connection, ...known, addHandlers: (added: LegHandlers) => handlers.push(added) };
  const hangUp = () => {
    for (const { ended } of handlers) ended?.({ by: 'peer' } as never);
  };
  return { leg: leg as unknown as Leg, hangUp };
}

beforeEach(() => {
  made = 0;
  calls = new RecordedCalls(new FakeClock(), {
    create: ({ conversationId, accountId }, wishes, call) =>
      new Recording({
        ...{ recordingId: `r${made++}`, conversationId, accountId, rateHz: 8000, worker, meta: {}, wishes },
        ...{ key: { plain: '', sealed: '' }, call },
      }),
  });
});

test('all recordings of a call are in one room, those of another call in another', () => {
  const first = callOf('first');
  const recordings = [calls.record(first.leg, {}), calls.record(first.leg, {})];
  const other = calls.record(callOf('other').leg, {});
  assert.equal(recordings[0]?.conversationId, recordings[1]?.conversationId);
  assert.notEqual(other.conversationId, recordings[0]?.conversationId);
  assert.deepEqual(calls.running('first'), recordings);
  recordings[0]?.stop();
  assert.deepEqual(calls.running('first'), recordings.slice(1), 'what is being stopped does not run');
  assert.deepEqual(calls.running('nobody'), []);
});

test('a call that hung up is known until the ends of all its recordings are on record', async () => {
  const { leg, hangUp } = callOf('leg');
  const recordings = [calls.record(leg, {}), calls.record(leg, {})];
  const room = recordings[0]?.conversationId ?? '';
  hangUp();
  for (const recording of recordings) {
    assert.deepEqual(
      calls.all.map(({ conversationId }) => conversationId),
      [room],
    );
    recording.markEnded('call_ended');
    recording.markWritten();
    await recording.whenWritten;
  }
  await new Promise(setImmediate);
  assert.deepEqual(calls.all, []);
  assert.equal(calls.room(room), undefined);
});

test('a call without media cannot be recorded', () => {
  for (const known of [{}, { worker, ended: true }])
    assert.throws(() => calls.record(callOf('leg', known).leg, {}), { code: 'CONFLICT', where: 'leg' });
  assert.deepEqual(calls.all, []);
});
