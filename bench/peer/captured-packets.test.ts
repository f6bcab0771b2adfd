import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countCaptured } from './captured-packets.ts';

/** Little endian, with packets of so many bytes. */
function pcap(...lengths: number[]): Buffer {
  const file = Buffer.alloc(24);
  file.writeUInt32LE(0xa1b2c3d4);
  const packets = lengths.map((length) => {
    const packet = Buffer.alloc(16 + length);
    packet.writeUInt32LE(length, 8);
    packet.writeUInt32LE(length, 12);
    return packet;
  });
  return Buffer.concat([file, ...packets]);
}

test('packets of a capture are counted', () => {
  assert.equal(countCaptured(pcap()), 0);
  assert.equal(countCaptured(pcap(200, 0, 172)), 3);
});

test('a capture that ends within a packet is refused, and what is none', () => {
  for (const file of [
    pcap(200).subarray(0, -1),
    pcap(200, 1).subarray(0, -16),
    Buffer.alloc(24),
    Buffer.alloc(3),
  ])
    assert.throws(() => countCaptured(file), Error);
});
