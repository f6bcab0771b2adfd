import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { RoomMode } from './control.ts';
import { MediaBench } from './test-bench.ts';
import type { TestPhone } from './test-phone.ts';
import { speech } from './test-stream.ts';

const listening = { verb: 'listen.start', legId: 'a', listenId: 'l' } as const;
const options = { endSilenceMs: 400, maxSpeechMs: 5000, initialTimeoutMs: 200 };

describe('a leg that is listened to', () => {
  let bench: MediaBench;
  let phone: TestPhone;
  beforeEach(async () => {
    bench = new MediaBench();
    phone = await bench.call('a');
  });
  afterEach(() => bench.close());

  const heard = () =>
    bench.events.flatMap((event) =>
      event.event === 'listen.speech' ? ['speech'] : event.event === 'listen.ended' ? [event.reason] : [],
    );
  const start = (more: object = {}) => bench.execute({ ...listening, ...options, ...more });

  /** Speaks, and is silent for long enough. */
  async function speak(): Promise<void> {
    for (let i = 0; i < 40; i++) {
      await phone.send({ payload: speech(1, i) });
      await bench.slots(1);
    }
    await bench.slots(40);
  }

  it('in no room: what it says is told, and captured nowhere', async () => {
    await start();
    await speak();
    assert.deepEqual(heard(), ['speech', 'speech']);
    const ended = bench.events.find(({ event }) => event === 'listen.ended');
    assert.ok(ended?.event === 'listen.ended' && ended.utterance);
    const { samples, rateHz } = ended.utterance;
    assert.equal(rateHz, 8000);
    assert.ok(samples.length >= 0.7 * rateHz && samples.length <= 1.6 * rateHz, `${samples.length}`);
    assert.equal(bench.capture.packets.length, 0);
  });

  for (const mode of ['mix', 'relay'] satisfies RoomMode[])
    it(`in a room (${mode}) that hears it all the same`, async () => {
      const other = await bench.call('b');
      await bench.join('a', 'room', { mode });
      await bench.join('b', 'room', { mode });
      await start();
      await speak();
      assert.deepEqual(heard(), ['speech', 'speech']);
      assert.ok(other.received.length > 0);
    });

  it('who says nothing is waited for from then on that it is armed', async () => {
    await start();
    await bench.slots(50);
    assert.deepEqual(heard(), []);
    await bench.execute({ verb: 'listen.arm', legId: 'a', listenId: 'another' });
    await bench.execute({ verb: 'listen.arm', legId: 'a', listenId: 'l' });
    await bench.slots(50);
    assert.deepEqual(heard(), ['no-input']);
  });

  it('is listened to by one at a time, until it is stopped or gone', async () => {
    await start();
    await assert.rejects(start({ listenId: 'second' }), { code: 'CONFLICT' });
    await bench.execute({ verb: 'listen.stop', legId: 'a', listenId: 'l' });
    await bench.execute({ verb: 'listen.stop', legId: 'a', listenId: 'l' });
    await start({ listenId: 'third' });
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    assert.deepEqual(heard(), ['stopped', 'leg-closed']);
  });
});
