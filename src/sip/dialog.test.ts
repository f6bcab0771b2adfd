import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Dialog } from './dialog.ts';
import type { SipRequest } from './message.ts';
import { parseMessage } from './parser.ts';
import { buildResponse } from './serializer.ts';
import { requestText } from './test-peers.ts';

function request(method: string, parts: Parameters<typeof requestText>[2] = {}): SipRequest {
  const result = parseMessage(Buffer.from(requestText(method, 5060, parts)));
  if (!result.ok || result.message.kind !== 'request') throw new Error('not a request');
  return result.message;
}

const routes = ['Record-Route: <sip:p1.example.com;lr>', 'Record-Route: <sip:p2.example.com;lr>'];

function headers(draft: { headers: readonly { name: string; value: string }[] }, name: string): string[] {
  return draft.headers.filter((header) => header.name === name).map(({ value }) => value);
}

test('the callee keeps the route as it came', () => {
  const dialog = Dialog.forServer(request('INVITE', { extra: routes, sequence: 7 }), 'us');
  const draft = dialog.draft('BYE');
  assert.equal(draft.uri, 'sip:caller@127.0.0.1:5060');
  assert.equal(dialog.nextHop, 'sip:p1.example.com;lr');
  assert.deepEqual(headers(draft, 'Route'), ['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>']);
  assert.deepEqual(headers(draft, 'From'), ['<sip:callee@127.0.0.1>;tag=us']);
  assert.deepEqual(headers(draft, 'To'), ['<sip:caller@127.0.0.1>;tag=from-1']);
});

test('the caller turns it round, and its ACK keeps the number of the INVITE', () => {
  const invite = request('INVITE', { sequence: 7 });
  const { bytes } = buildResponse(invite, 200, {
    toTag: 'them',
    headers: [
      ...['<sip:p2.example.com;lr>, <sip:p1.example.com;lr>'].map((value) => ({
        name: 'Record-Route',
        value,
      })),
      { name: 'Contact', value: '<sip:callee@192.0.2.7:5062>' },
    ],
  });
  const result = parseMessage(bytes);
  if (!result.ok || result.message.kind !== 'response') throw new Error('not a response');
  const dialog = Dialog.forClient({ method: 'INVITE', uri: 'sip:x@y', headers: [] }, result.message);
  const ack = dialog.draft('ACK', { sequence: 7 });
  assert.deepEqual(headers(ack, 'Route'), ['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr>']);
  assert.deepEqual(headers(ack, 'CSeq'), ['7 ACK']);
  assert.equal(ack.uri, 'sip:callee@192.0.2.7:5062');
  assert.deepEqual(headers(dialog.draft('BYE'), 'CSeq'), ['8 BYE']);
  assert.deepEqual([dialog.localTag, dialog.remoteTag], ['from-1', 'them']);
});

test('a strict router becomes the Request-URI', () => {
  const strict = ['Record-Route: <sip:old.example.com>', 'Record-Route: <sip:p2.example.com;lr>'];
  const draft = Dialog.forServer(request('INVITE', { extra: strict }), 'us').draft('BYE');
  assert.equal(draft.uri, 'sip:old.example.com');
  assert.deepEqual(headers(draft, 'Route'), ['<sip:p2.example.com;lr>', '<sip:caller@127.0.0.1:5060>']);
});

test('the order of requests, and the target they refresh', () => {
  const dialog = Dialog.forServer(request('INVITE', { sequence: 7 }), 'us');
  assert.equal(dialog.inOrder(request('INFO', { sequence: 9 })), true);
  assert.equal(dialog.inOrder(request('INFO', { sequence: 8 })), false);
  const moved = requestText('UPDATE', 5060, { sequence: 10 }).replace(
    /Contact: .*\r\n/,
    'm: <sip:new@192.0.2.9>\r\n',
  );
  const result = parseMessage(Buffer.from(moved));
  assert.ok(result.ok);
  dialog.refreshTarget(result.message);
  assert.equal(dialog.draft('BYE').uri, 'sip:new@192.0.2.9');
});
