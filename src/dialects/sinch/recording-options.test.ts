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
  it('destination and credentials are kept as they were given', () => {
    const { options, problems } = read(s3);
    assert.deepEqual(problems, []);
    assert.equal(options?.destination?.url, 's3://bucket/');
    assert.equal(options.destination.credentials?.reveal(), s3.credentials);
    assert.doesNotMatch(JSON.stringify(options), /wJalr/);
  });

  it('mp3 unless wav is wanted, nothing else', () => {
    assert.equal(read(s3).options?.format, 'mp3');
    assert.equal(read({ ...s3, format: 'wav' }).options?.format, 'wav');
    assert.equal(read({ ...s3, format: 'MP3' }).options?.format, 'mp3');
    for (const format of ['ogg', '', 5, ['wav', 'mp3']])
      assert.deepEqual(read({ ...s3, format }), { options: undefined, problems: ['error 40001 format'] });
  });

  it('notificationEvents is true unless it is false, also as a text', () => {
    const events = (notificationEvents?: unknown) =>
      read({ ...s3, notificationEvents }).options?.notificationEvents;
    assert.deepEqual(
      [events(), events(true), events('true'), events(false), events('False')],
      [true, true, true, false, false],
    );
    assert.deepEqual(read({ ...s3, notificationEvents: 'yes' }).problems, ['error 40001 notificationEvents']);
  });

  it('transcriptions in every locale, off unless enabled', () => {
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

  it('schemes, and which of them need credentials', () => {
    for (const [url, credentials] of [
      ['s3://bucket/f', 'a:b:c'],
      ['azure://account/container/f.mp3', 'c2VjcmV0'],
      ['gs://bucket/f', 'a:b'],
      ['S3://bucket', 'a:b:c'],
    ]) {
      assert.deepEqual(read({ destinationUrl: url, credentials }).problems, []);
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

  it('what could never be delivered is told at once, and recorded all the same', () => {
    for (const [given, path] of [
      [{ destinationUrl: 's3://no..bucket/' }, 'destinationUrl'],
      [{ destinationUrl: 's3://bucket/a/../b.mp3' }, 'destinationUrl'],
      [{ destinationUrl: 's3://bucket/', credentials: 'AKIASECRET' }, 'credentials'],
      [{ destinationUrl: 'azure://account/container/', credentials: 'AKIASECRET!' }, 'credentials'],
    ] as const) {
      const { options, problems } = read({ ...s3, ...given });
      assert.ok(options);
      assert.deepEqual(problems, [`warning 40003 ${path}`]);
    }
  });

  it('credentials in the URL, which is shown, are refused', () => {
    for (const destinationUrl of ['s3://AKIA:wJalr@bucket/', 'gs://a:b@bucket', 'file://a:b@host/x'])
      assert.deepEqual(read({ ...s3, destinationUrl }), {
        options: undefined,
        problems: ['error 40001 destinationUrl'],
      });
  });

  it('a text in the place of the options is not quoted', () => {
    const problems = new Problems();
    new Fields({ options: 'AKIA:wJalr:eu-central-1' }, [], problems).object('options');
    assert.deepEqual(
      problems.all.map(({ code, message }) => [code, message]),
      [[40001, 'an object is expected, not a text']],
    );
  });

  it('without a destination only where there is a store of ours', () => {
    assert.deepEqual(read({}).problems, ['error 40002 destinationUrl']);
    const { options, problems } = read({ format: 'wav' }, { hasDefaultStore: true });
    assert.deepEqual(problems, []);
    assert.equal(options?.destination, undefined);
  });

  it('the older name of the destination', () => {
    assert.equal(
      read({ ...s3, destinationUrl: undefined, destination: 's3://bkt/' }).options?.destination?.url,
      's3://bkt/',
    );
  });

  it('the format decides, the name is kept, a warning says so', () => {
    const { options, problems } = read({ ...s3, destinationUrl: 's3://bkt/f/my.mp3', format: 'wav' });
    assert.deepEqual(problems, ['warning 40003 destinationUrl']);
    assert.equal(options?.destination?.url, 's3://bkt/f/my.mp3');
    assert.equal(options.format, 'wav');
    for (const url of ['s3://my.mp3', 's3://bkt/f/my.wav', 's3://bkt/f.mp3/', 's3://bkt/my.audio'])
      assert.deepEqual(read({ ...s3, destinationUrl: url, format: 'wav' }).problems, [], url);
  });
});
