import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { udpReceiveBufferErrors } from './udp-receive-errors.ts';

test('what finds no room in a receive buffer is counted', async () => {
  const [full, peer] = [createSocket({ type: 'udp4', recvBufferSize: 4096 }), createSocket('udp4')];
  full.bind(0, '127.0.0.1');
  await once(full, 'listening');
  const { port } = full.address();
  const before = udpReceiveBufferErrors()!;
  // Sent before the event loop turns: nobody takes them meanwhile, and there is room for a few.
  const sent = Array.from(
    { length: 200 },
    () => new Promise((resolve) => peer.send(new Uint8Array(1000), port, '127.0.0.1', resolve)),
  );
  await Promise.all(sent);
  const errors = udpReceiveBufferErrors()! - before;
  full.close();
  peer.close();
  assert.ok(errors >= 150, String(errors));
});

test('those of IPv6 are counted with those of IPv4', () => {
  const files: Record<string, string> = {
    '/proc/net/snmp': 'Tcp: InSegs\nTcp: 5\nUdp: InDatagrams NoPorts RcvbufErrors\nUdp: 7 8 9\n',
    '/proc/net/snmp6': 'Udp6InErrors 3\nUdp6RcvbufErrors                \t20\nUdpLite6RcvbufErrors 40\n',
  };
  assert.equal(
    udpReceiveBufferErrors((path) => files[path]!),
    29,
  );
});

test('where the system does not tell', () => {
  assert.equal(
    udpReceiveBufferErrors(() => ''),
    undefined,
  );
  const snmp = 'Tcp: InSegs\nTcp: 5\nUdp: InDatagrams NoPorts RcvbufErrors\nUdp: 7 8 9\n';
  assert.equal(
    udpReceiveBufferErrors((path) => (path.endsWith('snmp') ? snmp : '')),
    9,
  );
});
