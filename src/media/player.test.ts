import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { resample } from '../audio/resample.ts';
import { decodeUlaw, encodeUlaw } from '../codec/g711.ts';
import { maxPromptSamples, maxQueuedPrompts, type PlayStart } from './control.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';

/** Samples that mu-law keeps as they are. */
function voice(samples: number, seed = 1): Int16Array {
  const codes = Uint8Array.from({ length: samples }, (_, i) => (seed * 37 + i * 11 + (i >> 5)) % 120);
  const out = new Int16Array(samples);
  decodeUlaw(codes, out);
  return out;
}

function encoded(...parts: Int16Array[]): Uint8Array {
  const samples = Int16Array.from(parts.flatMap((part) => [...part]));
  const out = new Uint8Array(samples.length);
  encodeUlaw(samples, out);
  return out;
}

function heard(phone: TestPhone): Uint8Array {
  return Uint8Array.from(phone.received.flatMap((packet) => [...packet.payload()]));
}

function assertContinuous({ received }: TestPhone): void {
  for (const [i, packet] of received.entries()) {
    assert.equal(packet.sequenceNumber, (received[0]!.sequenceNumber + i) & 0xffff);
    assert.equal(packet.timestamp, (received[0]!.timestamp + i * 160) >>> 0);
    assert.equal(packet.marker, i === 0);
  }
}

const silentSlot = new Int16Array(160);

describe('Player', () => {
  let bench: MediaBench;
  beforeEach(() => {
    bench = new MediaBench();
  });
  afterEach(() => bench.close());

  const play = (playId: string, samples: Int16Array, options: Partial<PlayStart> = {}) =>
    bench.execute({ verb: 'play.start', legId: 'a', playId, samples, rateHz: 8000, ...options });
  const ended = () => bench.events.filter(({ event }) => event === 'play.ended');
  const endOf = (playId: string, reason: string, playedMs: number) => ({
    event: 'play.ended',
    legId: 'a',
    playId,
    reason,
    playedMs,
  });

  it('plays one prompt behind the other to a lone leg, without a gap of one sample', async () => {
    const phone = await bench.call('a');
    const [first, second, third] = [voice(1000), voice(777, 2), voice(320, 3)];
    await bench.slots(2);
    await play('first', first);
    await play('second', second);
    await bench.slots(8);
    await play('third', third);
    await bench.slots(7);
    const rest = new Int16Array(17 * 160 - 2 * 160 - 1000 - 777 - 320);
    assert.deepEqual(heard(phone), encoded(silentSlot, silentSlot, first, second, third, rest));
    assert.deepEqual(ended(), [
      endOf('first', 'finished', 125),
      endOf('second', 'finished', 97),
      endOf('third', 'finished', 40),
    ]);
    assertContinuous(phone);
  });

  it('says that a prompt has ended in the slot of its last sample', async () => {
    await bench.call('a');
    await play('p', voice(320));
    await bench.slots(1);
    assert.deepEqual(ended(), []);
    await bench.slots(1);
    assert.deepEqual(ended(), [endOf('p', 'finished', 40)]);
  });

  for (const rateHz of [16_000, 48_000] as const)
    it(`resamples a prompt of ${rateHz} Hz as a whole would be, and goes on behind it`, async () => {
      const phone = await bench.call('a');
      const samples = Int16Array.from({ length: rateHz / 10 + 77 }, (_, i) =>
        Math.round(9000 * Math.sin((i * 2 * Math.PI * 440) / rateHz)),
      );
      const next = voice(160);
      await play('p', samples, { rateHz });
      await play('next', next);
      await bench.slots(8);
      const whole = resample(samples, rateHz, 8000);
      const rest = new Int16Array(8 * 160 - whole.length - 160);
      assert.deepEqual(heard(phone), encoded(whole, next, rest));
      assert.equal(ended().length, 2);
    });

  it('repeats a loop without a seam until it is stopped, at any rate', async () => {
    const phone = await bench.call('a');
    const samples = voice(333);
    await play('loop', samples, { loop: true });
    await bench.slots(10);
    const loops = Array.from({ length: 5 }, () => samples);
    assert.deepEqual(heard(phone), encoded(...loops).subarray(0, 1600));
    await bench.execute({ verb: 'play.stop', legId: 'a', playId: 'loop' });
    assert.deepEqual(ended(), [endOf('loop', 'stopped', 200)]);
    // A whole number of periods: the loop is one endless tone.
    const tone = Int16Array.from({ length: 160 }, (_, i) => 9000 * Math.sin((i * 2 * Math.PI) / 16));
    await play('tone', tone, { loop: true, rateHz: 16_000 });
    phone.received.length = 0;
    await bench.slots(50);
    const samplesHeard = new Int16Array(50 * 160);
    decodeUlaw(heard(phone), samplesHeard);
    const steady = samplesHeard.subarray(160);
    for (let i = 8; i < steady.length; i++) assert.equal(steady[i], steady[i - 8]);
  });

  it('ends an empty prompt at its turn, loop or not', async () => {
    await bench.call('a');
    await play('empty', new Int16Array(0));
    await play('endless nothing', new Int16Array(0), { loop: true });
    await play('p', voice(80));
    await play('16 kHz', new Int16Array(0), { rateHz: 16_000, loop: true });
    await bench.slots(1);
    assert.deepEqual(ended(), [
      endOf('empty', 'finished', 0),
      endOf('endless nothing', 'finished', 0),
      endOf('p', 'finished', 10),
      endOf('16 kHz', 'finished', 0),
    ]);
  });

  it('stops a prompt, and one that waits; the next follows at once', async () => {
    const phone = await bench.call('a');
    const [first, last] = [voice(1600), voice(160, 2)];
    await play('first', first);
    await play('waits', voice(1600, 3));
    await play('last', last);
    await bench.slots(3);
    for (const playId of ['waits', 'first', 'first', 'unknown'])
      await bench.execute({ verb: 'play.stop', legId: 'a', playId });
    await bench.slots(1);
    assert.deepEqual(heard(phone), encoded(first.subarray(0, 480), last));
    assert.deepEqual(ended(), [
      endOf('waits', 'stopped', 0),
      endOf('first', 'stopped', 60),
      endOf('last', 'finished', 20),
    ]);
  });

  it('ends every prompt of a leg that is closed', async () => {
    await bench.call('a');
    await play('plays', voice(1600));
    await play('waits', voice(1600));
    await bench.slots(2);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    assert.deepEqual(ended(), [endOf('plays', 'leg-closed', 40), endOf('waits', 'leg-closed', 0)]);
  });

  it('lets time pass on hold, but counts only what was sent', async () => {
    const phone = await bench.call('a');
    const samples = voice(800);
    await play('p', samples);
    await bench.slots(1);
    await bench.execute(phone.negotiation('a', { direction: 'recvonly' }));
    await bench.slots(2);
    await bench.execute(phone.negotiation('a'));
    await bench.slots(2);
    assert.deepEqual(heard(phone), encoded(samples.subarray(0, 160), samples.subarray(480)));
    assert.deepEqual(ended(), [endOf('p', 'finished', 60)]);
  });

  it('loses nothing of a prompt in a stall of the worker', async () => {
    const phone = await bench.call('a');
    const samples = voice(1600);
    await play('p', samples);
    await bench.slots(2);
    bench.executor.tick(bench.clock.monotonicUs() + 1_000_000);
    bench.clock.advanceMs(1000);
    await bench.slots(8);
    assert.deepEqual(heard(phone).subarray(0, 1600), encoded(samples));
    assert.deepEqual(ended(), [endOf('p', 'finished', 200)]);
  });

  it('is heard over the room by its leg alone, also through a join and a leave', async () => {
    const [a, b] = [await bench.call('a'), await bench.call('b')];
    await bench.join('b', 'room');
    const prompt = voice(1600);
    const speech = (n: number) => encoded(voice(160, 50 + n));
    await play('p', prompt);
    await bench.slots(2);
    await bench.join('a', 'room');
    for (let n = 0; n < 8; n++) {
      if (n === 6) await bench.execute({ verb: 'room.leave', legId: 'a' });
      await b.send({ payload: speech(n) });
      await a.send({ payload: speech(20 + n) });
      await bench.slots(1);
    }
    const ofRoom = Int16Array.from({ length: 1600 }, (_, i) => {
      const n = Math.floor(i / 160) - 4;
      return n >= 0 && n < 4 ? voice(160, 50 + n)[i % 160]! : 0;
    });
    const mixed = prompt.map((sample, i) => Math.max(-32_768, Math.min(32_767, sample + ofRoom[i]!)));
    assert.deepEqual(heard(a), encoded(mixed));
    const heardByB = Array.from({ length: 10 }, (_, slot) =>
      slot >= 4 && slot < 8 ? voice(160, 70 + slot - 4) : silentSlot,
    );
    assert.deepEqual(heard(b), encoded(...heardByB));
    assert.deepEqual(ended(), [endOf('p', 'finished', 200)]);
    for (const phone of [a, b]) assertContinuous(phone);
  });

  it('stands for the room where it is told to, and the room is heard again behind it', async () => {
    const [a, b] = [await bench.call('a'), await bench.call('b')];
    for (const legId of ['a', 'b']) await bench.join(legId, 'room');
    const prompt = voice(640);
    await play('p', prompt, { overRoom: 'replace' });
    for (let n = 0; n < 8; n++) {
      await b.send({ payload: encoded(voice(160, 50 + n)) });
      await bench.slots(1);
    }
    const after = [2, 3, 4, 5].map((n) => voice(160, 50 + n));
    assert.deepEqual(heard(a), encoded(prompt, ...after));
    assertContinuous(a);
  });

  it('refuses what is too much and what it knows already', async () => {
    await bench.call('a');
    await play('p', voice(100));
    await assert.rejects(play('p', voice(100)), { code: 'CONFLICT' });
    await assert.rejects(play('long', new Int16Array(maxPromptSamples)), { code: 'REQUEST_INVALID' });
    for (let n = 1; n < maxQueuedPrompts; n++) await play(`q${n}`, voice(10));
    await assert.rejects(play('more', voice(10)), { code: 'REQUEST_INVALID' });
    await assert.rejects(
      bench.execute({
        verb: 'play.start',
        legId: 'nobody',
        playId: 'p',
        samples: voice(1),
        rateHz: 8000,
      }),
      { code: 'NOT_FOUND' },
    );
  });
});
