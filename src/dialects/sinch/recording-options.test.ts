import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from './fields.ts';
import { Problems } from './problems.ts';
import { type RecordingRules, readRecordingOptions } from './recording-options.ts';

const s3 = { destinationUrl: 's3://bucket/', credentials: 'AKIAIOSFODNN7EXAMPLE:wJalr/+K7:eu-central-1' };

function read(given: Record<string, unknown>, rules?: RecordingRules) {
  const problems = new Problems();
  const options = readRecordingOptions(new Fields(given, [], problems), rules);
  return { options, problems: problems.all.map(({ severity, code, path }) => `${severity} ${code} ${path}`) };
}

describe('recordingOptions', () => {
  it('S19, S20: destination and credentials are kept as they were given', () => {
    const { options, problems } = read(s3);
    assert.deepEqual(problems, []);
    assert.equal(options?.destination?.url, 's3://bucket/');
    assert.equal(options.destination.credentials?.reveal(), s3.credentials);
    assert.doesNotMatch(JSON.stringify(options), /wJalr/);
  });

  it('S21: mp3 unless wav is wanted, nothing else', () => {
    assert.equal(read(s3).options?.format, 'mp3');
    assert.equal(read({ ...s3, format: 'wav' }).options?.format, 'wav');
    assert.equal(read({ ...s3, format: 'MP3' }).options?.format, 'mp3');
    for (const format of ['ogg', '', 5, ['wav', 'mp3']])
      assert.deepEqual(read({ ...s3, format }), { options: undefined, problems: ['error 40001 format'] });
  });

  it('S22, S51: notificationEvents is true unless it is false, also as a text', () => {
    const events = (notificationEvents?: unknown) =>
      read({ ...s3, notificationEvents }).options?.notificationEvents;
    assert.deepEqual(
      [events(), events(true), events('true'), events(false), events('False')],
      [true, true, true, false, false],
    );
    assert.deepEqual(read({ ...s3, notificationEvents: 'yes' }).problems, ['error 40001 notificationEvents']);
  });

  it('S23, S24: transcriptions in every locale, off unless enabled', () => {
    assert.equal(read({ ...s3, transcriptionOptions: { enabled: false } }).options?.transcription, undefined);
    assert.equal(
      read({ ...s3, transcriptionOptions: { locale: 'en-US' } }).options?.transcription,
      undefined,
    );
    for (const locale of ['en-US', 'gd_GB', 'en-AB', 'en-WL']) {
      const { options, problems } = read({ ...s3, transcriptionOptions: { enabled: true, locale } });
      assert.deepEqual(options?.transcription, { locale });
      assert.deepEqual(problems, []);
    }
  });

  it('S26, S30, S36, S38: schemes, and which of them need credentials', () => {
    for (const url of ['s3://b/f', 'azure://account/container/f.mp3', 'gs://b/f', 'S3://b']) {
      assert.deepEqual(read({ destinationUrl: url, credentials: 'a:b' }).problems, []);
      for (const credentials of [undefined, ''])
        assert.equal(read({ destinationUrl: url, credentials }).options, undefined);
      assert.deepEqual(read({ destinationUrl: url }).problems, ['error 40002 credentials']);
    }
    for (const url of ['sdrive://my-recording.mp3', 'file:///var/recordings/'])
      assert.deepEqual(read({ destinationUrl: url }).problems, []);
    for (const destinationUrl of ['https://my-server.com/recordings', 'bucket/file', 'ftp://a/b', 's3:/b', 7])
      assert.deepEqual(read({ destinationUrl, credentials: 'a:b:c' }).problems, [
        'error 40001 destinationUrl',
      ]);
  });

  it('S5: without a destination only where there is a store of ours', () => {
    assert.deepEqual(read({}).problems, ['error 40002 destinationUrl']);
    const { options, problems } = read({ format: 'wav' }, { hasDefaultStore: true });
    assert.deepEqual(problems, []);
    assert.equal(options?.destination, undefined);
  });

  it('X11: the older name of the destination', () => {
    assert.equal(
      read({ ...s3, destinationUrl: undefined, destination: 's3://b/' }).options?.destination?.url,
      's3://b/',
    );
  });

  it('X13: the format decides, the name is kept, a warning says so', () => {
    const { options, problems } = read({ ...s3, destinationUrl: 's3://b/f/my.mp3', format: 'wav' });
    assert.deepEqual(problems, ['warning 40003 destinationUrl']);
    assert.equal(options?.destination?.url, 's3://b/f/my.mp3');
    assert.equal(options.format, 'wav');
    for (const url of ['s3://my.mp3', 's3://b/f/my.wav', 's3://b/f.mp3/', 's3://b/my.audio'])
      assert.deepEqual(read({ ...s3, destinationUrl: url, format: 'wav' }).problems, [], url);
  });
});
