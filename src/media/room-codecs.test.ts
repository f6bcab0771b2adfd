import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { NegotiatedCodec, RoomMode } from './control.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';
import { amplitudeAt, assertTone, formats, HummingPhone, heardSamples, only } from './test-voice.ts';

const { pcmu, pcma, g722, opus } = formats;

describe('A room of several codecs', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  async function join(legId: string, format: NegotiatedCodec, mode: RoomMode = 'mix'): Promise<TestPhone> {
    const phone = await bench.call(legId, only(format));
    await bench.join(legId, 'room', { mode });
    return phone;
  }

  for (const [one, other] of [
    [g722, pcmu],
    [opus, pcma],
    [opus, g722],
    [g722, g722],
    [opus, opus],
  ] as const)
    for (const mode of ['mix', 'relay'] as const)
      it(`lets ${one.codec} and ${other.codec} hear each other (${mode})`, async () => {
        const a = await join('a', one, mode);
        const b = await join('b', other, mode);
        const [low, high] = [new HummingPhone(a, one, 400), new HummingPhone(b, other, 1000)];
        for (let n = 0; n < 60; n++) {
          await low.hum();
          await high.hum();
          await bench.slots(1);
        }
        assertTone(a, one, 1000);
        assertTone(b, other, 400);
      });

  it('mixes wideband where two parties can use it, for the others as well as they can hear', async () => {
    const wide = await join('a', g722);
    const wider = await join('b', opus);
    const narrow = await join('c', pcmu);
    const humming = new HummingPhone(wide, g722, 5000);
    for (let n = 0; n < 60; n++) {
      await humming.hum();
      await bench.slots(1);
    }
    assertTone(wider, opus, 5000);
    const aliased = heardSamples(narrow, pcmu);
    assert.ok(
      amplitudeAt(aliased.subarray(aliased.length >> 1), 3000, 8000) < 100,
      'no alias of what is beyond 4 kHz',
    );
  });

  it('changes its rate as parties come and go without a click', async () => {
    const speaker = await join('a', g722);
    const listener = await join('b', pcmu);
    const humming = new HummingPhone(speaker, g722, 500);
    for (let n = 0; n < 120; n++) {
      if (n === 40) await join('c', opus);
      if (n === 80) await bench.execute({ verb: 'room.leave', legId: 'c' });
      await humming.hum();
      await bench.slots(1);
    }
    const samples = heardSamples(listener, pcmu).subarray(20 * 160);
    const steepest = (8000 * 2 * Math.PI * 500) / 8000;
    for (let i = 1; i < samples.length; i++) {
      const step = Math.abs(samples[i]! - samples[i - 1]!);
      assert.ok(step < 1.35 * steepest, `a step of ${step} at ${i / 160}`);
    }
  });

  for (const [format, ptimeMs] of [
    [pcmu, 10],
    [pcmu, 30],
    [g722, 40],
    [opus, 60],
    [opus, 10],
  ] as const)
    it(`takes and sends ${format.codec} in packets of ${ptimeMs} ms`, async () => {
      const long = await bench.call('a', only(format, { ptimeMs }));
      await bench.join('a', 'room');
      const usual = await join('b', pcma);
      const [low, high] = [new HummingPhone(long, format, 400, ptimeMs), new HummingPhone(usual, pcma, 1000)];
      let sentMs = 0;
      for (let n = 0; n < 90; n++) {
        for (; sentMs < n * 20; sentMs += ptimeMs) await low.hum();
        await high.hum();
        await bench.slots(1);
      }
      assertTone(usual, pcma, 400);
      assertTone(long, format, 1000);
      const steps = long.received.slice(1).map((packet, i) => packet.timestamp - long.received[i]!.timestamp);
      assert.deepEqual(new Set(steps), new Set([(format.clockRateHz * ptimeMs) / 1000]));
    });

  it('follows a phone from one codec to another', async () => {
    const phone = await bench.call('a', { receive: [g722, pcmu], send: g722 });
    await bench.join('a', 'room');
    const other = await join('b', opus);
    const [wide, narrow] = [new HummingPhone(phone, g722, 440), new HummingPhone(phone, pcmu, 440)];
    for (let n = 0; n < 100; n++) {
      await (n < 40 ? wide : narrow).hum();
      await bench.slots(1);
    }
    assertTone(other, opus, 440);
  });
});
