import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileNameOf } from './file-name.ts';

test('the moment it began in UTC, the recording, what is in it, and the format', () => {
  const recording = { recordingId: '77aa0c1d2e3f4a5b', startedAt: new Date('2026-09-14T10:30:00.999+02:00') };
  assert.equal(fileNameOf(recording, 'stereo', 'mp4'), '20260914T083000Z-77aa0c1d2e3f4a5b-stereo.mp4');
});
