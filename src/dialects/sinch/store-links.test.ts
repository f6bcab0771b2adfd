import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkSigner } from '../../auth/signed-link.ts';
import { FakeClock } from '../../clock.ts';
import { Secret } from '../../secret.ts';
import { StoreLinks, storeUrl } from './store-links.ts';

test('a link is for one file and for a week', () => {
  const clock = new FakeClock();
  const links = new StoreLinks(new LinkSigner(new Secret('key')), clock);
  const url = new URL(links.url('https://callreel.example', 'my recording.mp3'));
  assert.equal(url.origin + url.pathname, storeUrl('https://callreel.example', 'my recording.mp3'));
  assert.equal(url.pathname, '/calling/v1/recording/my%20recording.mp3');
  const query = Object.fromEntries(url.searchParams);
  links.verify('my recording.mp3', query);
  assert.throws(() => links.verify('another.mp3', query), { code: 'LINK_INVALID' });
  clock.advanceMs(7 * 24 * 3600 * 1000 + 1);
  assert.throws(() => links.verify('my recording.mp3', query), { code: 'LINK_EXPIRED' });
});
