import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../secret.ts';
import { parseCredentials } from './destination-credentials.ts';

const accountKey = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==';

test('S3 credentials are divided at the first and the last colon', () => {
  const parsed = parseCredentials(
    's3',
    new Secret('AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/b:PxR+fiCY:eu-central-1'),
  );
  assert.ok(parsed.kind === 'access-key');
  assert.equal(parsed.accessKeyId, 'AKIAIOSFODNN7EXAMPLE');
  assert.equal(parsed.secretAccessKey.reveal(), 'wJalrXUtnFEMI/K7MDENG/b:PxR+fiCY');
  assert.equal(parsed.region, 'eu-central-1');
  assert.ok(!inspect(parsed, { depth: 9 }).includes('wJalr'));
  assert.ok(!JSON.stringify(parsed).includes('wJalr'));
});

test('a region may be none of Amazon: compatible storages have theirs', () => {
  const parsed = parseCredentials('s3', new Secret('KEY:SECRET:aws_region'));
  assert.ok(parsed.kind === 'access-key');
  assert.equal(parsed.region, 'aws_region');
});

test('Cloud Storage credentials are an access key and a secret, of any region', () => {
  const parsed = parseCredentials('gs', new Secret('GOOG1E:secret/with:colon'));
  assert.ok(parsed.kind === 'access-key');
  assert.equal(parsed.accessKeyId, 'GOOG1E');
  assert.equal(parsed.secretAccessKey.reveal(), 'secret/with:colon');
  assert.equal(parsed.region, 'auto');
});

test('Azure takes the account key or a shared access signature', () => {
  const byKey = parseCredentials('azure', new Secret(accountKey));
  assert.ok(byKey.kind === 'account-key');
  assert.equal(byKey.accountKey.reveal(), accountKey);
  const bySignature = parseCredentials('azure', new Secret('?sv=2024-11-04&sp=cw&sig=abc%3D'));
  assert.ok(bySignature.kind === 'shared-access-signature');
  assert.equal(bySignature.signature.reveal(), 'sv=2024-11-04&sp=cw&sig=abc%3D');
});

test('our own store and files need none', () => {
  assert.deepEqual(parseCredentials('sdrive', new Secret('ACCESS_KEY:SECRET')), { kind: 'none' });
  assert.deepEqual(parseCredentials('file', undefined), { kind: 'none' });
});

test('a refusal says the form and quotes nothing', () => {
  for (const [scheme, text] of [
    ['s3', undefined],
    ['s3', ''],
    ['s3', 'topsecret'],
    ['s3', 'key:topsecret'],
    ['s3', ':topsecret:eu-central-1'],
    ['s3', 'key::eu-central-1'],
    ['s3', 'key:topsecret:evil.example/'],
    ['s3', 'key:topsecret:'],
    ['s3', 'key:topsecret\n:eu-central-1'],
    ['gs', 'topsecret'],
    ['gs', ':topsecret'],
    ['gs', 'key:'],
    ['azure', 'topsecret!'],
    ['azure', 'sig='],
    ['azure', `${'A'.repeat(8000)}`],
  ] as const)
    assert.throws(
      () => parseCredentials(scheme, text === undefined ? undefined : new Secret(text)),
      (error: Error & { code: string; where: string }) =>
        error.code === 'DESTINATION_INVALID' &&
        error.where === 'credentials' &&
        !error.message.includes('topsecret'),
      `${scheme} ${text}`,
    );
});
