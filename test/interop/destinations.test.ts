import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/clock.ts';
import { parseCredentials } from '../../src/delivery/destinations/destination-credentials.ts';
import { parseDestinationUrl } from '../../src/delivery/destinations/destination-url.ts';
import { keyAt } from '../../src/delivery/destinations/object-name.ts';
import { openDestination } from '../../src/delivery/destinations/open-destination.ts';
import { S3Destination } from '../../src/delivery/destinations/s3.ts';
import { testConformance } from '../../src/delivery/destinations/test-conformance.ts';
import { uploadFile } from '../../src/delivery/destinations/upload.ts';
import { Secret } from '../../src/secret.ts';
import { type Swift, type SwiftRegion, startSwift, swiftKeys } from './swift.ts';
import { startWriteOnlyProxy, type WriteOnlyProxy } from './write-only-proxy.ts';

const { accessKeyId, secretAccessKey } = swiftKeys;
const signal = new AbortController().signal;
const contentType = 'audio/mpeg';
let swift: Swift;
const proxies: Partial<Record<SwiftRegion, WriteOnlyProxy>> = {};

before(async () => {
  swift = await startSwift('sinch-storage');
  for (const region of ['eu-central-1', 'auto'] as const)
    proxies[region] = await startWriteOnlyProxy(() => ({ storage: swift.urls[region], accessKeyId }));
});
after(async () => {
  for (const proxy of Object.values(proxies)) await proxy.stop();
  await swift?.stop();
});

testConformance('Swift by S3', () => ({
  open: () =>
    new S3Destination({
      scheme: 's3',
      bucket: swift.bucket,
      credentials: {
        accessKeyId,
        secretAccessKey: new Secret(secretAccessKey),
        region: 'eu-central-1',
      },
      clock: systemClock,
      endpoint: { url: swift.urls['eu-central-1'] },
    }),
  keyFor: (name) => `voice recordings/${name}`,
  stored: (key) => swift.stored(key),
}));

/** As the options of a recording name it; only writes come through to the storage. */
async function destinationOf(destinationUrl: string, credentials: string) {
  const place = parseDestinationUrl(destinationUrl);
  const destination = await openDestination(place, parseCredentials(place.scheme, new Secret(credentials)), {
    clock: systemClock,
    endpoints: { s3: { url: proxies['eu-central-1']!.url }, gs: { url: proxies.auto!.url } },
  });
  return { destination, key: keyAt(place, 'made.mp3') };
}

for (const [destinationUrl, credentials] of [
  [
    's3://sinch-storage/voice-recordings/my-recording.mp3',
    'AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY:eu-central-1',
  ],
  ['gs://sinch-storage/voice-recordings/of-google.mp3', `ACCESS_KEY:${secretAccessKey}`],
] as const)
  test(`the right to write is enough: ${destinationUrl}`, async () => {
    const { destination, key } = await destinationOf(destinationUrl, credentials);
    for (const bytes of [10_000, 2 * destination.partBytes + 1]) {
      const content = randomBytes(bytes);
      const source = { bytes, read: async (from: number, to: number) => content.subarray(from, to) };
      await uploadFile(destination, { key, contentType }, source, { signal, save: async () => {} });
      const found = await swift.stored(key);
      assert.ok(found);
      assert.ok(found.content.equals(content));
      assert.equal(found.contentType, contentType);
    }
    assert.deepEqual([...proxies['eu-central-1']!.refused, ...proxies.auto!.refused], []);
    destination.close();
  });

test('a wrong secret, bucket or region is told in the words of the storage', async () => {
  for (const [url, credentials, message] of [
    [
      's3://sinch-storage/x.mp3',
      'KEY:wrong-secret:eu-central-1',
      /: SignatureDoesNotMatch, 403: The request/,
    ],
    [
      's3://sinch-storage/x.mp3',
      `KEY:${secretAccessKey}:us-east-1`,
      /: AuthorizationHeaderMalformed, 400: .*eu-central-1/,
    ],
    [
      's3://no-such-bucket/x.mp3',
      `KEY:${secretAccessKey}:eu-central-1`,
      /: NoSuchBucket, 404: The specified bucket/,
    ],
    ['gs://sinch-storage/x.mp3', 'KEY:wrong-secret', /^gs:.*: SignatureDoesNotMatch, 403: The request/],
  ] as const) {
    const { destination, key } = await destinationOf(url, credentials);
    await assert.rejects(destination.put({ key, contentType }, Buffer.from('x'), signal), {
      code: 'DESTINATION_REFUSED',
      message,
    });
    destination.close();
  }
  assert.equal(await swift.stored('x.mp3'), undefined);
});
