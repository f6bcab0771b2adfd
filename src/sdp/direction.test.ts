import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Direction, intersect, mediaAddress, mediaDirection, reverse } from './direction.ts';
import { parseSessionDescription } from './session-description.ts';

function stream(...lines: string[]) {
  const session = parseSessionDescription(['v=0', ...lines].join('\n'));
  return [session, session.media[0]!] as const;
}

test('reverse and intersect', () => {
  const all: Direction[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];
  assert.deepEqual(all.map(reverse), ['sendrecv', 'recvonly', 'sendonly', 'inactive']);
  for (const direction of all) {
    assert.equal(intersect(direction, 'sendrecv'), direction);
    assert.equal(intersect('inactive', direction), 'inactive');
  }
  assert.equal(intersect('sendonly', 'recvonly'), 'inactive');
});

test('the stream states its direction, else the session does, else it is both ways', () => {
  const media = 'm=audio 4000 RTP/AVP 0';
  assert.equal(mediaDirection(...stream(media)), 'sendrecv');
  assert.equal(mediaDirection(...stream('a=sendonly', media)), 'sendonly');
  assert.equal(mediaDirection(...stream('a=sendonly', media, 'a=direction:both', 'a=inactive')), 'inactive');
});

test('a connection address of zeros means the writer receives nothing', () => {
  for (const connection of ['c=IN IP4 0.0.0.0', 'c=IN IP6 ::', 'c=IN IP6 0:0:0:0:0:0:0:0']) {
    assert.equal(mediaDirection(...stream('m=audio 4000 RTP/AVP 0', connection)), 'sendonly');
    assert.equal(mediaDirection(...stream(connection, 'm=audio 4000 RTP/AVP 0', 'a=recvonly')), 'inactive');
    assert.equal(mediaAddress(...stream(connection, 'm=audio 4000 RTP/AVP 0')), undefined);
  }
});

test('only an address that can be sent to is given', () => {
  const at = (...lines: string[]) => mediaAddress(...stream(...lines));
  const media = 'm=audio 4000 RTP/AVP 0';
  assert.deepEqual(at('c=IN IP4 192.0.2.7', media), { address: '192.0.2.7', port: 4000 });
  assert.deepEqual(at('c=IN IP4 192.0.2.7', media, 'c=IN IP6 2001:db8::7'), {
    address: '2001:db8::7',
    port: 4000,
  });
  assert.equal(at(media), undefined);
  assert.equal(at('c=IN IP4 phone.example', media), undefined);
  assert.equal(at('c=IN IP4 X.X.X.X', media), undefined);
  assert.equal(at('c=IN IP4 224.2.1.1/127', media), undefined);
  assert.equal(at('c=IN IP6 ff15::101', media), undefined);
  assert.equal(at('c=IN IP4 255.255.255.255', media), undefined);
  assert.equal(at('c=IN IP4 192.0.2.7', 'm=audio 0 RTP/AVP 0'), undefined);
});

test('an IPv4 address written as IPv6 is what it stands for', () => {
  const at = (address: string) => mediaAddress(...stream(`c=IN IP6 ${address}`, 'm=audio 4000 RTP/AVP 0'));
  for (const address of ['::ffff:192.0.2.7', '::ffff:c000:207', '2001:db8::ffff:224.0.0.1'])
    assert.deepEqual(at(address), { address, port: 4000 });
  for (const address of [
    '::ffff:224.0.0.1',
    '::FFFF:e000:1',
    '0:0:0:0:0:ffff:ffff:ffff',
    '::ffff:0.0.0.0',
    '::0.0.0.0',
  ])
    assert.equal(at(address), undefined, address);
});
