import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { RoomMode } from './control.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';
import { assertOrderly, loud, speech } from './test-stream.ts';

/** More than waits in a jitter buffer. */
const underWay = 12;

describe('a party that is muted or deaf', () => {
  let bench: MediaBench;
  let a: TestPhone;
  let b: TestPhone;
  let sent = 0;
  beforeEach(async () => {
    bench = new MediaBench();
    a = await bench.call('a');
    b = await bench.call('b');
    sent = 0;
  });
  afterEach(() => bench.close());

  async function join(mode: RoomMode, muted = false): Promise<void> {
    await bench.join('a', 'room', { mode, muted });
    await bench.join('b', 'room', { mode });
  }

  /** Both speak. @returns the numbers of what they said */
  async function speak(slots = underWay): Promise<number[]> {
    const numbers: number[] = [];
    for (let i = 0; i < slots; i++) {
      numbers.push(sent);
      await a.send({ payload: speech(1, sent) });
      await b.send({ payload: speech(2, sent) });
      sent++;
      await bench.slots(1);
    }
    return numbers;
  }

  const mute = (muted: boolean, deaf = false) =>
    bench.execute({ verb: 'room.mute', legId: 'a', muted, deaf });
  const recorded = (legId: string) =>
    bench.capture.packets
      .filter(({ stay }) => stay.legId === legId)
      .map(({ packet }) => [...packet.payload].join());
  const said = (seed: number, numbers: readonly number[]) => numbers.map((n) => [...speech(seed, n)].join());
  const heardBy = (phone: TestPhone) => new Set(loud(phone).map((payload) => [...payload].join()));

  for (const mode of ['mix', 'relay'] as const) {
    it(`is not heard nor recorded while it is muted, and hears: ${mode}`, async () => {
      await join(mode);
      const before = await speak();
      await mute(true);
      const meanwhile = await speak();
      await mute(false);
      const after = await speak();
      await bench.slots(underWay);
      assert.deepEqual(recorded('a'), said(1, [...before, ...after]));
      assert.deepEqual(recorded('b'), said(2, [...before, ...meanwhile, ...after]));
      const heard = heardBy(b);
      for (const each of said(1, meanwhile)) assert.equal(heard.has(each), false);
      assert.ok(said(1, before).some((each) => heard.has(each)));
      assert.ok(said(1, after).some((each) => heard.has(each)));
      // What waits at the moment of a change of way is played as it comes.
      assert.ok(said(2, meanwhile.slice(underWay / 2)).every((each) => heardBy(a).has(each)));
      for (const phone of [a, b]) assertOrderly(phone.received);
    });

    it(`hears nothing of the room while it is deaf: ${mode}`, async () => {
      await join(mode);
      await speak();
      await mute(true, true);
      const meanwhile = await speak();
      const heard = heardBy(a);
      for (const each of said(2, meanwhile)) assert.equal(heard.has(each), false);
      assert.deepEqual(recorded('b').slice(-underWay), said(2, meanwhile));
      await mute(false);
      const after = await speak();
      await bench.slots(underWay);
      assert.ok(said(2, after).some((each) => heardBy(a).has(each)));
      for (const phone of [a, b]) assertOrderly(phone.received);
    });
  }

  it('hears what is played to it while it is deaf', async () => {
    await join('mix');
    await mute(true, true);
    const samples = Int16Array.from({ length: 1600 }, (_, i) => (i % 2 === 0 ? 8000 : -8000));
    await bench.execute({ verb: 'play.start', legId: 'a', playId: 'p', samples, rateHz: 8000 });
    await speak();
    assert.equal(loud(a).length, 10);
    assert.ok(said(2, [...Array(sent).keys()]).every((each) => !heardBy(a).has(each)));
  });

  it('is muted from its first packet on, and until the stay ends', async () => {
    await join('mix', true);
    const muted = await speak();
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await bench.join('a', 'room');
    const after = await speak();
    assert.deepEqual(recorded('a'), said(1, after));
    for (const each of said(1, muted)) assert.equal(heardBy(b).has(each), false);
  });

  it('presses keys for the application alone', async () => {
    await join('mix');
    await mute(true);
    await bench.execute({ verb: 'leg.key', legId: 'a', digit: '5' });
    assert.deepEqual(bench.capture.digits, []);
    await mute(false);
    await bench.execute({ verb: 'leg.key', legId: 'a', digit: '6' });
    assert.deepEqual(
      bench.capture.digits.map(({ digit }) => digit),
      ['6'],
    );
  });

  it('may have left before', async () => {
    await join('mix');
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    assert.deepEqual(await mute(true), {});
  });
});
