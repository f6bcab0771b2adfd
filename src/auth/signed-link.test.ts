import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Secret } from '../secret.ts';
import { loadCredentials } from './credentials.ts';
import { keptSecret } from './kept-secret.ts';
import { LinkSigner } from './signed-link.ts';

const path = '/v0/media/abc/mix.wav';
const nowMs = 1_795_000_000_000;

function parts(link: string): { path: string; expires?: string; signature?: string } {
  const url = new URL(link, 'http://host');
  return { path: url.pathname, ...Object.fromEntries(url.searchParams) };
}

describe('links', () => {
  const signer = new LinkSigner(new Secret('key'));
  const link = parts(signer.sign(path, nowMs + 1000));

  test('good until the moment it expires', () => {
    signer.verify(link.path, link, nowMs);
    signer.verify(link.path, link, nowMs + 999);
    assert.throws(() => signer.verify(link.path, link, nowMs + 1000), { code: 'LINK_EXPIRED', status: 410 });
  });

  test('any change makes it invalid', () => {
    const signature = link.signature ?? '';
    const changed = [
      { ...link, path: '/v0/media/abd/mix.wav' },
      { ...link, expires: String(nowMs + 999_999) },
      { ...link, expires: `0${link.expires}` },
      { ...link, expires: `${link.expires}.0` },
      { ...link, expires: '-1' },
      { ...link, expires: '' },
      { ...link, signature: '' },
      { ...link, signature: signature.slice(1) },
      { ...link, signature: `${signature}=` },
      { ...link, signature: (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1) },
      { path: link.path, signature },
      { path: link.path, expires: link.expires },
    ];
    for (const one of changed)
      assert.throws(() => signer.verify(one.path, one, nowMs), { code: 'LINK_INVALID', status: 403 });
    assert.throws(() => signer.verify(path, { expires: [link.expires], signature }, nowMs), {
      code: 'LINK_INVALID',
    });
  });

  test('an expired and changed link is invalid, not expired', () => {
    assert.throws(() => signer.verify('/other', link, nowMs + 5000), { code: 'LINK_INVALID' });
  });

  test('another key signs otherwise', () => {
    const other = new LinkSigner(new Secret('other'));
    assert.throws(() => other.verify(link.path, link, nowMs), { code: 'LINK_INVALID' });
  });
});

describe('kept in the data directory', () => {
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'callreel-'));
  });

  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test('made once, closed to others, the same afterwards', () => {
    const link = parts(LinkSigner.fromDataDir(dir).sign(path, nowMs + 1));
    LinkSigner.fromDataDir(dir).verify(link.path, link, nowMs);
    assert.deepEqual(readdirSync(dir), ['link-key']);
    assert.equal(statSync(join(dir, 'link-key')).mode & 0o777, 0o600);
  });

  test('of two that make it at once, one wins and both use it', () => {
    let inner: Secret | undefined;
    const outer = keptSecret(dir, 'k', () => {
      inner = keptSecret(dir, 'k', () => 'inner');
      return 'outer';
    });
    assert.equal(inner?.reveal(), 'inner');
    assert.equal(outer.reveal(), 'inner');
    assert.deepEqual(readdirSync(dir), ['k']);
  });

  test('credentials: configured ones are taken, the others made and kept', () => {
    const made = loadCredentials(dir, {});
    assert.match(made.accountId, /^[0-9a-f]{16}$/);
    assert.ok(made.authToken.reveal().length >= 32);
    assert.equal(loadCredentials(dir, {}).authToken.reveal(), made.authToken.reveal());
    const given = loadCredentials(dir, { accountId: 'mine', authToken: new Secret('t') });
    assert.deepEqual([given.accountId, given.authToken.reveal()], ['mine', 't']);
    assert.equal(statSync(join(dir, 'auth-token')).mode & 0o777, 0o600);
  });
});
