import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { NegotiatedCodec, RoomMode } from './control.ts';
import { encodingCount } from './encoding-count.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';
import {
  assertTone,
  formats,
  HummingPhone,
  heardSamples,
  only,
  powerOf,
  SilentPhone,
  SpeakingPhone,
} from './test-voice.ts';

const { pcmu, pcma, g722, opus } = formats;

describe('What everybody in a room hears', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  async function join(
    legId: string,
    format: NegotiatedCodec,
    roomId = 'room',
    mode: RoomMode = 'mix',
  ): Promise<TestPhone> {
    const phone = await bench.call(legId, only(format));
    await bench.join(legId, roomId, { mode });
    return phone;
  }

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

  async function talk(slots: number, phones: SpeakingPhone[]): Promise<void> {
    for (let slot = 0; slot < slots; slot++) {
      for (const phone of phones) await phone.speak();
      await bench.slots(1);
    }
  }

  /** What both were sent is the same, byte for byte. */
  function assertSame(one: TestPhone, other: TestPhone): void {
    const [sent, otherSent] = [one, other].map(({ received }) =>
      received.map((packet) => Buffer.from(packet.payload()).toString('hex')),
    );
    assert.ok(sent!.length > 50);
    const at = sent!.findIndex((payload, index) => payload !== otherSent![index]);
    assert.equal(sent![at], otherSent![at], `packet ${at}`);
    assert.equal(sent!.length, otherSent!.length);
  }

  // Two who may be relayed share nothing: what such a room sends is of one encoder for each.
  for (const format of [g722, opus])
    describe(`as ${format.codec} is the same as by an encoder of one's own`, () => {
      it('for who is the only one, whether it speaks or not', async () => {
        const speakers = [await join('a', pcmu), await join('x', pcmu, 'other', 'relay')];
        const phones = [await join('b', format), await join('y', format, 'other', 'relay')] as const;
        const talking = speakers.map((phone) => new SpeakingPhone(phone, pcmu, 'english'));
        const answering = phones.map((phone) => new SpeakingPhone(phone, format, 'french'));
        for (let turn = 0; turn < 3; turn++) {
          await talk(40, talking);
          await talk(30, [...talking, ...answering]);
        }
        assertSame(...phones);
      });

      it('for who comes when nobody shares it any more', async () => {
        const speakers = [await join('a', pcmu), await join('x', pcmu, 'other', 'relay')];
        await join('b', format);
        const talking = speakers.map((phone) => new SpeakingPhone(phone, pcmu, 'english'));
        await talk(100, talking);
        await bench.execute({ verb: 'room.leave', legId: 'b' });
        await bench.slots(20);
        const phones = [await join('c', format), await join('y', format, 'other', 'relay')] as const;
        await talk(100, talking);
        assertSame(...phones);
      });

      it('for who leaves others behind', async () => {
        const speakers = [await join('a', pcmu), await join('x', pcmu, 'other')];
        const phones = [await join('b', format), await join('y', format, 'other')] as const;
        await join('c', format);
        const talking = speakers.map((phone) => new SpeakingPhone(phone, pcmu, 'english'));
        await talk(50, talking);
        for (const legId of ['b', 'y']) await bench.execute({ verb: 'room.leave', legId });
        await talk(50, talking);
        assertSame(...phones);
      });
    });
});
