import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import type { CounterMode, NewCounterMode } from './counter-mode.ts';
import { newCounterMode, nodeCounterMode } from './counter-modes.ts';
import { openOpensslCounterMode } from './openssl-counter-mode.ts';

const keysOf = (authenticationKeyBytes: number) => ({
  cipherKey: randomBytes(16),
  salt: randomBytes(14),
  authenticationKey: randomBytes(authenticationKeyBytes),
});

/** Two of each, so that what one leaves in memory that both use would be seen. */
const pairs = (): [CounterMode, CounterMode][] =>
  [keysOf(20), keysOf(0), keysOf(64)].map((keys) => [newCounterMode(keys), nodeCounterMode(keys)]);

test('what this thread protects with is the OpenSSL of Node, called directly', () => {
  const keys = keysOf(20);
  assert.notEqual(newCounterMode(keys).constructor, nodeCounterMode(keys).constructor);
});

test('both ways make the same of packets of any length, by any index', () => {
  const modes = pairs();
  for (const length of [0, 1, 11, 12, 13, 28, 172, 2047, 2048, 2049, 4096, 70_000])
    for (const [direct, node] of modes) {
      const plain = randomBytes(length);
      const [ssrc, roc, sequence] = [randomInt(2 ** 32), randomInt(2 ** 32), randomInt(2 ** 16)] as const;
      const from = Math.min(12, length);
      const packets = [direct, node].map((mode) => {
        const packet = Uint8Array.from(plain);
        mode.crypt(packet, from, length, ssrc, roc, sequence);
        return packet;
      });
      assert.deepEqual(packets[0], packets[1], `${length} bytes`);
      for (const counter of [undefined, roc])
        assert.deepEqual(
          Buffer.from(direct.tag(plain, length, counter)),
          Buffer.from(node.tag(plain, length, counter)),
          `${length} bytes`,
        );
      direct.crypt(packets[0]!, from, length, ssrc, roc, sequence);
      assert.deepEqual(packets[0], Uint8Array.from(plain), `${length} bytes, there and back`);
    }
});

test('HMAC-SHA1 by RFC 2202, cases 1 and 2', () => {
  const [cipherKey, salt] = [new Uint8Array(16), new Uint8Array(14)];
  for (const [key, text, expected] of [
    [Buffer.alloc(20, 0x0b), 'Hi There', 'b617318655057264e28bc0b6fb378c8ef146be00'],
    [Buffer.from('Jefe'), 'what do ya want for nothing?', 'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79'],
  ] as const)
    for (const make of [newCounterMode, nodeCounterMode]) {
      const mode = make({ cipherKey, salt, authenticationKey: key });
      const tag = mode.tag(Buffer.from(text), text.length, undefined);
      assert.equal(Buffer.from(tag).toString('hex'), expected);
    }
});

test('one that gives other results is not used', () => {
  assert.ok(openOpensslCounterMode(nodeCounterMode));
  const otherTags: NewCounterMode = (keys) => {
    const mode = nodeCounterMode(keys);
    return { crypt: mode.crypt.bind(mode), tag: () => new Uint8Array(20) };
  };
  const otherKeyStream: NewCounterMode = (keys) => {
    const mode = nodeCounterMode(keys);
    return { crypt: () => undefined, tag: mode.tag.bind(mode) };
  };
  assert.equal(openOpensslCounterMode(otherTags), undefined);
  assert.equal(openOpensslCounterMode(otherKeyStream), undefined);
});
