import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../secret.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { headerValue, headerValues, type SipRequest, type SipResponse } from './message.ts';
import { parseMessage } from './parser.ts';
import { type RedirectConsent, RedirectTargets } from './redirect.ts';
import { buildResponse, type ResponseOptions } from './serializer.ts';
import { RawPeer, recordingHandlers, requestText, sdp, startUserAgent } from './test-peers.ts';

throwOnUnlistedTransitions();

function redirection(status: number, ...contacts: string[]): SipResponse {
  const request = parseMessage(Buffer.from(requestText('INVITE', 5060, {})));
  assert.ok(request.ok && request.message.kind === 'request');
  const headers = contacts.map((value) => ({ name: 'Contact', value }));
  const response = parseMessage(buildResponse(request.message, status, { toTag: 'x', headers }).bytes);
  assert.ok(response.ok && response.message.kind === 'response');
  return response.message;
}

function all(targets: RedirectTargets): string[] {
  const uris: string[] = [];
  for (let uri = targets.next(); uri !== undefined; uri = targets.next()) uris.push(uri);
  return uris;
}

test('the preferred contact first, each place once, never back', () => {
  const targets = new RedirectTargets('sip:a@one.example.com');
  assert.ok(
    targets.add(
      redirection(
        302,
        '<sip:b@two.example.com>;q=0.3, <sip:c@three.example.com>',
        '<sip:a@ONE.example.com>, <sip:d@four.example.com>;q=0.7',
      ),
    ),
  );
  assert.equal(targets.next(), 'sip:c@three.example.com');
  // Deeper advice is tried before what is left of the first, and a loop leads nowhere.
  targets.add(redirection(301, '<sip:c@three.example.com>, <sip:e@five.example.com>;q=0.1'));
  assert.deepEqual(all(targets), [
    'sip:e@five.example.com',
    'sip:d@four.example.com',
    'sip:b@two.example.com',
  ]);
});

test('what is no place to call is left out', () => {
  const targets = new RedirectTargets('sip:a@one.example.com');
  const contacts = ['<mailto:a@b.c>', '<sip:x@y.z?Route=evil>', '<sip:x@y.z;method=BYE>', 'nonsense <'];
  targets.add(redirection(300, ...contacts));
  assert.deepEqual(all(targets), []);
  for (const status of [305, 380, 404]) assert.equal(targets.add(redirection(status, '<sip:b@c.d>')), false);
});

test('both the contacts and the redirections are counted', () => {
  const targets = new RedirectTargets('sip:a@one.example.com');
  targets.add(redirection(302, ...Array.from({ length: 40 }, (_, index) => `<sip:${index}@x.example.com>`)));
  assert.equal(all(targets).length, 10);
  for (let round = 2; round <= 5; round++) assert.ok(targets.add(redirection(302, `<sip:r${round}@x.com>`)));
  assert.equal(targets.add(redirection(302, '<sip:last@x.com>')), false);
});

/** A call to a raw peer, which may redirect it to another one. */
async function place(redirect?: RedirectConsent) {
  const client = await startUserAgent();
  const [first, second] = [await RawPeer.open(0), await RawPeer.open(0)];
  const caller = recordingHandlers();
  const call = client.invite({
    requestUri: `sip:callee@127.0.0.1:${first.port}`,
    from: '<sip:caller@example.com>',
    offer: sdp,
    credentials: { username: 'caller', password: new Secret('secret') },
    redirect,
    handlers: caller.handlers,
  });
  const answer = (peer: RawPeer, request: SipRequest, status: number, options: ResponseOptions = {}) =>
    peer.send(buildResponse(request, status, { toTag: 'a', ...options }).bytes.toString(), request.via.port);
  const moved = (peer: RawPeer, request: SipRequest, ...uris: string[]) =>
    answer(peer, request, 302, { headers: uris.map((uri) => ({ name: 'Contact', value: `<${uri}>` })) });
  const close = async () => {
    await client.close();
    first.close();
    second.close();
  };
  return { client, first, second, caller, call, answer, moved, close };
}

test('a call follows a redirection that its caller consents to', async () => {
  const asked: string[] = [];
  const consent: RedirectConsent = (uri) => {
    asked.push(uri);
    return !uri.includes('forbidden');
  };
  const { first, second, caller, call, answer, moved, close } = await place(consent);
  const invite = await first.incoming('INVITE');
  const target = `sip:elsewhere@127.0.0.1:${second.port}`;
  moved(first, invite, 'sip:forbidden@192.0.2.1', target);
  const again = await second.incoming('INVITE');
  assert.deepEqual(asked, ['sip:forbidden@192.0.2.1', target]);
  assert.equal(again.uri, target);
  assert.equal(again.callId, invite.callId);
  assert.equal(headerValue(again, 'to'), headerValue(invite, 'to'));
  assert.equal(headerValue(again, 'from'), headerValue(invite, 'from'));
  assert.equal(again.cseq.sequence, invite.cseq.sequence + 1);
  const contact = { name: 'Contact', value: `<${target}>` };
  answer(second, again, 200, { headers: [contact], body: { contentType: 'application/sdp', content: sdp } });
  await caller.events.until((event) => event === 'established');
  assert.equal(call.peer.port, second.port);
  call.end();
  answer(second, await second.incoming('BYE'), 200);
  await close();
});

test('without consent, and without the callback, the redirection is the end', async () => {
  for (const redirect of [undefined, () => false]) {
    const { first, second, caller, moved, close } = await place(redirect);
    moved(first, await first.incoming('INVITE'), `sip:elsewhere@127.0.0.1:${second.port}`);
    await caller.events.until((event) => event.startsWith('ended'));
    assert.equal(caller.ends[0]?.status, 302);
    assert.deepEqual(second.texts, []);
    await close();
  }
});

test('the new place gets no credentials; where it refuses the next is called, and a 6xx ends it', async () => {
  const { first, second, caller, answer, moved, close } = await place(() => true);
  const target = (user: string) => `sip:${user}@127.0.0.1:${second.port}`;
  moved(first, await first.incoming('INVITE'), target('b'), target('c'), target('d'));
  const challenge = { name: 'WWW-Authenticate', value: 'Digest realm="r", nonce="n", qop="auth"' };
  answer(second, await second.incoming('INVITE'), 401, { headers: [challenge] });
  const next = await second.incoming('INVITE');
  assert.equal(next.uri, target('c'));
  assert.ok(!second.texts.some((text) => /^Authorization/m.test(text)));
  answer(second, next, 600);
  await caller.events.until((event) => event.startsWith('ended'));
  assert.deepEqual(caller.ends, [{ cause: 'rejected', status: 600, reason: 'Busy Everywhere' }]);
  await close();
});

test('the end of the call while a redirection is being considered', async () => {
  const { promise: considering, resolve: consider } = Promise.withResolvers<void>();
  const { promise: consented, resolve: consent } = Promise.withResolvers<boolean>();
  const { first, second, caller, call, moved, client, close } = await place(() => {
    consider();
    return consented;
  });
  moved(first, await first.incoming('INVITE'), `sip:b@127.0.0.1:${second.port}`);
  await considering;
  call.end();
  consent(true);
  assert.equal(await caller.events.until((event) => event.startsWith('ended')), 'ended local');
  await close();
  assert.deepEqual(second.texts, []);
  assert.equal(client.stats().sessions, 0);
});

test('an INVITE along a route: loose, and by a strict router', async () => {
  const client = await startUserAgent();
  const peer = await RawPeer.open(0);
  const hop = `sip:edge@127.0.0.1:${peer.port}`;
  const { handlers, events } = recordingHandlers();
  for (const [first, uri, routes] of [
    [`<${hop};lr>`, 'sip:bob@phone.example.com', [`<${hop};lr>`, '<sip:core.example.com;lr>']],
    [`<${hop}>`, hop, ['<sip:core.example.com;lr>', '<sip:bob@phone.example.com>']],
  ] as const) {
    client.invite({
      requestUri: 'sip:bob@phone.example.com',
      from: '<sip:caller@example.com>',
      offer: sdp,
      route: [first, '<sip:core.example.com;lr>'],
      handlers,
    });
    const invite = await peer.incoming('INVITE');
    assert.equal(invite.uri, uri);
    assert.deepEqual(headerValues(invite, 'route'), routes);
    const text = buildResponse(invite, 486, { toTag: 'a' }).bytes.toString();
    peer.send(text, invite.via.port);
    // RFC 3261 section 17.1.1.3: the ACK goes the same way.
    const ack = await peer.incoming('ACK');
    assert.deepEqual(headerValues(ack, 'route'), routes);
    await events.until((event) => event.startsWith('ended'));
  }
  await client.close();
  peer.close();
});
