import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { normalizedWords, wordErrors } from '../../bench/word-errors.ts';
import {
  type Azurite,
  azureAccount,
  azureAccountKey,
  startAzurite,
} from '../../src/delivery/destinations/test-azurite.ts';
import type { SinchTranscript } from '../../src/transcription/sinch-transcript.ts';
import { eventually } from '../e2e/eventually.ts';
import { optionsOf, SeedRun, type StoredObject, seedExamples } from '../e2e/sinch-seed.ts';
import { SinchStage } from '../e2e/sinch-stage.ts';
import { joined, rateHz } from '../e2e/verb-stage.ts';
import { ensurePackages } from './debian.ts';
import { humanVoice } from './human-voices.ts';
import { type Swift, type SwiftRegion, startSwift, swiftKeys, swiftUsers } from './swift.ts';
import { startWriteOnlyProxy, type WriteOnlyProxy } from './write-only-proxy.ts';

/**
 * The examples of the vendor's page on recording, on live calls, with their own keys, secrets and regions, against
 * storages that check signatures: OpenStack Swift for S3 and Cloud Storage, azurite for Azure. Before both stands a
 * proxy that answers 403 to everything but writes.
 */
let swift: Swift;
let azurite: Azurite;
let amazon: WriteOnlyProxy;
let azure: WriteOnlyProxy;
let stage: SinchStage;
let run: SeedRun;

/** The access keys of the page as users of Swift, which names them otherwise. */
const usersOfPage: Record<string, { accessKeyId: string; secretAccessKey: string }> = {
  AKIAIOSFODNN7EXAMPLE: swiftKeys,
  KEY: swiftUsers.KEY,
  ACCESS_KEY: swiftUsers.KEY,
  xyz_access_key: swiftUsers.xyz_access_key,
};

before(async () => {
  await ensurePackages('asterisk-core-sounds-en-wav');
  swift = await startSwift('sinch-storage', 'my-s3-bucket');
  azurite = await startAzurite();
  await azurite.service.getContainerClient('test-container').create();
  amazon = await startWriteOnlyProxy((accessKeyId, region) => ({
    storage: swift.urls[region as SwiftRegion],
    accessKeyId: usersOfPage[accessKeyId]?.accessKeyId ?? accessKeyId,
  }));
  azure = await startWriteOnlyProxy((accessKeyId) => ({ storage: azurite.url, accessKeyId }));
  stage = await SinchStage.open({
    settings: {
      CALLREEL_DELIVERY_ENDPOINTS_S3: amazon.url.href,
      CALLREEL_DELIVERY_ENDPOINTS_GS: amazon.url.href,
      CALLREEL_DELIVERY_ENDPOINTS_AZURE: azure.url.href,
      CALLREEL_SINCH_FAILURE_EVENTS: 'true',
    },
  });
  run = await SeedRun.open(stage, stored);
});

after(async () => {
  await stage?.[Symbol.asyncDispose]();
  for (const proxy of [amazon, azure]) await proxy?.stop();
  await azurite?.stop();
  await swift?.stop();
});

/** Not by the proxies. */
async function stored(url: string): Promise<StoredObject | undefined> {
  const [, scheme = '', first = '', path = ''] = /^(\w+):\/\/([^/]+)\/(.*)$/.exec(url) ?? [];
  if (scheme !== 'azure') return await swift.stored(path, first);
  assert.equal(first, azureAccount);
  const [container = '', ...name] = path.split('/');
  const blob = azurite.service.getContainerClient(container).getBlobClient(name.join('/'));
  const content = await blob.downloadToBuffer();
  return { content, contentType: (await blob.getProperties()).contentType };
}

const examples = seedExamples().filter(({ name }) => name !== 'StopRecording');
const remote = examples.filter((example) => !optionsOf(example).destinationUrl.startsWith('sdrive:'));

for (const example of remote) {
  const { destinationUrl, credentials } = optionsOf(example);
  test(`${JSON.stringify(example).slice(0, 60)} -> ${destinationUrl}, ${credentials.split(':')[0]?.slice(0, 20)}`, async () => {
    await run.verify(example, await run.play(example));
  });
}

test('nothing but writes was asked for', () => {
  assert.deepEqual([...amazon.refused, ...azure.refused], []);
});

for (const { destinationUrl, wrong, right, said } of [
  {
    destinationUrl: 's3://sinch-storage/voice-recordings/mended.mp3',
    wrong: 'AKIAIOSFODNN7EXAMPLE:a-secret-of-somebody-else:eu-central-1',
    right: `AKIAIOSFODNN7EXAMPLE:${swiftKeys.secretAccessKey}:eu-central-1`,
    said: /mended\.mp3: SignatureDoesNotMatch, 403: The request signature we calculated does not match/,
  },
  {
    destinationUrl: 'gs://sinch-storage/voice-recordings/of-google.mp3',
    wrong: 'ACCESS_KEY:a-secret-of-somebody-else',
    right: 'ACCESS_KEY:SECRET',
    said: /of-google\.mp3: SignatureDoesNotMatch, 403: The request signature we calculated does not match/,
  },
  {
    destinationUrl: 'azure://my-account/test-container/mended.mp3',
    wrong: 'd3JvbmctYXp1cmUta2V5LW9mLW5vYm9keS1hdC1hbGw=',
    right: azureAccountKey,
    said: /mended\.mp3: .*, 403: Server failed to authenticate the request/,
  },
])
  test(`a wrong secret is told in the storage's words, and corrected it delivers: ${destinationUrl}`, async () => {
    const callId = await run.play({ recordingOptions: { destinationUrl, credentials: wrong } });
    const { errorMsg } = await stage.told(callId, 'notify', 'recording_failed');
    assert.match(String(errorMsg), said);
    const { delivery_id: id, error } = await run.deliveryIn(destinationUrl, 'failing');
    assert.match(error?.message ?? '', said);
    assert.ok(!JSON.stringify([errorMsg, error]).includes(wrong.split(':')[1] ?? wrong));
    const { status } = await stage.http.json('POST', `/v1/deliveries/${id}/deliver`, { credentials: right });
    assert.equal(status, 202);
    await stage.told(callId, 'notify', 'recording_available');
    await run.assertWhole(destinationUrl);
  });

test('a destination is tried out: what is right, and what is not', async () => {
  const tried = async (url: string, credentials: string) =>
    await stage.http.json<{ objects: { url: string }[]; error?: { message: string } }>(
      'POST',
      '/v1/destinations/test',
      { destination: { url, credentials }, format: 'mp3' },
    );
  const { body } = await tried('s3://my-s3-bucket/tried/', 'xyz_access_key:wrt_secret_key:eu-central-1');
  for (const { url } of body.objects) assert.equal((await stored(url))?.contentType, 'audio/mpeg');
  assert.equal(body.objects.length, 2);
  for (const [url, credentials, said] of [
    ['s3://no-such-bucket/', 'xyz_access_key:wrt_secret_key:eu-central-1', /: NoSuchBucket, 404: /],
    ['s3://my-s3-bucket/', 'xyz_access_key:wrong:eu-central-1', /: SignatureDoesNotMatch, 403: /],
    ['gs://my-s3-bucket/', 'ACCESS_KEY:wrong', /^gs:.*: SignatureDoesNotMatch, 403: /],
  ] as const) {
    const { status, body: refused } = await tried(url, credentials);
    assert.equal(status, 502);
    assert.match(refused.error?.message ?? '', said);
  }
});

test('of a conversation the bucket has the recording, then its transcript, and the application is told in that order', async () => {
  const said = [
    { party: 0, atSeconds: 0, prompt: 'demo-echodone', text: 'The echo test has been completed.' },
    {
      party: 1,
      atSeconds: 1.5,
      prompt: 'demo-nomatch',
      text: "I'm sorry there are no matches for those keywords",
    },
    { party: 0, atSeconds: 6, prompt: 'tt-weasels', text: 'Weasels have eaten our phone system' },
    { party: 1, atSeconds: 7.5, prompt: 'queue-thankyou', text: 'Thank you for your patience' },
  ];
  const callId = await conversation(said);
  // The engine goes behind everything else on a busy machine.
  const isTold = () =>
    stage.callbacks(callId, 'notify').some(({ type }) => type === 'transcription_available');
  await eventually('the transcript', () => isTold() || undefined, 240_000);
  const { destination } = await stage.told(callId, 'notify', 'transcription_available');
  assert.equal(destination, 's3://my-s3-bucket/spoken/mine-transcript.json');
  const told = stage.callbacks(callId, 'notify').map(({ type, destination: place }) => [type, place]);
  assert.deepEqual(told, [
    ['recording_finished', undefined],
    ['recording_available', 's3://my-s3-bucket/spoken/mine.mp3'],
    ['transcription_available', destination],
  ]);
  await run.assertWhole('s3://my-s3-bucket/spoken/mine.mp3');
  const file = await swift.stored('spoken/mine-transcript.json', 'my-s3-bucket');
  assert.equal(file?.contentType, 'application/json');
  const { text, lines, ...others } = JSON.parse(file.content.toString()) as SinchTranscript;
  assert.deepEqual(others, {});
  assert.equal(text, lines.map((line) => line.text).join(' '));
  assert.deepEqual(
    lines.map(({ timestamp, text: line, ...more }) => [typeof timestamp, typeof line, more]),
    said.map(({ party }) => ['number', 'string', { speakerLabel: `Speaker ${party + 1}` }]),
  );
  const errors = wordErrors(normalizedWords(said.map((turn) => turn.text).join(' ')), normalizedWords(text));
  assert.ok(errors.length <= 2, JSON.stringify(errors));
  for (const [index, { timestamp }] of lines.entries()) {
    const late = timestamp - lines[0]!.timestamp - said[index]!.atSeconds;
    assert.ok(Math.abs(late) < 0.35, `${text}: line ${index} at ${timestamp} s`);
  }
});

interface Turn {
  party: number;
  atSeconds: number;
  prompt: string;
}

/** Two parties speak, at times at once. @returns the call's id, once it has ended */
async function conversation(turns: readonly Turn[]): Promise<string> {
  const { phone, call: coming } = await stage.called();
  const recordingOptions = {
    destinationUrl: 's3://my-s3-bucket/spoken/mine.mp3',
    credentials: 'xyz_access_key:wrt_secret_key:eu-central-1',
    notificationEvents: true,
    transcriptionOptions: { enabled: true, locale: 'en-US' },
  };
  const destination = { type: 'sip', endpoint: phone.sipUri };
  const action = { name: 'connectSip', destination, record: true, recordingOptions };
  const caller = await stage.call({ ice: { action } });
  const called = await coming;
  const callId = await stage.callIdOf(caller);
  await Promise.all(
    [caller, called].map(async (call, party) => {
      let spoken: Int16Array = new Int16Array();
      for (const { atSeconds, prompt } of turns.filter((turn) => turn.party === party)) {
        const pause = new Int16Array(atSeconds * rateHz - spoken.length);
        spoken = joined(spoken, pause, await humanVoice('english', prompt));
      }
      await call.play(joined(spoken, new Int16Array(rateHz)));
    }),
  );
  await caller.hangUp();
  await called.ended;
  return callId;
}
