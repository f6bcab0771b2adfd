import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Recording } from '../../database/schema.ts';
import { recordingBody } from './recording-body.ts';

function bodyOf(row: Partial<Recording>): Record<string, unknown> {
  const whole = {
    ...{ recordingId: 'r', accountId: 'a', conversationId: 'c', connectionId: null, rateHz: 8000 },
    ...{ startedAt: new Date(0), endedAt: new Date(2500), fileSamples: 20_000, state: 'ended' },
    ...{ reason: 'stopped', wishes: { options: { direction: 'speak' } }, ...row },
  };
  return recordingBody(whole as unknown as Recording, undefined, 'https://a.example/r');
}

test('what ended by a fault has failed, whatever fault it was', () => {
  for (const [state, reason, status, code] of [
    ['ended', 'stopped', 'completed', null],
    ['ended', 'no_media', 'completed', null],
    ['ended', 'error', 'failed', 'error'],
    ['ended', 'interrupted', 'failed', 'interrupted'],
    ['paused', null, 'paused', null],
    ['recording', null, 'in-progress', null],
  ] as const) {
    const body = bodyOf({ state, reason } as Partial<Recording>);
    assert.deepEqual([body.status, body.error_code], [status, code], `${state} ${reason}`);
  }
});

test('length, size, side, and what was recorded', () => {
  const { duration_in_seconds, byte_size, track, relay_conference_id } = bodyOf({});
  assert.deepEqual(
    [duration_in_seconds, byte_size, track, relay_conference_id],
    [3, 80 + 40_000, 'inbound', 'c'],
  );
  assert.equal(bodyOf({ connectionId: 'leg' }).relay_sip_leg_id, 'leg');
});
