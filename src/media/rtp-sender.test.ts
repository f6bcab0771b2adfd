import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RtpPacketView, RtpParser } from '../rtp/packet.ts';
import type { TransportPort } from '../rtp/transport.ts';
import { RtpSender } from './rtp-sender.ts';

/** Keeps what was committed; the sending itself is the transport's own test. */
class CollectingPort implements TransportPort {
  readonly port = 4000;
  readonly sent: { packet: RtpPacketView; address: string; port: number }[] = [];
  #reserved = new Uint8Array(0);

  reserve(maxBytes: number): Uint8Array {
    this.#reserved = new Uint8Array(maxBytes);
    return this.#reserved;
  }

  commit(bytes: number, address: string, port: number): void {
    const packet = new RtpPacketView();
    assert.equal(new RtpParser().parse(this.#reserved.subarray(0, bytes), packet), true);
    this.sent.push({ packet, address, port });
  }

  close(): void {}
}

const slot = (fill: number): Uint8Array => new Uint8Array(160).fill(fill);

function newSender(ptimeMs: number): { sender: RtpSender; port: CollectingPort } {
  const port = new CollectingPort();
  const sender = new RtpSender(port);
  sender.setFormat({ codec: 'PCMA', payloadType: 8, clockRateHz: 8000 }, ptimeMs);
  return { sender, port };
}

describe('RtpSender', () => {
  for (const ptimeMs of [10, 20, 30, 40, 60])
    it(`makes packets of ${ptimeMs} ms without a seam`, () => {
      const { sender, port } = newSender(ptimeMs);
      for (let i = 0; i < 12; i++) sender.send(slot(i), '192.0.2.1', 5000);
      const packets = port.sent.map(({ packet }) => packet);
      assert.equal(packets.length, 240 / ptimeMs);
      const bytes = packets.flatMap((packet) => [...packet.payload()]);
      assert.deepEqual(
        bytes,
        Array.from({ length: 1920 }, (_, i) => Math.floor(i / 160)),
      );
      for (const [i, packet] of packets.entries()) {
        assert.equal(packet.marker, i === 0);
        assert.equal(packet.payloadType, 8);
        assert.equal(packet.ssrc, sender.ssrc);
        assert.equal(packet.sequenceNumber, (packets[0]!.sequenceNumber + i) & 0xffff);
        assert.equal(packet.timestamp, (packets[0]!.timestamp + i * ptimeMs * 8) >>> 0);
      }
    });

  it('counts the time it did not send and marks the first packet after it', () => {
    const { sender, port } = newSender(40);
    for (let i = 0; i < 3; i++) sender.send(slot(i), '192.0.2.1', 5000);
    sender.skip(7);
    for (let i = 0; i < 2; i++) sender.send(slot(i), '192.0.2.2', 5002);
    const [before, after] = port.sent;
    assert.equal(port.sent.length, 2);
    assert.equal(after!.packet.marker, true);
    assert.equal((after!.packet.timestamp - before!.packet.timestamp) >>> 0, 10 * 160);
    assert.equal(after!.packet.sequenceNumber, (before!.packet.sequenceNumber + 1) & 0xffff);
    assert.deepEqual([after!.address, after!.port], ['192.0.2.2', 5002]);
  });

  it('goes on with one SSRC, sequence and time when the format changes', () => {
    const { sender, port } = newSender(20);
    sender.send(slot(1), '192.0.2.1', 5000);
    sender.setFormat({ codec: 'PCMU', payloadType: 0, clockRateHz: 8000 }, 20);
    sender.sendSamples(new Int16Array(160), '192.0.2.1', 5000);
    const [before, after] = port.sent.map(({ packet }) => packet);
    assert.equal(after!.payloadType, 0);
    assert.deepEqual(after!.payload(), new Uint8Array(160).fill(0xff));
    assert.equal(after!.ssrc, before!.ssrc);
    assert.equal((after!.timestamp - before!.timestamp) >>> 0, 160);
    assert.equal((after!.sequenceNumber - before!.sequenceNumber) & 0xffff, 1);
  });
});
