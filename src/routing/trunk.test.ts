import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { sealSecret } from '../auth/sealed-secret.ts';
import { Secret } from '../secret.ts';
import { type Trunk, trunkCredentials, trunkOf, trunkSecretContext } from './trunk.ts';

const masterKey = new Secret(randomBytes(32));
const row = {
  trunkId: '0123456789abcdef',
  accountId: 'a',
  name: 'carrier',
  host: 'sip.example.com',
  port: null,
  transport: 'udp' as const,
  username: 'me',
  sealedPassword: sealSecret(masterKey, trunkSecretContext('0123456789abcdef'), new Secret('pw')),
  fromNumber: null,
  routes: [{ prefix: '+', cost: 0 }],
  sourceNetworks: [],
  createdAt: new Date(0),
};

test('a trunk of the database opens its password with the master key', () => {
  const trunk: Trunk = trunkOf(row);
  assert.deepEqual([trunk.port, trunk.fromNumber], [undefined, undefined]);
  const credentials = trunkCredentials(trunk, masterKey);
  assert.deepEqual([credentials?.username, credentials?.password.reveal()], ['me', 'pw']);
  assert.doesNotMatch(JSON.stringify(credentials), /"pw"/);
  assert.equal(trunkCredentials(trunkOf({ ...row, sealedPassword: null }), masterKey), undefined);
});

test('a password that was moved to another trunk stays shut', () => {
  const moved = trunkOf({ ...row, trunkId: 'fedcba9876543210' });
  assert.throws(() => trunkCredentials(moved, masterKey), { code: 'SPOOL_KEY_MISSING' });
});
