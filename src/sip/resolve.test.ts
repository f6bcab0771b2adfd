import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numericEndpoint, resolve } from './resolve.ts';

const cases: [uri: string, transport: 'tcp' | undefined, expected: string | undefined][] = [
  ['sip:192.0.2.1', undefined, 'udp 192.0.2.1 5060'],
  ['sip:u@192.0.2.1:5070;transport=TCP', undefined, 'tcp 192.0.2.1 5070'],
  ['sip:u@192.0.2.1', 'tcp', 'tcp 192.0.2.1 5060'],
  ['sip:u@localhost:5080', undefined, 'udp 127.0.0.1 5080'],
  ['sip:u@[2001:db8::1]', undefined, 'udp 2001:db8::1 5060'],
  ['sip:u@a.example;maddr=192.0.2.9', undefined, 'udp 192.0.2.9 5060'],
  ['sip:u@a.example', undefined, undefined],
  ['sip:u@192.0.2.1;transport=sctp', undefined, undefined],
  ['sips:u@192.0.2.1', undefined, undefined],
  ['tel:+1555', undefined, undefined],
];

for (const [uri, transport, expected] of cases)
  test(`${uri} ${transport ?? ''}`, async () => {
    const endpoint = numericEndpoint(uri, transport);
    const text = endpoint && `${endpoint.transport} ${endpoint.address} ${endpoint.port}`;
    assert.equal(text, expected);
    if (expected === undefined) await assert.rejects(resolve(uri, transport), { code: 'REQUEST_INVALID' });
    else assert.deepEqual(await resolve(uri, transport), endpoint);
  });
