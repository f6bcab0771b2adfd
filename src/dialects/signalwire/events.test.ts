import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkSigner } from '../../auth/signed-link.ts';
import type { RecordingChanged } from '../../call/neutral-events.ts';
import { FakeClock } from '../../clock.ts';
import { Secret } from '../../secret.ts';
import { signalwireFormatters } from './events.ts';
import { identityOf } from './identity.ts';
import { RecordingLinks } from './recording-link.ts';

const clock = new FakeClock({ unixMs: 1_640_000_000_123 });
const identity = identityOf('account', 'local');
const links = new RecordingLinks(new LinkSigner(new Secret('k')), clock);
const format = signalwireFormatters({ clock, identity, links }).signalwire;
const event: RecordingChanged = {
  kind: 'recording.changed',
  accountId: 'account',
  conversationId: 'c',
  conferenceName: '',
  recordingId: 'aaaa',
  state: 'recording',
  connectionId: 'leg',
  controlId: 'main',
  clientState: undefined,
  dialectData: { channel: 'swml:s', baseUrl: 'https://space.example' },
  direction: 'both',
  format: 'wav',
  stereo: false,
  atMs: 0,
  consents: [],
  notices: [],
};
const end = {
  reason: 'stopped',
  digit: undefined,
  startMs: 0,
  recordedMs: 15_500,
  startedUnixMs: 1_640_000_000_000,
  endedUnixMs: 1_640_000_015_500,
  file: { durationSeconds: 15.5, bytes: 248_320 },
};
const paramsOf = (changed: RecordingChanged) => format(changed)!.params as Record<string, unknown>;
const url = links.url('https://space.example', 'aaaa');

test('W18-W22 what runs: the url, and nothing of a file', () =>
  assert.deepEqual(format(event), {
    event_type: 'calling.call.record',
    event_channel: 'swml:s',
    timestamp: 1_640_000_000.123,
    project_id: 'account',
    space_id: identity.spaceId,
    params: {
      call_id: 'leg',
      node_id: identity.nodeId,
      control_id: 'main',
      state: 'recording',
      recording_id: 'aaaa',
      url,
    },
  }));

test('W24-W26 X4 X5 what ended: both forms, the real format', () => {
  const body = format({ ...event, state: 'finished', format: 'mp4', end });
  const file = { url, duration: 15.5, size: 248_320, format: 'mp4' };
  assert.deepEqual(body?.params, {
    call_id: 'leg',
    node_id: identity.nodeId,
    control_id: 'main',
    state: 'finished',
    recording_id: 'aaaa',
    ...file,
    start_time: 1_640_000_000,
    end_time: 1_640_000_015.5,
    record: { ...file, audio: { format: 'mp4', direction: 'both', stereo: false } },
  });
});

test('W23 a recording that never came to life has no file', () => {
  const params = paramsOf({ ...event, state: 'error', end: { ...end, reason: 'error', file: undefined } });
  assert.equal(params.state, 'error');
  assert.equal('record' in params, false);
  assert.equal('duration' in params, false);
});

test('a pause says how it sounds; a tone over it is silence to the vendor', () => {
  const behaviourOf = (pauseBehaviour: 'skip' | 'silence' | 'mask') =>
    paramsOf({ ...event, state: 'paused', pauseBehaviour }).pause_behavior;
  assert.deepEqual(
    [behaviourOf('skip'), behaviourOf('silence'), behaviourOf('mask')],
    ['skip', 'silence', 'silence'],
  );
});

test('a conference is told what its callback asked for: the end, however it came, unless it named others', () => {
  const told = (status_events?: string[]) =>
    (['recording', 'paused', 'finished', 'no_input', 'error'] as const).filter(
      (state) =>
        format({
          ...event,
          state,
          dialectData: { method: 'join_conference', ...(status_events && { status_events }) },
        }) !== undefined,
    );
  assert.deepEqual(told(), ['finished', 'no_input', 'error']);
  assert.deepEqual(told(['in-progress']), ['recording', 'paused']);
  assert.deepEqual(told(['in-progress', 'absent']), ['recording', 'paused', 'no_input', 'error']);
});

test('the recording of a conference of which no audio came is absent, where one of a call is finished', () => {
  const silent = { ...event, state: 'finished' as const, end: { ...end, reason: 'no_media' } };
  const ofConference = (...status_events: string[]) => ({
    ...{ ...silent, connectionId: undefined, controlId: undefined },
    dialectData: { method: 'join_conference', status_events },
  });
  assert.equal(paramsOf(silent).state, 'finished');
  const { state, status } = paramsOf(ofConference('absent'));
  assert.deepEqual([state, status], ['no_input', 'record-stop']);
  assert.equal(format(ofConference('completed')), undefined);
});
