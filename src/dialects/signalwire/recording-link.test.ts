import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkSigner } from '../../auth/signed-link.ts';
import { FakeClock } from '../../clock.ts';
import { Secret } from '../../secret.ts';
import { RecordingLinks } from './recording-link.ts';

const clock = new FakeClock();
const links = new RecordingLinks(new LinkSigner(new Secret('k')), clock);
const id = '0123456789abcdef';

test('W27 a link has the vendor’s path and opens its own recording for a week', () => {
  const url = new URL(links.url('https://space.example', id));
  assert.equal(url.origin + url.pathname, `https://space.example/api/v1/recordings/${id}/download`);
  const query = Object.fromEntries(url.searchParams);
  links.verify(id, query);
  assert.deepEqual(links.door(url), { recordingId: id, kind: 'mix', trackId: undefined });
  assert.throws(() => links.verify('fedcba9876543210', query), { code: 'LINK_INVALID' });
  const week = 7 * 24 * 3600 * 1000;
  const late = new RecordingLinks(
    new LinkSigner(new Secret('k')),
    new FakeClock({ unixMs: clock.unixMs() + week }),
  );
  assert.throws(() => late.verify(id, query), { code: 'LINK_EXPIRED' });
});

test('without a signature the door stays shut, and other paths are none of ours', () => {
  const bare = new URL(`http://local/api/v1/recordings/${id}/download`);
  assert.throws(() => links.door(bare), { code: 'LINK_INVALID' });
  assert.equal(links.door(new URL(`http://local/api/v1/recordings/${id}`)), undefined);
});
