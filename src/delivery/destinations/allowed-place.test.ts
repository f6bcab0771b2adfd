import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../secret.ts';
import { assertAllowedPlace } from './allowed-place.ts';
import { parseDestinationUrl } from './destination-url.ts';
import { OwnStore } from './own-store.ts';

const ownStore = new OwnStore('/var/store', new Secret(Buffer.alloc(32)));

test('files go into the directories of the operator and nowhere else', () => {
  const fileDirectories = ['/var/recordings', '/srv/more/'];
  for (const url of ['file:///var/recordings/a.wav', 'file:///var/recordings/', 'file:///srv/more/x/y.wav'])
    assertAllowedPlace(parseDestinationUrl(url), { fileDirectories });
  for (const url of ['file:///var/recordings-2/a.wav', 'file:///var/a.wav', 'file:///', 'file:///etc/passwd'])
    for (const directories of [fileDirectories, undefined])
      assert.throws(() => assertAllowedPlace(parseDestinationUrl(url), { fileDirectories: directories }), {
        code: 'DESTINATION_FORBIDDEN',
        where: 'destinationUrl',
      });
});

test('our own store is there or it is not; buckets are their own business', () => {
  const place = parseDestinationUrl('sdrive://a.mp3');
  assertAllowedPlace(place, { ownStore });
  assert.throws(() => assertAllowedPlace(place, {}), { code: 'DESTINATION_FORBIDDEN' });
  for (const url of ['s3://bucket/a', 'gs://bucket', 'azure://account/container/'])
    assertAllowedPlace(parseDestinationUrl(url), {});
});
