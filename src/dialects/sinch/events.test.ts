import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RecordingChanged, RecordingDelivery, RecordingTranscript } from '../../call/neutral-events.ts';
import { formatSinchEvent } from './events.ts';

const ofCall = { callId: 'call', applicationKey: 'app', notify: true, failures: false };
const ofConference = { conferenceId: 'room', applicationKey: 'app', notify: true, failures: false };
const shared = {
  ...{ accountId: 'account', conversationId: 'c', conferenceName: '', recordingId: 'r' },
  ...{ connectionId: 'leg', controlId: undefined, clientState: undefined, format: 'mp3' },
} as const;

function changed(state: RecordingChanged['state'], dialectData: object = ofCall, more: object = {}) {
  const event = {
    ...{ kind: 'recording.changed', ...shared, state, dialectData },
    ...{ direction: 'both', stereo: false, atMs: 0, consents: [], notices: [] },
    ...more,
  };
  return formatSinchEvent(event as unknown as RecordingChanged);
}

function delivered(state: RecordingDelivery['state'], dialectData: object = ofCall, more: object = {}) {
  const event = { kind: 'recording.delivery', ...shared, deliveryId: 'd', state, dialectData, attempts: 1 };
  const destination = 's3://bucket/file.mp3';
  return formatSinchEvent({ ...event, destination, ...more } as unknown as RecordingDelivery);
}

function transcribed(state: RecordingTranscript['state'], dialectData: object = ofCall, more: object = {}) {
  const event = { kind: 'recording.transcript', ...shared, state, dialectData, locale: 'en-US', ...more };
  return formatSinchEvent(event as unknown as RecordingTranscript);
}

describe('what applications are told of transcripts', () => {
  const file = { destination: 's3://bucket/file-transcript.json' };

  it('that they are there, of a call and of a conference', () => {
    const available = { event: 'notify', version: 1, type: 'transcription_available', ...file };
    assert.deepEqual(transcribed('done', ofCall, file), { ...available, callid: 'call' });
    assert.deepEqual(transcribed('done', ofConference, file), { ...available, conferenceId: 'room' });
  });

  it('why there will be none', () => {
    for (const [code, errorCode] of [
      ['TRANSCRIPTION_LOCALE_UNSUPPORTED', 40001],
      ['TRANSCRIPTION_MODEL_BROKEN', 50000],
    ])
      assert.deepEqual(transcribed('dead', ofCall, { error: { code, message: 'no such model' } }), {
        ...{ event: 'notify', version: 1, callid: 'call', type: 'callingwarning', errorCode },
        errorMsg: 'there is no transcript: no such model',
      });
  });

  it('nothing where that is not wanted, or nothing was delivered', () => {
    const quiet = { ...ofCall, notify: false };
    assert.equal(transcribed('done', quiet, file), undefined);
    assert.equal(transcribed('dead', quiet), undefined);
    assert.equal(transcribed('done'), undefined);
  });
});

describe('what applications are told of recordings', () => {
  it('of a call, and of a conference, which has no callid at all', () => {
    const head = { event: 'notify', version: 1 };
    assert.deepEqual(changed('finished'), { ...head, callid: 'call', type: 'recording_finished' });
    const destination = 's3://bucket/file.mp3';
    const available = { type: 'recording_available', destination };
    assert.deepEqual(delivered('delivered'), { ...head, callid: 'call', ...available });
    assert.deepEqual(changed('finished', ofConference), {
      ...{ ...head, conferenceId: 'room', type: 'recording_finished' },
    });
    assert.deepEqual(delivered('delivered', ofConference), { ...head, conferenceId: 'room', ...available });
  });

  it('in our own store it is told by where it is fetched', () => {
    const own = { ...ofCall, baseUrl: 'https://callreel.example' };
    assert.equal(
      delivered('delivered', own, { destination: 'sdrive://a b.mp3' })?.destination,
      'https://callreel.example/calling/v1/recording/a%20b.mp3',
    );
  });

  it('nothing while it runs, and nothing at all where that is not wanted', () => {
    for (const state of ['recording', 'paused'] as const) assert.equal(changed(state), undefined);
    const quiet = { ...ofCall, notify: false, failures: true };
    for (const state of ['finished', 'error', 'no_input'] as const)
      assert.equal(changed(state, quiet), undefined);
    for (const state of ['delivered', 'failing', 'dead'] as const)
      assert.equal(delivered(state, quiet), undefined);
    const ended = {
      kind: 'conversation.ended',
      accountId: '',
      conversationId: '',
      conferenceName: '',
    } as const;
    assert.equal(formatSinchEvent({ ...ended, startedUnixMs: 0, endedUnixMs: 0, recordings: [] }), undefined);
  });

  it('failures, where they are asked for, in the words of the storage', () => {
    const failures = { ...ofCall, failures: true };
    const error = { code: 'DESTINATION_REFUSED', message: 'AccessDenied, 403' };
    assert.equal(delivered('failing', ofCall, { error }), undefined);
    assert.deepEqual(delivered('failing', failures, { error }), {
      ...{ event: 'notify', callid: 'call', version: 1, type: 'recording_failed' },
      ...{ errorMsg: 'AccessDenied, 403; it is tried again', destination: 's3://bucket/file.mp3' },
    });
    assert.match(String(delivered('dead', failures, { error })?.errorMsg), /; given up$/);
    assert.equal(changed('error'), undefined);
    assert.equal(changed('error', failures)?.type, 'recording_failed');
  });

  it('what a crash cut off is finished, where something of it is left', () => {
    const end = { reason: 'interrupted', file: { durationSeconds: 1, bytes: 44 } };
    assert.equal(changed('error', ofCall, { end })?.type, 'recording_finished');
  });

  it('of nobody knows whom, nothing', () => {
    assert.equal(changed('finished', {}), undefined);
    assert.equal(changed('finished', { callId: 4, notify: true }), undefined);
  });
});
