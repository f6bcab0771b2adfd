import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mayReplace } from './replacement.ts';

const uri = 'sip:carol@example.com';

function call(address: string, trunkId?: string) {
  const peer = { transport: 'udp', address, port: 5060 } as const;
  const from = { displayName: undefined, uri, user: 'carol', host: 'example.com' };
  return { session: { peer, from }, trunkId, trusted: false };
}

const nobody = async () => [];

describe('mayReplace', () => {
  const replaced = call('192.0.2.1');

  it('lets nobody in who only knows the ids', async () => {
    assert.equal(await mayReplace(call('203.0.113.9'), replaced, nobody), false);
    assert.equal(await mayReplace(call('203.0.113.9'), call('192.0.2.1', 'acme'), nobody), false);
  });

  it('lets the same peer replace its call', async () => {
    assert.equal(await mayReplace(call('192.0.2.1'), replaced, nobody), true);
  });

  it('lets a trunk replace its own calls, not those of others', async () => {
    const newcomer = { ...call('203.0.113.9', 'acme'), trusted: true };
    assert.equal(await mayReplace(newcomer, call('192.0.2.1', 'acme'), nobody), true);
    assert.equal(await mayReplace(newcomer, call('192.0.2.1', 'other'), nobody), false);
    assert.equal(await mayReplace(newcomer, replaced, nobody), false);
  });

  it('lets in who comes from a network that was named', async () => {
    assert.equal(await mayReplace({ ...call('203.0.113.9'), trusted: true }, replaced, nobody), true);
  });

  it('lets in a user from where it is registered', async () => {
    const lookup = async (aor: string) => {
      assert.equal(aor, uri);
      return [{ source: { transport: 'udp', address: '203.0.113.9', port: 5062 } as const }];
    };
    assert.equal(await mayReplace(call('203.0.113.9'), replaced, lookup), true);
    assert.equal(await mayReplace(call('203.0.113.10'), replaced, lookup), false);
  });
});
