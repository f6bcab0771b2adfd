import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { decoderFor } from './codec-table.ts';
import type { NegotiatedCodec, RoomMode } from './control.ts';
import { encodingCount } from './encoding-count.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';
import {
  amplitudeAt,
  formats,
  HummingPhone,
  heardSamples,
  only,
  powerOf,
  SilentPhone,
  SpeakingPhone,
} from './test-voice.ts';

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

  /** The last half of what was heard: the tone is there, and nearly nothing else. */
  function assertTone(phone: TestPhone, format: NegotiatedCodec, hertz: number, amplitude = 8000): void {
    const { rateHz } = decoderFor(format);
    const all = heardSamples(phone, format);
    const samples = all.subarray(all.length >> 1);
    const heard = amplitudeAt(samples, hertz, rateHz);
    assert.ok(Math.abs(heard - amplitude) < 0.2 * amplitude, `${format.codec}: ${heard} of ${amplitude}`);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const rest = Math.sqrt(Math.max(0, power - heard ** 2 / 2));
    assert.ok(rest < 0.1 * heard, `${format.codec}: ${rest} beside ${heard}`);
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

  /** @returns how many slots were encoded by codecs with a memory in each of so many slots of the room */
  async function encodedWhile(slots: number, turn: (slot: number) => Promise<void>): Promise<number[]> {
    const encoded: number[] = [];
    for (let slot = 0; slot < slots; slot++) {
      await turn(slot);
      const before = encodingCount.slots;
      await bench.slots(1);
      encoded.push(encodingCount.slots - before);
    }
    return encoded;
  }

  for (const format of [g722, opus])
    for (const joinsWhile of ['silence', 'speech'] as const)
      it(`encodes ${format.codec} once for all who listen and joined in ${joinsWhile}`, async () => {
        const speaker = await join('a', pcmu);
        const humming = new HummingPhone(speaker, pcmu, 1000);
        const whileJoining = joinsWhile === 'speech' ? () => humming.hum() : async () => {};
        await encodedWhile(20, whileJoining);
        const listeners: TestPhone[] = [];
        for (const legId of ['b', 'c', 'd', 'e', 'f']) {
          listeners.push(await join(legId, format));
          await encodedWhile(1, whileJoining);
        }
        const encoded = await encodedWhile(60, () => humming.hum());
        assert.deepEqual(encoded, new Array(60).fill(1));
        const [first, ...others] = listeners.map(({ received }) =>
          received.slice(-60).map((packet) => Buffer.from(packet.payload())),
        );
        for (const other of others) assert.deepEqual(other, first);
        for (const listener of listeners) assertTone(listener, format, 1000);
      });

  for (const format of [g722, opus])
    it(`takes ${format.codec} in which nothing is said for a listener's`, async () => {
      const speaker = new HummingPhone(await join('a', pcma), pcma, 1000);
      const silent: SilentPhone[] = [];
      const phones: TestPhone[] = [];
      for (const legId of ['b', 'c', 'd']) {
        phones.push(await join(legId, format));
        silent.push(new SilentPhone(phones.at(-1)!, format));
      }
      silent.push(new SilentPhone(await join('e', pcma), pcma));
      const encoded = await encodedWhile(60, async () => {
        await speaker.hum();
        for (const phone of silent) await phone.send();
      });
      assert.deepEqual(encoded.slice(-50), new Array(50).fill(1));
      for (const phone of phones) assertTone(phone, format, 1000);
    });

  it('encodes Opus once for five who listen to one of Opus, whose own mix is another', async () => {
    const speaker = await join('a', opus);
    const humming = new HummingPhone(speaker, opus, 1000);
    for (const legId of ['b', 'c', 'd', 'e', 'f']) await join(legId, opus);
    await encodedWhile(10, () => humming.hum());
    assert.deepEqual(await encodedWhile(30, () => humming.hum()), new Array(30).fill(2));
  });

  it('encodes for each by itself where packets are longer than slots', async () => {
    const speaker = await join('a', pcmu);
    const humming = new HummingPhone(speaker, pcmu, 1000);
    for (const legId of ['b', 'c', 'd']) await join(legId, opus);
    const long = await bench.call('e', only(opus, { ptimeMs: 40 }));
    await bench.join('e', 'room');
    const encoded = await encodedWhile(40, () => humming.hum());
    assert.equal(
      encoded.slice(-20).reduce((sum, count) => sum + count),
      20 + 10,
      'half as many, of twice the length',
    );
    assertTone(long, opus, 1000);
  });

  it('encodes for a party by itself while it is played something, and then once for all again', async () => {
    const speaker = await join('a', pcmu);
    const talking = new SpeakingPhone(speaker, pcmu, 'english');
    for (const legId of ['b', 'c', 'd']) await join(legId, opus);
    await encodedWhile(20, () => talking.speak());
    const samples = new Int16Array(8000).map((_, i) => 3000 * Math.sin(i / 3));
    const prompt = { verb: 'play.start', legId: 'c', samples, rateHz: 8000 } as const;
    for (const overRoom of ['mix', 'replace'] as const) {
      await bench.execute({ ...prompt, playId: overRoom, overRoom });
      const encoded = await encodedWhile(400, () => talking.speak());
      assert.deepEqual(new Set(encoded.slice(2, 70)), new Set([2]));
      assert.deepEqual(new Set(encoded.slice(-100)), new Set([1]));
    }
  });

  for (const format of [g722, opus])
    it(`goes on with ${format.codec} by itself for who speaks, and comes back without a click`, async () => {
      const speaker = await join('a', pcmu);
      const listeners: TestPhone[] = [];
      for (const legId of ['b', 'c', 'd']) listeners.push(await join(legId, format));
      const [b, , d] = listeners as [TestPhone, TestPhone, TestPhone];
      const talking = new SpeakingPhone(speaker, pcmu, 'english');
      const answering = new SpeakingPhone(d, format, 'french');
      const counts = await encodedWhile(700, async (slot) => {
        await talking.speak();
        if (slot >= 50 && slot < 150) await answering.speak();
      });
      assert.deepEqual(new Set(counts.slice(5, 50)), new Set([1]));
      assert.deepEqual(new Set(counts.slice(60, 150)), new Set([2]));
      assert.deepEqual(new Set(counts.slice(-50)), new Set([1]), 'and shares again');
      assert.equal(b.received.length, d.received.length);
      const [heard, switched] = [heardSamples(b, format), heardSamples(d, format)];
      const samples = heard.length / 700;
      const backAt = counts.lastIndexOf(2) + 1;
      assert.ok(backAt < 600, `back at ${backAt}`);
      const power = powerOf(heard.subarray(200 * samples));
      for (let slot = backAt; slot < backAt + 15; slot++) {
        const difference = new Int16Array(samples);
        for (let i = 0; i < samples; i++)
          difference[i] = switched[slot * samples + i]! - heard[slot * samples + i]!;
        const beside = 10 * Math.log10(powerOf(difference) / power + 1e-9);
        assert.ok(beside < -30, `${beside} dB of what is heard, ${slot - backAt} slots behind`);
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
