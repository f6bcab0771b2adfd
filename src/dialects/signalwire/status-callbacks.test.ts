import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../clock.ts';
import { identityOf } from './identity.ts';
import { StatusCallbacks, type StatusPost } from './status-callbacks.ts';

const identity = identityOf('a', 'local');

function told(statusUrl?: string) {
  const posts: StatusPost[] = [];
  const clock = new FakeClock({ unixMs: 2000 });
  const statuses = new StatusCallbacks({ clock, identity, statusUrl, post: (post) => void posts.push(post) });
  return { posts, statuses };
}

test('an event of a call names the call, its session and its account', () => {
  const { posts, statuses } = told();
  statuses.callEvent('http://app.example', 'leg', 'swml:s', 'calling.call.play', { state: 'playing' });
  assert.deepEqual(posts, [
    {
      ...{ callId: 'leg', url: 'http://app.example', type: 'calling.call.play', form: 'signalwire' },
      body: {
        event_type: 'calling.call.play',
        event_channel: 'swml:s',
        timestamp: 2,
        project_id: 'a',
        space_id: identity.spaceId,
        params: { call_id: 'leg', node_id: identity.nodeId, state: 'playing' },
      },
    },
  ]);
});

test("what has no URL of its own goes to whoever is told of the call, else to the server's, else to nobody", () => {
  const urlsOf = ({ posts }: { posts: StatusPost[] }) => posts.map(({ url }) => url);
  const alone = told();
  const server = told('http://server.example');
  for (const { statuses } of [alone, server]) {
    statuses.callerEvent('leg', 'swml:s', 'user_event', {});
    statuses.listen('leg', 'http://call.example');
    statuses.callerEvent('leg', 'swml:s', 'user_event', {});
    statuses.callerEvent('leg', 'swml:s', 'calling.call.connect', {}, 'http://call.example');
    statuses.forget('leg');
    statuses.callerEvent('leg', 'swml:s', 'user_event', {});
  }
  assert.deepEqual(urlsOf(alone), ['http://call.example']);
  assert.deepEqual(urlsOf(server), ['http://server.example', 'http://call.example', 'http://server.example']);
});

test('what no database keeps stands in no event, wherever it came from', () => {
  const { posts, statuses } = told();
  const event = { a: 'x\0y', b: ['\ud800', { 'k\0': 'J\u00f6rg \u{1f600}' }], n: 1, z: null };
  statuses.callEvent('http://app.example', 'leg', 'swml:s', 'user_event', { event });
  const { params } = posts[0]!.body as { params: Record<string, unknown> };
  assert.deepEqual(params.event, {
    ...{ a: 'x\ufffdy', b: ['\ufffd', { 'k\ufffd': 'J\u00f6rg \u{1f600}' }], n: 1, z: null },
  });
});
