import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { FakeClock } from '../../../src/clock.ts';
import type { Destination } from '../../../src/delivery/destinations/destination.ts';
import {
  type DestinationCredentials,
  parseCredentials,
} from '../../../src/delivery/destinations/destination-credentials.ts';
import {
  type DestinationPlace,
  parseDestinationUrl,
} from '../../../src/delivery/destinations/destination-url.ts';
import { generatedFileName, keyAt, nameWarning } from '../../../src/delivery/destinations/object-name.ts';
import { openDestination } from '../../../src/delivery/destinations/open-destination.ts';
import { OwnStore } from '../../../src/delivery/destinations/own-store.ts';
import { storageError } from '../../../src/delivery/destinations/storage-error.ts';
import { CallreelError } from '../../../src/errors.ts';
import { Secret } from '../../../src/secret.ts';
import type { FuzzTarget } from '../target.ts';

const maxUrlCharacters = 2048;
const maxKeyBytes = 1024;
const maxMessageCharacters = 3000;
const settings = {
  clock: new FakeClock(),
  endpoints: {
    s3: { url: new URL('http://127.0.0.1:9') },
    gs: { url: new URL('http://127.0.0.1:9') },
    azure: { url: new URL('http://127.0.0.1:9') },
  },
  fileDirectories: ['/var/recordings'],
  ownStore: new OwnStore('/var/store', new Secret(Buffer.alloc(32))),
};

/** What a document says of a destination: a URL, a line with its credentials, and a storage's answer behind them. */
export function createTarget(): FuzzTarget {
  return {
    isText: true,
    maxBytes: 6000,
    dictionary: words,
    seeds: () => seeds.map((text) => Buffer.from(text)),
    async run(input) {
      const [url = '', credentials = '', ...answer] = Buffer.from(input).toString().split('\n');
      checkAnswer(answer.join('\n'), credentials);
      const id = answer.join('\n').slice(0, 300);
      const secret = /^[a-z0-9]+:\/\/[^/@]{41,}@/i.test(url) ? credentials : undefined;
      const place = refusedOr(() => parseDestinationUrl(url), { where: 'destinationUrl', secret });
      if (!place) return;
      const key = checkKey(place, id);
      const parsed = refusedOr(() => parseCredentials(place.scheme, new Secret(credentials)), {
        where: 'credentials',
        secret: credentials,
      });
      if (!parsed || key === undefined) return;
      const destination = await openDestination(place, parsed, settings);
      try {
        checkNamed(destination, { place, key, url }, parsed);
      } finally {
        if (destination !== settings.ownStore) destination.close();
      }
    },
  };
}

/** What is refused is refused by the catalogue, in bounded words that hold nothing secret. */
function refusedOr<T>(parse: () => T, { where, secret }: { where: string; secret?: string | undefined }) {
  try {
    return parse();
  } catch (error) {
    assert.ok(error instanceof CallreelError, String(error));
    assert.equal(error.code, 'DESTINATION_INVALID');
    assert.equal(error.where, where);
    assert.ok(error.message.length <= maxMessageCharacters);
    if (secret !== undefined && secret.length > 40)
      assert.ok(!error.message.includes(secret), 'a secret is told');
    return undefined;
  }
}

/** @returns what is written to; undefined where the name is too long */
function checkKey(place: DestinationPlace, id: string): string | undefined {
  const name = { startedAtMs: 1_790_000_000_000, applicationKey: id, id, format: 'mp3' };
  const [first, second] = [1, 2].map((ordinal) => generatedFileName({ ...name, ordinal }));
  assert.notEqual(first, second);
  assert.match(first!, /^[A-Za-z0-9_.!*'()%~-]+$/, 'a generated name is plain');
  assert.ok(!first!.startsWith('.') && Buffer.byteLength(first!) <= 500);
  assert.ok((nameWarning(place, 'mp3') ?? '').length <= maxUrlCharacters + 100);
  const key = refusedOr(() => keyAt(place, first!), { where: 'destinationUrl' });
  if (key === undefined) return undefined;
  assert.ok(Buffer.byteLength(key) <= maxKeyBytes);
  assert.ok(key.startsWith(place.path), 'what follows the bucket is the name, letter by letter');
  assert.ok(!key.endsWith('/') && key !== '');
  return key;
}

/** What users are told of the place leads to the same place, and holds no credentials. */
function checkNamed(
  destination: Destination,
  { place, key, url }: { place: DestinationPlace; key: string; url: string },
  credentials: DestinationCredentials,
): void {
  const told = destination.urlOf(key);
  for (const secret of secretsOf(credentials))
    if (secret.length > 40)
      assert.ok(!told.includes(secret) || url.includes(secret), 'a secret is in the URL');
  if (told.length > maxUrlCharacters) return;
  const again = refusedOr(() => parseDestinationUrl(told), { where: 'destinationUrl' });
  assert.ok(again, `${told} is no destination`);
  if (again.scheme === 'file') assert.equal(again.path, resolve(key));
  else assert.deepEqual(again, { ...place, path: key });
}

function secretsOf(credentials: DestinationCredentials): string[] {
  switch (credentials.kind) {
    case 'access-key':
      assert.match(credentials.region, /^[a-z0-9_-]{1,63}$/);
      assert.ok(!/[\s:]/.test(credentials.region));
      return [credentials.secretAccessKey.reveal()];
    case 'account-key':
      return [credentials.accountKey.reveal()];
    case 'shared-access-signature':
      return [credentials.signature.reveal()];
    case 'none':
      return [];
  }
}

/** One line for people, whatever a storage answers, and never what it was sent. */
function checkAnswer(text: string, credentials: string): void {
  const secret = credentials.slice(0, 60).trim();
  const said = storageError('s3://bucket/key', { name: text.slice(0, 20), status: 403, text }, [secret]);
  assert.ok(said.message.length <= 1200);
  assert.doesNotMatch(said.message, /[\p{Cc}\p{Cf}]/u);
  if (secret.length > 40) assert.ok(!said.message.includes(secret), 'a storage told the secret');
}

const amazon = 'AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY:eu-central-1';
const azureKey = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==';
const signature = '?sv=2022-11-02&sr=c&sp=cw&se=2030-01-01T00:00:00Z&sig=abc%2Fdef%3D';

const seeds = [
  `s3://sinch-storage/voice-recordings/my-recording.mp3\n${amazon}\nSignatureDoesNotMatch`,
  `s3://sinch-storage/folder/\n${amazon}\n<Error><Code>NoSuchBucket</Code></Error>`,
  `s3://sinch-storage\nKEY:SEC:RET:aws_region`,
  `S3://old_Bucket/ein Ordner/ä/ö.wav\nKEY:SECRET:EU-CENTRAL-1`,
  `gs://sinch-storage/voice-recordings/my-recording.mp3\nACCESS_KEY:SECRET`,
  `azure://my-account/test-container/my-recording.mp3\n${azureKey}`,
  `azure://my-account/$root/a/b/\n${signature}`,
  'sdrive://my-recording.mp3\n',
  'sdrive://folder/my-recording.mp3\nKEY',
  'file:///var/recordings/%7E/a.wav\n',
  `s3://${amazon}@bucket/key\n${amazon}`,
  's3://bucket/a/../b\nA:B:c',
  's3://bucket/%2e%2E/b\nA:B:c',
];

const words = [
  ...[
    's3://',
    'gs://',
    'azure://',
    'sdrive://',
    'file://',
    'file:///',
    '/',
    '//',
    '\\',
    '..',
    '.',
    '%2e',
    '%2F',
  ],
  ...[
    '@',
    ':',
    '?',
    '#',
    '~',
    '$root',
    '$web',
    '\u202e',
    '\u0000',
    '\ud83d\udc4d',
    'sig=',
    '&sig=',
    '==',
    '\r\n',
  ],
  ...['eu-central-1', 'my-account', 'test-container', '.mp3', '.wav', amazon, azureKey, signature],
];
