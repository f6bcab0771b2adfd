import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NegotiatedCodec } from './control.ts';
import { type Packetizer, packetizerFor } from './packetizer.ts';
import { formats } from './test-voice.ts';

/** Keeps the payloads' bytes and lengths in RTP time. */
class Collector {
  readonly payloads: Uint8Array[] = [];
  readonly ticks: number[] = [];
  pausedTicks = 0;

  payload(bytes: Uint8Array, ticks: number): void {
    this.payloads.push(bytes.slice());
    this.ticks.push(ticks);
  }

  pause(ticks: number): void {
    this.pausedTicks += ticks;
  }
}

function slotOf(packetizer: Packetizer, n: number): Int16Array {
  const samples = packetizer.encoding.rateHz / 50;
  return Int16Array.from(
    { length: samples },
    (_, i) => 5000 * Math.sin(((n * samples + i) * 2800) / packetizer.encoding.rateHz),
  );
}

function pushAll(format: NegotiatedCodec, ptimeMs: number, slots: number): Collector {
  const packetizer = packetizerFor(format, ptimeMs);
  const sink = new Collector();
  for (let n = 0; n < slots; n++) packetizer.pushSamples(slotOf(packetizer, n), sink);
  return sink;
}

describe('Packetizer', () => {
  for (const format of [formats.pcmu, formats.g722])
    it(`cuts ${format.codec} anywhere: the bytes are the same at every packet length`, () => {
      const reference = Buffer.concat(pushAll(format, 20, 15).payloads);
      assert.equal(reference.length, 15 * 160);
      for (const ptimeMs of [10, 20, 30, 50, 60]) {
        const { payloads, ticks } = pushAll(format, ptimeMs, 15);
        assert.deepEqual(Buffer.concat(payloads), reference);
        assert.deepEqual(new Set(ticks), new Set([ptimeMs * 8]));
      }
    });

  for (const [asked, made] of [
    [10, 10],
    [20, 20],
    [30, 20],
    [40, 40],
    [50, 40],
    [60, 60],
  ] as const)
    it(`makes Opus packets of ${made} ms where ${asked} were agreed`, () => {
      const { ticks } = pushAll(formats.opus, asked, 12);
      assert.deepEqual(ticks, new Array(240 / made).fill(made * 48));
    });

  it('gives what was begun as a shorter payload, or drops it', () => {
    for (const format of [formats.pcmu, formats.opus]) {
      const packetizer = packetizerFor(format, 60);
      const sink = new Collector();
      for (let n = 0; n < 2; n++) packetizer.pushSamples(slotOf(packetizer, n), sink);
      assert.equal(packetizer.pendingTicks, (format.clockRateHz * 40) / 1000);
      packetizer.flush(sink);
      packetizer.flush(sink);
      assert.deepEqual(sink.ticks, [(format.clockRateHz * 40) / 1000]);
      packetizer.pushSamples(slotOf(packetizer, 2), sink);
      packetizer.drop();
      assert.equal(packetizer.pendingTicks, 0);
      assert.equal(sink.payloads.length, 1);
    }
  });

  it('lets time pass where a slot that was encoded elsewhere has nothing in it', () => {
    const packetizer = packetizerFor(formats.opus, 20);
    const sink = new Collector();
    packetizer.pushEncoded(new Uint8Array(0), sink);
    packetizer.pushEncoded(Uint8Array.of(1, 2, 3), sink);
    assert.deepEqual([sink.pausedTicks, sink.ticks], [960, [960]]);
    assert.equal(packetizerFor(formats.opus, 40).takesEncoded, false);
  });
});
