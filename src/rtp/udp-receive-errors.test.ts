import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { udpReceiveBufferErrors } from './udp-receive-errors.ts';

test('what finds no room in a receive buffer is counted, of IPv4 and IPv6', async () => {
  for (const [type, address] of [
    ['udp4', '127.0.0.1'],
    ['udp6', '::1'],
  ] as const) {
    const [full, peer] = [createSocket({ type, recvBufferSize: 4096 }), createSocket(type)];
    full.bind(0, address);
    await once(full, 'listening');
    const before = udpReceiveBufferErrors()!;
    // Sent before the event loop turns: nobody takes them meanwhile.
    const { port } = full.address();
    const sent = Array.from(
      { length: 200 },
      () => new Promise((resolve) => peer.send(new Uint8Array(1000), port, address, resolve)),
    );
    await Promise.all(sent);
    while (udpReceiveBufferErrors()! === before) await sleep(1);
    assert.ok(udpReceiveBufferErrors()! - before > 0);
    full.close();
    peer.close();
  }
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
