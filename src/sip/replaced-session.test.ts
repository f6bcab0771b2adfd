import assert from 'node:assert/strict';
import { test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { tagOf } from './name-address.ts';
import { formatReplaces, parseReplaces, replacesOf } from './replaces.ts';
import { buildResponse } from './serializer.ts';
import type { SipSession } from './session.ts';
import {
  Arrivals,
  portOf,
  quickTimers,
  RawPeer,
  recordingHandlers,
  sdp,
  startUserAgent,
} from './test-peers.ts';

throwOnUnlistedTransitions();

test('the header, there and back', () => {
  const replaces = { callId: '425928@bobster.example.org', toTag: '7743', fromTag: '6472', earlyOnly: false };
  // The example of RFC 3891 section 6.1.
  assert.deepEqual(parseReplaces('425928@bobster.example.org;to-tag=7743;from-tag=6472'), replaces);
  assert.deepEqual(parseReplaces(`${formatReplaces(replaces)};early-only`), { ...replaces, earlyOnly: true });
  for (const broken of [
    '',
    'id',
    'id;to-tag=a',
    'id;from-tag=a',
    ';to-tag=a;from-tag=b',
    'a b;to-tag=a;from-tag=b',
  ])
    assert.equal(parseReplaces(broken), undefined, broken);
});

/** Accepts every call but those that ask for `ring`; keeps them in their order. */
async function setUp() {
  const sessions = new Arrivals<SipSession>();
  const handlers = recordingHandlers();
  const server = await startUserAgent({
    timers: quickTimers,
    onInvite: (session) => {
      session.handlers = handlers.handlers;
      sessions.add(session);
      if (session.headers.some(({ name }) => name === 'Ring')) session.provisional(180);
      else session.accept(sdp);
    },
  });
  const peer = await RawPeer.open(portOf(server, 'udp'));
  let calls = 0;
  const invite = async (...extra: string[]) => {
    const callId = `call-${++calls}`;
    peer.request('INVITE', { callId, body: sdp, extra });
    const response = await peer.response('INVITE', extra[0] === 'Ring: 1' ? 180 : undefined);
    const toTag = tagOf(response.to);
    if (response.status >= 200) peer.request('ACK', { callId, toTag, branch: `z9hG4bK-${callId}` });
    return { status: response.status, callId, toTag };
  };
  const close = async () => {
    peer.close();
    await server.close();
  };
  return { server, peer, sessions, handlers, invite, close };
}

test('an INVITE with Replaces names the call whose place it takes', async () => {
  const { sessions, invite, handlers, close } = await setUp();
  const first = await invite();
  await handlers.events.until((event) => event === 'established');
  const named = `${first.callId};to-tag=${first.toTag};from-tag=from-1`;
  const session = await sessions.next();
  assert.deepEqual(replacesOf(session), { ...parseReplaces(named), toTag: 'from-1', fromTag: first.toTag });
  assert.equal((await invite(`Replaces: ${named}`, 'Require: replaces')).status, 200);
  assert.equal((await sessions.next()).replacesSession, session);
  assert.equal((await invite(`Replaces: ${named};early-only`)).status, 486);
  assert.equal((await invite(`Replaces: ${named}`, `Replaces: ${named}`)).status, 400);
  assert.equal((await invite(`Replaces: ${named}`, 'Join: x;to-tag=a;from-tag=b')).status, 400);
  assert.equal((await invite('Join: x;to-tag=a;from-tag=b', 'Require: join')).status, 420);
  assert.equal((await invite(`Replaces: other;to-tag=${first.toTag};from-tag=from-1`)).status, 481);
  assert.equal((await invite(`Replaces: ${first.callId};to-tag=${first.toTag};from-tag=x`)).status, 481);
  assert.equal((await invite(`Replaces: ${first.callId};to-tag=x;from-tag=from-1`)).status, 481);
  // Ended by us, and its BYE not answered yet.
  session.end();
  assert.equal((await invite(`Replaces: ${named}`)).status, 603);
  await close();
});

test('a call that rings here is not replaced, one that we ring for is', async () => {
  const { server, peer, sessions, invite, close } = await setUp();
  const ringing = await invite('Ring: 1');
  const named = `Replaces: ${ringing.callId};to-tag=${ringing.toTag};from-tag=from-1`;
  assert.equal((await invite(named)).status, 481);
  const { handlers, events } = recordingHandlers();
  const call = server.invite({
    requestUri: `sip:callee@127.0.0.1:${peer.port}`,
    from: '<sip:us@example.com>',
    offer: sdp,
    handlers,
  });
  const request = await peer.incoming('INVITE');
  const ours = tagOf(request.from);
  peer.send(buildResponse(request, 180, { toTag: 'early' }).bytes.toString(), request.via.port);
  await events.until((event) => event === 'progress 180');
  assert.equal(
    (await invite(`Replaces: ${call.callId};to-tag=${ours};from-tag=early;early-only`)).status,
    200,
  );
  assert.equal((await sessions.next()).direction, 'incoming');
  assert.equal((await sessions.next()).replacesSession, call);
  await close();
});
