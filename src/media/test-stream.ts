import assert from 'node:assert/strict';
import type { RtpPacketView } from '../rtp/packet.ts';
import type { TestPhone } from './test-phone.ts';

/** Mu-law codes, never silence, that tell who sent them and when. */
export function speech(seed: number, n: number, bytes = 160): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => 1 + ((seed * 31 + n * 7 + i * 3) % 120));
}

export const isSilent = (packet: RtpPacketView): boolean => packet.payload().every((byte) => byte === 0xff);

/** What a phone received that is no silence. */
export function loud({ received }: TestPhone): Uint8Array[] {
  return received.filter((packet) => !isSilent(packet)).map((packet) => packet.payload());
}

/** One source, every number once and in order, and a time that goes on. */
export function assertOrderly(packets: RtpPacketView[]): void {
  assert.ok(packets.length > 0);
  for (const [i, packet] of packets.entries()) {
    assert.equal(packet.ssrc, packets[0]!.ssrc);
    assert.equal(packet.sequenceNumber, (packets[0]!.sequenceNumber + i) & 0xffff, `packet ${i}`);
    if (i === 0) continue;
    const step = (packet.timestamp - packets[i - 1]!.timestamp) | 0;
    assert.ok(packet.payloadType === 101 ? step >= 0 : step > 0, `packet ${i} is ${step} behind`);
  }
}
