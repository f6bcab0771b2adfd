import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pcapHeader, pcapRecord } from './pcap.ts';
import { readPcap } from './test-pcap.ts';

const atUnixUs = 1_795_348_535_356_789;
const written = (source: string, target: string, payload: Uint8Array) => {
  const record = pcapRecord({
    atUnixUs,
    source: { address: source, port: 5060 },
    target: { address: target, port: 65_535 },
    payload,
  });
  return readPcap(Buffer.concat([pcapHeader(), record]))[0]!;
};

const addresses: [source: string, target: string, readSource: string, readTarget: string][] = [
  ['192.0.2.1', '198.51.100.255', '192.0.2.1', '198.51.100.255'],
  [
    '2001:db8::1',
    '::1',
    '2001:0db8:0000:0000:0000:0000:0000:0001',
    '0000:0000:0000:0000:0000:0000:0000:0001',
  ],
  [
    'fe80::1:2%eth0',
    '192.0.2.1',
    'fe80:0000:0000:0000:0000:0000:0001:0002',
    '0000:0000:0000:0000:0000:ffff:c000:0201',
  ],
  [
    '::ffff:192.0.2.7',
    '1:2:3:4:5:6:7:8',
    '0000:0000:0000:0000:0000:ffff:c000:0207',
    '0001:0002:0003:0004:0005:0006:0007:0008',
  ],
  ['sip.example.com', '192.0.2.1', '0.0.0.0', '192.0.2.1'],
];

for (const [source, target, readSource, readTarget] of addresses)
  test(`a datagram from ${source} to ${target}`, () => {
    for (const bytes of [0, 1, 172, 1301]) {
      const payload = Buffer.alloc(bytes, 0xa5);
      assert.deepEqual(written(source, target, payload), {
        atUnixUs,
        source: `${readSource}:5060`,
        target: `${readTarget}:65535`,
        payload,
      });
    }
  });

test('what fits no datagram is cut', () => {
  assert.equal(written('192.0.2.1', '192.0.2.2', Buffer.alloc(70_000)).payload.length, 65_507);
});

test('a checksum that comes out as zero is written as all ones', () => {
  // One after another every value of two bytes: one of them makes the sum zero, which the reader refuses.
  for (let value = 0; value < 0x10000; value++)
    written('192.0.2.1', '192.0.2.2', Buffer.from([value >> 8, value & 0xff]));
});
