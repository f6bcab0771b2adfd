import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { tone } from '../audio/tone.ts';
import type { TestPhone } from '../media/test-phone.ts';
import { keyPressPayloads } from '../rtp/telephone-event.ts';
import { readManifest, readTrack } from '../spool/reader.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

const toneOf = (frequencyHz: number, ms: number): Int16Array =>
  tone({ rateHz: 8000, frequencyHz, levelDbov: -20 }, ms * 8);

describe('a call that is paused', () => {
  let bench: RecordingBench;

  beforeEach(() => {
    bench = new RecordingBench();
  });

  afterEach(async () => {
    await bench.close();
  });

  const pause = (recordingId = 'r', scope: 'call' | 'recording' = 'call') =>
    bench.execute({ verb: 'recording.pause', recordingId, behaviour: 'skip', scope });
  const resume = (recordingId = 'r') => bench.execute({ verb: 'recording.resume', recordingId });
  const stop = async (recordingId = 'r') => {
    await bench.execute({ verb: 'recording.stop', recordingId, reason: 'stopped' });
    await bench.slots(3);
  };
  const digitsIn = (recordingId: string, roomId = 'call-a') =>
    bench
      .open(recordingId, roomId)
      .tracks.flatMap((track) => [...readTrack(track)])
      .flatMap((record) => (record.kind === 'digit' ? record.digit : []))
      .join('');
  /** Payloads of what the party said, as spooled. */
  const spooled = (recordingId = 'r', roomId = 'call-a') =>
    bench
      .open(recordingId, roomId)
      .tracks.filter(({ side }) => side === 'said')
      .flatMap((track) => [...readTrack(track)])
      .flatMap((record) => (record.kind === 'packet' ? record.payload[0]! : []));
  const say = async (phone: TestPhone, mark: number) => {
    await phone.send({ payload: new Uint8Array(160).fill(mark) });
    await bench.slots(1);
  };

  it('tells how far it came as long as it lasts', async () => {
    await bench.call('a');
    await bench.record('a', 'r');
    await bench.record('a', 'other');
    await pause('r');
    await bench.slots(1010);
    await resume('r');
    await bench.slots(510);
    await stop('other');
    const alive = readManifest(bench.spool.path('call-a/other.rec')).flatMap((record) =>
      record.type === 'alive' ? record.atSample : [],
    );
    assert.ok(alive.length >= 4, `${alive}`);
    for (const [index, atSample] of alive.slice(1).entries())
      assert.equal(atSample - alive[index]!, 5 * 8000);
    assert.ok(alive.at(-1)! <= 1010 * 160);
  });

  it('is recorded again once nobody pauses it any more', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r');
    await bench.record('a', 's');
    await say(phone, 1);
    await pause('r');
    await pause('s');
    await say(phone, 2);
    await resume('r');
    await say(phone, 3);
    await resume('s');
    await say(phone, 4);
    await pause('r');
    await say(phone, 5);
    await stop('r');
    phone.timestamp += 3 * 160;
    await say(phone, 6);
    await stop('s');
    assert.deepEqual(spooled('r'), [1, 4]);
    assert.deepEqual(spooled('s'), [1, 4, 6]);
  });

  it('takes those with it who come to it, and what they said meanwhile', async () => {
    await bench.call('a');
    const other = await bench.call('b');
    await bench.record('a', 'r');
    await bench.record('b', 's');
    await bench.join('a', 'room');
    await bench.slots(2);
    await pause('r');
    await bench.join('b', 'room');
    await bench.slots(5, [[other, toneOf(900, 100)]]);
    // As many at once as wait to be heard.
    for (let i = 0; i < 5; i++) await other.send({ payload: new Uint8Array(160).fill(0x20) });
    await bench.receive();
    await resume('r');
    await bench.slots(20);
    await stop('r');
    await stop('s');
    for (const [recordingId, leg] of [
      ['r', 'a'],
      ['s', 'b'],
    ] as const) {
      const mix = await bench.render(recordingId, `call-${leg}`);
      assert.ok(mix.length > 0);
      assert.ok(
        mix.every((sample) => Math.abs(sample) < 200),
        recordingId,
      );
    }
  });

  for (const scope of ['call', 'recording'] as const)
    it(`a key that goes down in it is nowhere, wherever it goes up (scope ${scope})`, async () => {
      const phone = await bench.call('a');
      await bench.record('a', 'r', { options: { terminators: '#' } });
      await phone.press('1');
      await bench.slots(1);
      await pause('r', scope);
      await phone.press('2');
      await bench.execute({ verb: 'leg.key', legId: 'a', digit: '3' });
      await bench.slots(1);
      const [first, ...others] = keyPressPayloads('#', { durationMs: 100, ptimeMs: 20, clockRateHz: 8000 });
      await phone.send({ ...first!, payloadType: 101, ticks: 0 });
      await bench.slots(1);
      await resume();
      await bench.slots(1);
      for (const { payload, marker } of others)
        await phone.send({ payload, marker, payloadType: 101, ticks: 0 });
      phone.timestamp += 800;
      await bench.slots(2);
      await phone.press('4');
      await bench.slots(1);
      await bench.execute({ verb: 'leg.key', legId: 'a', digit: '5' });
      await bench.slots(1);
      await stop();
      assert.equal(bench.open('r', 'call-a').end?.reason, 'stopped');
      assert.equal(digitsIn('r'), '145');
      const told = bench.events.flatMap((event) => (event.event === 'leg.digit' ? event.digit : []));
      assert.deepEqual(told, ['1', '2', '#', '4'], 'the application gets them all');
    });

  it('a key in the audio that goes down in it is nowhere, either', async () => {
    const phone = await bench.call('a', { telephoneEvent: undefined });
    const [low, high] = [toneOf(770, 200), toneOf(1336, 200)];
    const five = low.map((sample, i) => sample + high[i]!);
    await bench.record('a', 'r', { options: { terminators: '5' } });
    await pause();
    await bench.slots(6, [[phone, five.subarray(0, 800)]]);
    await resume();
    await bench.slots(12, [[phone, new Int16Array(0)]]);
    assert.equal(bench.open('r', 'call-a').end, undefined);
    assert.equal(digitsIn('r'), '');
    await bench.slots(20, [[phone, five]]);
    assert.equal(bench.open('r', 'call-a').end?.reason, 'terminator');
    assert.equal(digitsIn('r'), '5');
  });

  it('what the network held up until it was over is nowhere', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r');
    await say(phone, 1);
    await pause();
    await say(phone, 2);
    await say(phone, 3);
    await bench.slots(3);
    await resume();
    for (const mark of [4, 5, 6]) await phone.send({ payload: new Uint8Array(160).fill(mark) });
    for (const mark of [7, 8]) await say(phone, mark);
    await stop();
    assert.deepEqual(spooled(), [1, 7, 8]);
  });
});
