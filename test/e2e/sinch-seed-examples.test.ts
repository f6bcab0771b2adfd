import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { ownStoreKey } from '../../src/delivery/destinations/object-name.ts';
import { OwnStore } from '../../src/delivery/destinations/own-store.ts';
import { type Azurite, azureAccount, startAzurite } from '../../src/delivery/destinations/test-azurite.ts';
import { TestBucket } from '../../src/delivery/test-bucket.ts';
import { loadMasterKey } from '../../src/spool/keys.ts';
import { optionsOf, type SeedExample, SeedRun, type StoredObject, seedExamples } from './sinch-seed.ts';
import { SinchStage } from './sinch-stage.ts';

/**
 * The examples of the vendor's page on recording, sent as they stand on live calls: each gives its file in the place it
 * names. Azure is azurite, which checks signatures; what is S3 here does not (test/interop/sinch-destinations.test.ts).
 */
let bucket: TestBucket;
let azurite: Azurite;
let stage: SinchStage;
let run: SeedRun;

before(async () => {
  bucket = await TestBucket.start();
  azurite = await startAzurite();
  await azurite.service.getContainerClient('test-container').create();
  stage = await SinchStage.open({
    settings: {
      CALLREEL_DELIVERY_ENDPOINTS_S3: bucket.url.href,
      CALLREEL_DELIVERY_ENDPOINTS_GS: bucket.url.href,
      CALLREEL_DELIVERY_ENDPOINTS_AZURE: azurite.url.href,
    },
  });
  run = await SeedRun.open(stage, stored);
});

after(async () => {
  await stage[Symbol.asyncDispose]();
  await azurite.stop();
  await bucket.server.stop();
});

async function stored(url: string): Promise<StoredObject | undefined> {
  const [, scheme = '', path = ''] = /^(\w+):\/\/(.*)$/.exec(url) ?? [];
  if (scheme === 's3' || scheme === 'gs') return bucket.files.get(path);
  if (scheme === 'sdrive') return await ownFile(ownStoreKey(stage.keys.applicationKey, path));
  const [account, container = '', ...name] = path.split('/');
  assert.equal(account, azureAccount);
  const blob = azurite.service.getContainerClient(container).getBlobClient(name.join('/'));
  const content = await blob.downloadToBuffer();
  return { content, contentType: (await blob.getProperties()).contentType };
}

async function ownFile(key: string): Promise<StoredObject | undefined> {
  const { dataDir } = stage.scene.server;
  const store = new OwnStore(join(dataDir, 'store'), loadMasterKey(dataDir));
  const bytes = await store.bytesOf(key);
  return bytes === undefined ? undefined : { content: Buffer.from(await store.read(key, 0, bytes)) };
}

test('all examples that record are here', () => {
  assert.equal(seedExamples().length, 14);
});

/** The next one of a place replaces what the one before left there; so does one of the other S3. */
const placeOf = (example: SeedExample) => optionsOf(example).destinationUrl.replace(/^\w+:/, '');
// StopRecording ends what the examples of Manage Call begin.
const recording = [...seedExamples().entries()].filter(([, { name }]) => name !== 'StopRecording');

suite('each example, places side by side', { concurrency: true }, () => {
  for (const [place, examples] of Map.groupBy(recording, ([, example]) => placeOf(example)))
    suite(place, { concurrency: false }, () => {
      for (const [index, example] of examples)
        test(`example ${index + 1}: ${JSON.stringify(example).slice(0, 60)}`, async () => {
          await run.verify(example, await run.play(example));
        });
    });
});
