import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDestinationUrl } from './destination-url.ts';
import { generatedFileName, keyAt, nameWarning } from './object-name.ts';

const startedAtMs = Date.UTC(2018, 0, 1, 0, 0, 59, 999);
const recording = {
  startedAtMs,
  applicationKey: '01234567-89ab-cdef-fedc-ba9876543210',
  id: '11234567-89ab-cdef-fedc-ba9876543210',
  format: 'mp3',
  ordinal: 1,
};

test('a generated name says when the recording began, in UTC, and of what it is', () => {
  assert.equal(
    generatedFileName(recording),
    '20180101000059_01234567-89ab-cdef-fedc-ba9876543210_11234567-89ab-cdef-fedc-ba9876543210.mp3',
  );
});

test('no two generated names are the same', () => {
  const ids = ['a', 'a~2', 'a%7E2', 'a/b', 'a_b', 'a%2Fb', '..', '%2E%2E', 'A', '\ud800', '\ud801', '\ufffd'];
  const long = 'x'.repeat(500);
  const names = [...ids, long, `${long}y`, `${long}z`].flatMap((id) =>
    [1, 2, 3].map((ordinal) => generatedFileName({ ...recording, id, ordinal })),
  );
  assert.equal(new Set(names).size, names.length);
  for (const name of names) {
    assert.match(name, /^20180101000059_[\w%.~()!*'-]+\.mp3$/);
    assert.ok(name.length < 500);
  }
});

test('a name in the URL is kept, a folder takes the generated one', () => {
  const key = (url: string) => keyAt(parseDestinationUrl(url), 'made.mp3');
  assert.equal(key('s3://bucket'), 'made.mp3');
  assert.equal(key('s3://bucket/'), 'made.mp3');
  assert.equal(key('s3://bucket/folder/'), 'folder/made.mp3');
  assert.equal(key('s3://bucket/voice-recordings/my-recording.mp3'), 'voice-recordings/my-recording.mp3');
  assert.equal(key('azure://account/container/a/'), 'a/made.mp3');
  assert.equal(key('sdrive://folder/'), 'made.mp3');
  assert.equal(key('file:///srv/'), '/srv/made.mp3');
  assert.throws(() => key(`s3://bucket/${'ü'.repeat(600)}`), { code: 'DESTINATION_INVALID' });
});

test('a name that says another format is kept, with a warning', () => {
  const warning = (url: string, format: string) => nameWarning(parseDestinationUrl(url), format);
  assert.equal(warning('s3://bucket/my.mp3', 'mp3'), undefined);
  assert.equal(warning('s3://bucket/my.MP3', 'mp3'), undefined);
  assert.equal(warning('s3://bucket/folder.x/', 'mp3'), undefined);
  assert.equal(warning('s3://bucket', 'wav'), undefined);
  assert.match(warning('s3://bucket/a.b/my.mp3', 'wav') ?? '', /"my.mp3" holds wav/);
  assert.match(warning('s3://bucket/folder', 'wav') ?? '', /"folder" is taken for the name/);
});
