import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  RestError,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { systemClock } from '../../clock.ts';
import { Secret } from '../../secret.ts';
import { AzureDestination, type AzureOptions } from './azure.ts';
import { type Azurite, azureAccount, azureAccountKey, startAzurite } from './test-azurite.ts';
import { testConformance } from './test-conformance.ts';

const container = 'test-container';
const signal = new AbortController().signal;
const contentType = 'audio/mpeg';
const content = Buffer.from('a recording');
let azurite: Azurite;

before(async () => {
  azurite = await startAzurite();
  await azurite.service.createContainer(container);
});
after(() => azurite.stop());

function destination(options: Partial<AzureOptions> = {}): AzureDestination {
  return new AzureDestination({
    account: azureAccount,
    container,
    credentials: { kind: 'account-key', accountKey: new Secret(azureAccountKey) },
    clock: systemClock,
    endpoint: { url: azurite.url },
    ...options,
  });
}

async function stored(key: string) {
  const blob = azurite.service.getContainerClient(container).getBlobClient(key);
  try {
    const { contentType } = await blob.getProperties();
    return { content: await blob.downloadToBuffer(), contentType };
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404) return undefined;
    throw error;
  }
}

testConformance('azure', () => ({ open: () => destination(), keyFor: (name) => name, stored }));

test('a shared access signature that may only create and write is enough', async () => {
  const now = systemClock.unixMs();
  const parameters = generateBlobSASQueryParameters(
    {
      containerName: container,
      permissions: ContainerSASPermissions.parse('cw'),
      startsOn: new Date(now - 60_000),
      expiresOn: new Date(now + 3_600_000),
    },
    new StorageSharedKeyCredential(azureAccount, azureAccountKey),
  );
  const signature = new Secret(parameters.toString());
  const writer = destination({ credentials: { kind: 'shared-access-signature', signature } });
  await writer.put({ key: 'by-signature.mp3', contentType }, content, signal);
  await writer.put({ key: 'by-signature.mp3', contentType }, content, signal);
  const object = { key: 'parts-by-signature.mp3', contentType };
  const upload = { ...object, uploadId: await writer.beginUpload(object, signal) };
  await writer.completeUpload(upload, [await writer.putPart(upload, 1, content, signal)], signal);
  assert.deepEqual((await stored('by-signature.mp3'))?.content, content);
  assert.deepEqual((await stored('parts-by-signature.mp3'))?.content, content);
  writer.close();
});

test('the key is refused in the words of the storage, without the key', async () => {
  const wrong = Buffer.alloc(64, 7).toString('base64');
  const refused = destination({ credentials: { kind: 'account-key', accountKey: new Secret(wrong) } });
  await assert.rejects(refused.put({ key: 'x.mp3', contentType }, content, signal), (error: Error) => {
    const { code, where } = error as Error & { code: string; where: string };
    assert.equal(code, 'DESTINATION_REFUSED');
    assert.equal(where, 'azure://my-account/test-container/x.mp3');
    assert.match(error.message, /AuthorizationFailure, 403: Server failed to authenticate the request/);
    assert.ok(!`${error.stack}`.includes(wrong));
    assert.equal(error.cause, undefined);
    return true;
  });
  refused.close();
});

test('a container that is not there is told of', async () => {
  const lost = destination({ container: 'no-container' });
  await assert.rejects(lost.put({ key: 'x.mp3', contentType }, content, signal), {
    code: 'DESTINATION_REFUSED',
    message: /azure:\/\/my-account\/no-container\/x.mp3: ContainerNotFound, 404: The specified container/,
  });
  lost.close();
});

test('tags go along, whole and in parts', async () => {
  const tagged = destination({ tags: { kind: 'recording', team: 'a b' } });
  const object = { key: 'tagged-parts.mp3', contentType };
  await tagged.put({ key: 'tagged.mp3', contentType }, content, signal);
  const upload = { ...object, uploadId: await tagged.beginUpload(object, signal) };
  await tagged.completeUpload(upload, [await tagged.putPart(upload, 1, content, signal)], signal);
  for (const key of ['tagged.mp3', 'tagged-parts.mp3']) {
    const { tags } = await azurite.service.getContainerClient(container).getBlobClient(key).getTags();
    assert.deepEqual(tags, { kind: 'recording', team: 'a b' });
  }
  tagged.close();
});

test('the storage has a checksum of a whole file', async () => {
  const writer = destination();
  await writer.put({ key: 'summed.mp3', contentType }, content, signal);
  const blob = azurite.service.getContainerClient(container).getBlobClient('summed.mp3');
  const { contentMD5 } = await blob.getProperties();
  assert.deepEqual(Buffer.from(contentMD5!), createHash('md5').update(content).digest());
  writer.close();
});
