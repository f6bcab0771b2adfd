import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { headerValue } from './message.ts';
import { tagOf } from './name-address.ts';
import type { SipSession } from './session.ts';
import {
  portOf,
  RawPeer,
  type RequestParts,
  recordingHandlers,
  requestText,
  sdp,
  startUserAgent,
} from './test-peers.ts';
import type { UserAgent } from './user-agent.ts';

throwOnUnlistedTransitions();

let server: UserAgent;
let peer: RawPeer;
const rung: SipSession[] = [];
const { handlers, events, ends } = recordingHandlers();

before(async () => {
  server = await startUserAgent({
    onInvite: (session) => {
      session.handlers = handlers;
      rung.push(session);
      session.provisional(180);
      events.add('rings');
    },
  });
  peer = await RawPeer.open(portOf(server, 'udp'));
});

after(async () => {
  await server.close();
  peer.close();
});

interface Case {
  what: string;
  method: string;
  parts: Partial<RequestParts>;
  status: number;
  header?: [key: string, value: RegExp];
}

const cases: Case[] = [
  { what: 'OPTIONS', method: 'OPTIONS', parts: {}, status: 200, header: ['accept', /application\/sdp/] },
  { what: 'a method we refuse', method: 'SUBSCRIBE', parts: {}, status: 405, header: ['allow', /INVITE/] },
  { what: 'REGISTER without a registrar', method: 'REGISTER', parts: {}, status: 405 },
  { what: 'a method nobody knows', method: 'DANCE', parts: {}, status: 501, header: ['allow', /INVITE/] },
  { what: 'a scheme nobody knows', method: 'OPTIONS', parts: { uri: 'beep:x' }, status: 416 },
  {
    what: 'an extension we lack',
    method: 'INVITE',
    parts: { extra: ['Require: teleport, warp'] },
    status: 420,
    header: ['unsupported', /^teleport, warp$/],
  },
  {
    what: 'a body we cannot read',
    method: 'INVITE',
    parts: { extra: ['Content-Type: text/plain'], body: 'hello' },
    status: 415,
    header: ['accept', /application\/sdp/],
  },
  {
    what: 'an encoded body',
    method: 'INVITE',
    parts: { extra: ['Content-Encoding: gzip'], body: 'x' },
    status: 415,
    header: ['accept-encoding', /identity/],
  },
  { what: 'a BYE for no dialog', method: 'BYE', parts: { toTag: 'gone' }, status: 481 },
  { what: 'a BYE without a tag', method: 'BYE', parts: {}, status: 481 },
  { what: 'an INVITE for no dialog', method: 'INVITE', parts: { toTag: 'gone', body: sdp }, status: 481 },
  { what: 'a CANCEL for nothing', method: 'CANCEL', parts: { branch: 'z9hG4bK-none' }, status: 481 },
  { what: 'a broken Request-URI', method: 'OPTIONS', parts: { uri: 'sip:a b@c' }, status: 400 },
  { what: 'a broken Max-Forwards', method: 'OPTIONS', parts: { extra: ['Max-Forwards: many'] }, status: 400 },
];

for (const [index, { what, method, parts, status, header }] of cases.entries()) {
  test(`${what}: ${status}`, async () => {
    peer.request(method, { callId: `case-${index}`, ...parts });
    const response = await peer.response(method);
    assert.equal(response.status, status);
    assert.equal(response.callId, `case-${index}`);
    assert.ok(tagOf(response.to));
    if (header !== undefined) assert.match(headerValue(response, header[0]) ?? '', header[1]);
  });
}

test('an unsupported version: 505', async () => {
  peer.send(requestText('OPTIONS', peer.port, { callId: 'v7' }).replace('SIP/2.0\r\n', 'SIP/7.0\r\n'));
  assert.equal((await peer.response('OPTIONS')).status, 505);
});

test('100 at once, retransmissions absorbed, CANCEL: 200 and 487, one end', async () => {
  const invite = { callId: 'ring', body: sdp, branch: 'z9hG4bK-ring' };
  peer.request('INVITE', invite);
  assert.equal(headerValue(await peer.response('INVITE', 100), 'call-id'), 'ring');
  const ringing = await peer.response('INVITE', 180);
  const before = rung.length;
  peer.request('INVITE', invite);
  // The last provisional again, and no second call.
  assert.equal(tagOf((await peer.response('INVITE', 180)).to), tagOf(ringing.to));
  assert.equal(rung.length, before);
  // The same request by another way: section 8.2.2.2.
  peer.request('INVITE', { ...invite, branch: 'z9hG4bK-other' });
  assert.equal((await peer.response('INVITE')).status, 482);
  // A second INVITE in the early dialog while the first one is unanswered: section 14.2.
  peer.request('INVITE', { ...invite, branch: 'z9hG4bK-re', sequence: 2, toTag: tagOf(ringing.to) });
  const pending = await peer.response('INVITE');
  assert.equal(pending.status, 500);
  assert.match(headerValue(pending, 'retry-after') ?? '', /^\d+$/);
  peer.request('CANCEL', { callId: 'ring', branch: 'z9hG4bK-ring' });
  assert.equal((await peer.response('CANCEL')).status, 200);
  const final = await peer.response('INVITE', 487, 1);
  peer.request('ACK', { ...invite, toTag: tagOf(final.to) });
  await events.until((event) => event === 'ended cancelled');
  assert.equal(ends.filter(({ cause }) => cause === 'cancelled').length, 1);
});

test('a BYE in the early dialog: 200 and 487', async () => {
  peer.request('INVITE', { callId: 'early', body: sdp });
  const toTag = tagOf((await peer.response('INVITE', 180)).to);
  peer.request('BYE', { callId: 'early', toTag, sequence: 2 });
  assert.equal((await peer.response('BYE')).status, 200);
  assert.equal((await peer.response('INVITE')).status, 487);
  peer.request('ACK', { callId: 'early', toTag, branch: 'z9hG4bK-INVITE-1-early' });
  await events.until((event) => event === 'ended remote');
});

test('end() before the answer refuses the call', async () => {
  peer.request('INVITE', { callId: 'refused', body: sdp });
  const toTag = tagOf((await peer.response('INVITE', 180)).to);
  rung.at(-1)?.end();
  assert.equal((await peer.response('INVITE')).status, 480);
  peer.request('ACK', { callId: 'refused', toTag, branch: 'z9hG4bK-INVITE-1-refused' });
  await events.until((event) => event === 'ended local');
});

test('the Via of a response carries received and rport', async () => {
  const text = requestText('OPTIONS', peer.port, { callId: 'nat' });
  peer.send(text.replace(/127\.0\.0\.1:\d+;branch/, '10.1.2.3;rport;branch'));
  const { via } = await peer.response('OPTIONS');
  assert.equal(via.parameters.get('received'), '127.0.0.1');
  assert.equal(via.parameters.get('rport'), String(peer.port));
});

test('a stream that lost its frame is told why and closed', async () => {
  const socket = connect(portOf(server, 'tcp'), '127.0.0.1');
  const text = requestText('OPTIONS', 5060, { callId: 'stream' }).replace('/UDP', '/TCP');
  socket.write(`\r\n\r\n${text}`);
  socket.write(text.replace(/Content-Length.*\r\n/, '').replace('stream', 'lost'));
  let received = '';
  for await (const chunk of socket) received += String(chunk);
  assert.ok(received.startsWith('\r\nSIP/2.0 200'));
  assert.match(received, /SIP\/2\.0 400 Missing Content-Length/);
});

test('every torture message of RFC 4475 leaves the user agent answering', async () => {
  const folder = new URL('../../test/data/rfc4475/', import.meta.url);
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.dat'))) {
    peer.send(readFileSync(new URL(name, folder), 'latin1'));
    for (const session of rung.splice(0)) session.end();
  }
  peer.request('OPTIONS', { callId: 'still-there' });
  assert.equal((await peer.response('OPTIONS')).callId, 'still-there');
  for (const session of rung.splice(0)) session.end();
});
