import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { CallreelError } from '../errors.ts';
import type { Command } from '../media/control.ts';
import type { MediaWorker } from '../worker/media-worker.ts';
import { type GivenConsent, Recording } from './recording.ts';
import { RecordingReports } from './recording-reports.ts';

const of = { recordingId: 'r', roomId: 'room' };
const given = (consentId: string): GivenConsent => ({ consentId, method: 'voice', who: 'a', at: '' });

/** In the order in which it happened. */
let happened: string[];
let refuses: boolean;
let recording: Recording;
let reports: RecordingReports;

beforeEach(() => {
  happened = [];
  refuses = false;
  const send = async ({ verb }: Command) => {
    if (verb === 'recording.start') return;
    happened.push(verb);
    if (refuses) throw new CallreelError('NOT_FOUND', 'no such party', { where: 'x' });
  };
  recording = new Recording({
    ...{ recordingId: 'r', conversationId: 'room', accountId: 'account', rateHz: 8000, meta: {}, wishes: {} },
    ...{ key: { plain: '', sealed: '' }, worker: { send } as unknown as MediaWorker },
  });
  recording.start();
  reports = new RecordingReports({
    recordingEvidence: async ({ consents, heardNotices }) => {
      happened.push(`${consents.length} consents, ${heardNotices.length} notices on record`);
    },
    recordingProgressed: ({ activity }, conferenceName, atSample) => {
      happened.push(`${activity} at ${atSample} in ${conferenceName}`);
    },
  });
});

test('what the worker says of a recording is taken over before it is put on record', () => {
  reports.take({ ...of, event: 'recording.started', atSample: 160 }, recording, 'room');
  reports.take({ ...of, event: 'recording.paused', atSample: 320 }, recording, 'room');
  reports.take({ ...of, event: 'recording.resumed', atSample: 480 }, recording, '');
  const notice = { connectionId: 'c', atSample: 0, playedMs: 1, lengthMs: 2, outcome: 'partial' as const };
  reports.take({ ...of, event: 'recording.noticed', notice }, recording, 'room');
  assert.deepEqual(happened, [
    'recording at 160 in room',
    'paused at 320 in room',
    'recording at 480 in ',
    '0 consents, 1 notices on record',
  ]);
  reports.take({ ...of, event: 'recording.ended', reason: 'max_length' }, recording, 'room');
  assert.equal(recording.endReason, 'max_length');
  assert.equal(happened.length, 4, 'its end is put on record with the files');
});

test('a consent is on record before the recording follows it, and its effect afterwards', async () => {
  await reports.consent(recording, given('one'));
  assert.deepEqual(happened, ['1 consents, 0 notices on record', 'recording.consent']);
  const consent = { consentId: 'one', atSample: 800, connectionIds: ['c'], clips: [] };
  reports.take({ ...of, event: 'recording.consented', consent }, recording, 'room');
  assert.deepEqual(recording.consents[0]?.effect, consent);
  assert.equal(happened.length, 3);
});

test('a consent that nothing came of is taken off the record again', async () => {
  await reports.consent(recording, given('one'));
  refuses = true;
  await assert.rejects(reports.consent(recording, given('two')), { code: 'NOT_FOUND' });
  assert.deepEqual(
    recording.consents.map(({ consentId }) => consentId),
    ['one'],
  );
  assert.equal(happened.at(-1), '1 consents, 0 notices on record');
});

test('a recording has at most 1000 consents', async () => {
  recording.consents.push(...Array.from({ length: 1000 }, (_, index) => given(`${index}`)));
  await assert.rejects(reports.consent(recording, given('more')), { code: 'CONFLICT', where: 'r' });
  assert.equal(recording.consents.length, 1000);
  assert.deepEqual(happened, []);
});
