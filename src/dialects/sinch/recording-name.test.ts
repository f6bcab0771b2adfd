import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generatedFileName, transcriptFileName } from './recording-name.ts';

describe('recording names', () => {
  const named = {
    startedUnixMs: Date.UTC(2018, 0, 1, 23, 5, 9, 999),
    applicationKey: '01234567-89ab-cdef-fedc-ba9876543210',
    id: '0a1b',
    format: 'mp3',
  } as const;

  it('S27, X9: fourteen digits of UTC, the key, the id, the format', () => {
    assert.equal(generatedFileName(named), '20180101230509_01234567-89ab-cdef-fedc-ba9876543210_0a1b.mp3');
  });

  it('two starts in one second have two names', () => {
    assert.match(generatedFileName({ ...named, ordinal: 2, format: 'wav' }), /_0a1b_2\.wav$/);
  });

  it('a conference named like a path opens no folder', () => {
    assert.match(generatedFileName({ ...named, id: 'a/room 1' }), /_a-room-1\.mp3$/);
    assert.doesNotMatch(generatedFileName({ ...named, id: '../../x' }), /\//);
  });

  it('S41: the transcript stands beside its recording', () => {
    assert.equal(transcriptFileName('s3://b/f/my-recording.mp3'), 's3://b/f/my-recording-transcript.json');
    assert.equal(transcriptFileName('folder.d/plain'), 'folder.d/plain-transcript.json');
  });
});
