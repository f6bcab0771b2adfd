import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../clock.ts';
import { Secret } from '../secret.ts';
import { deliveryNames } from './delivery-name.ts';
import { parseDestinationUrl } from './destinations/destination-url.ts';
import { openDestination } from './destinations/open-destination.ts';
import { OwnStore } from './destinations/own-store.ts';

const file = {
  startedAtMs: Date.parse('2026-11-21T18:30:00Z'),
  applicationKey: 'app',
  nameId: 'call',
  format: 'mp3',
};
const generated = '20261121183000_app_call.mp3';

test('a generated name has an ordinal from the second on, a name of the user never', () => {
  const folder = deliveryNames({ ...file, url: 's3://bucket/folder/' });
  assert.equal(folder.nameGroup, `s3://bucket/folder/${generated}`);
  assert.deepEqual(folder.targetOf(1), {
    key: `folder/${generated}`,
    destination: `s3://bucket/folder/${generated}`,
    place: 's3://bucket',
  });
  assert.equal(folder.targetOf(2).key, 'folder/20261121183000_app_call~2.mp3');
  const named = deliveryNames({ ...file, url: 's3://bucket/folder/mine.mp3' });
  assert.equal(named.nameGroup, null);
  assert.equal(named.targetOf(1).key, 'folder/mine.mp3');
});

test('in our own store each application has names of its own', () => {
  const keys = ['one', 'two', '../one', 'a/b'].map((applicationKey) => {
    const named = deliveryNames({ ...file, applicationKey, url: 'sdrive://mine.mp3' });
    assert.equal(named.nameGroup, null);
    return named.targetOf(1).key;
  });
  assert.deepEqual(keys, ['one/mine.mp3', 'two/mine.mp3', '%2E%2E%2Fone/mine.mp3', 'a%2Fb/mine.mp3']);
});

test('the URL of the object is what its storage calls it', async () => {
  const ownStore = new OwnStore('/nowhere', new Secret(Buffer.alloc(32)));
  const accessKey = { kind: 'access-key', accessKeyId: 'id', secretAccessKey: new Secret('s') } as const;
  const s3 = { ...accessKey, region: 'eu-central-1' };
  const azure = { kind: 'account-key', accountKey: new Secret('AAAA') } as const;
  for (const [url, credentials] of [
    ['s3://bucket/a b/c.mp3', s3],
    ['gs://bucket', s3],
    ['azure://account/container/x/', azure],
    ['sdrive://folder/mine.mp3', { kind: 'none' }],
    ['file:///var/with%20blank/', { kind: 'none' }],
  ] as const) {
    const { key, destination } = deliveryNames({ ...file, url }).targetOf(1);
    const opened = await openDestination(parseDestinationUrl(url), credentials, {
      clock: systemClock,
      ownStore,
    });
    assert.equal(opened.urlOf(key), destination, url);
    opened.close();
  }
});

test('a URL that cannot be read is said to be so', () => {
  assert.throws(() => deliveryNames({ ...file, url: 'ftp://host/file' }), { code: 'DESTINATION_INVALID' });
});
