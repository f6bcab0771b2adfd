import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { sealSecret } from '../auth/sealed-secret.ts';
import { Secret } from '../secret.ts';
import {
  contactUserOf,
  parseGateway,
  registrarUri,
  type Trunk,
  trunkAor,
  trunkCredentials,
  trunkOf,
  trunkSecretContext,
} from './trunk.ts';

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
  gateways: [{ host: 'b.example.com', port: null }],
  outboundProxy: '[2001:db8::1]:5062',
  registers: true,
  registrar: null,
  contactUser: null,
  priority: 0,
  options: {},
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

test('gateways in their order, a proxy with its port, the address that is registered', () => {
  const trunk = trunkOf(row);
  assert.deepEqual(trunk.gateways, [
    { host: 'sip.example.com', port: undefined },
    { host: 'b.example.com', port: undefined },
  ]);
  assert.deepEqual(trunk.outboundProxy, { host: '2001:db8::1', port: 5062 });
  assert.equal(trunkAor(trunk), 'sip:me@sip.example.com');
  assert.equal(registrarUri(trunk), 'sip:sip.example.com');
  assert.equal(contactUserOf(trunk), '0123456789abcdef');
  const apart = trunkOf({
    ...row,
    transport: 'tls',
    registrar: 'reg.example.com:5071',
    contactUser: 'us',
    options: { fromDomain: 'ims.example.com' },
  });
  assert.equal(trunkAor(apart), 'sip:me@ims.example.com');
  assert.equal(registrarUri(apart), 'sip:reg.example.com:5071;transport=tls');
  assert.equal(contactUserOf(apart), 'us');
});

const gateways: [text: string, host: string, port: number | undefined][] = [
  ['sip.example.com', 'sip.example.com', undefined],
  ['sip.example.com:5070', 'sip.example.com', 5070],
  ['192.0.2.1:5070', '192.0.2.1', 5070],
  ['2001:db8::1', '2001:db8::1', undefined],
  ['[2001:db8::1]', '2001:db8::1', undefined],
  ['[2001:db8::1]:5070', '2001:db8::1', 5070],
];
for (const [text, host, port] of gateways)
  test(`the gateway ${text}`, () => assert.deepEqual(parseGateway(text), { host, port }));
