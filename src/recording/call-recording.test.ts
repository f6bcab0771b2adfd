import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';
import { edgesOf, toneOf, tonesIn } from './test-tones.ts';

throwOnUnlistedTransitions();

describe('a call that is recorded by itself', () => {
  let bench: RecordingBench;

  beforeEach(() => {
    bench = new RecordingBench();
  });

  afterEach(async () => {
    await bench.close();
  });

  const play = (samples: Int16Array, playId = 'p') =>
    bench.execute({ verb: 'play.start', legId: 'a', playId, rateHz: 8000, samples });
  const stop = async (recordingId = 'r') => {
    await bench.execute({ verb: 'recording.stop', recordingId, reason: 'stopped' });
    await bench.slots(3);
  };
  const channel = (trackId: string, recordingId = 'r') =>
    bench.render(recordingId, 'call-a', { kind: 'channel', trackId, format: 'wav' });

  it('holds what the party says and what is played to it, each where it was', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r');
    await play(toneOf(700, 200));
    await bench.slots(20, [[phone, toneOf(500, 400)]]);
    await stop();
    const { end, tracks } = bench.open('r', 'call-a');
    assert.equal(end?.reason, 'stopped');
    assert.deepEqual(
      tracks.map(({ side }) => side),
      ['said', 'heard'],
    );
    const said = await channel('said-a');
    const heard = await channel('heard-a');
    assert.equal(said.length, 3200);
    assert.deepEqual(tonesIn(said, 0, 3200), [500]);
    // The first slot was sent at its end, the last one when the recording ended: it is kept whole.
    assert.equal(end?.atSample, 3360);
    assert.deepEqual(edgesOf(heard), { from: 160, to: 160 + 1600 });
    assert.deepEqual(tonesIn(heard, 160, 1760), [700]);
  });

  it('begins and ends exactly between two prompts', async () => {
    await bench.call('a');
    await play(toneOf(700, 190), '1');
    await until(() => bench.events.some(({ event }) => event === 'play.ended'));
    await bench.record('a', 'r');
    await play(toneOf(900, 310), '2');
    await until(() => bench.events.filter(({ event }) => event === 'play.ended').length === 2);
    await bench.execute({ verb: 'recording.stop', recordingId: 'r', reason: 'stopped' });
    await play(toneOf(500, 200), '3');
    await bench.slots(20);
    const heard = await channel('heard-a');
    const { from, to } = edgesOf(heard);
    assert.equal(to - from, 310 * 8);
    assert.ok(from <= 160, `${from}`);
    assert.deepEqual(tonesIn(heard, 0, heard.length), [900]);
  });

  it('holds half a call where only that is asked for', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r', { options: { direction: 'speak' } });
    await bench.record('a', 'l', { options: { direction: 'listen' } });
    await play(toneOf(700, 200));
    await bench.slots(20, [[phone, toneOf(500, 400)]]);
    await stop('r');
    await stop('l');
    const speak = await bench.render('r', 'call-a');
    const listen = await bench.render('l', 'call-a');
    assert.deepEqual(tonesIn(speak, 0, 3200), [500]);
    assert.deepEqual(tonesIn(listen, 160, 1760), [700]);
    assert.deepEqual(edgesOf(listen), { from: 160, to: 1760 });
  });

  it('goes on through rooms, and hears there what the others say', async () => {
    const phone = await bench.call('a');
    const other = await bench.call('b');
    await bench.record('a', 'r');
    await bench.slots(5, [[phone, toneOf(500, 100)]]);
    await bench.join('a', 'room');
    await bench.join('b', 'room');
    await bench.slots(20, [
      [phone, toneOf(500, 400)],
      [other, toneOf(900, 400)],
    ]);
    await bench.execute({ verb: 'room.leave', legId: 'a' });
    await bench.slots(5, [[phone, toneOf(500, 100)]]);
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    await bench.slots(3);
    assert.equal(bench.open('r', 'call-a').end?.reason, 'call_ended');
    const said = await channel('said-a');
    assert.deepEqual(edgesOf(said), { from: 0, to: 4800 });
    const heard = await channel('heard-a');
    assert.deepEqual(tonesIn(heard, 1600, 3200), [900]);
    assert.deepEqual(tonesIn(heard, 0, 800), []);
  });

  it('hears a relayed party as it is', async () => {
    await bench.call('a');
    const other = await bench.call('b');
    await bench.record('a', 'r', { options: { direction: 'listen' } });
    await bench.join('a', 'room', { mode: 'relay' });
    await bench.join('b', 'room', { mode: 'relay' });
    await bench.slots(20, [[other, toneOf(900, 400)]]);
    await stop();
    const heard = await channel('heard-a');
    const { from, to } = edgesOf(heard);
    assert.equal(to - from, 3200);
    assert.deepEqual(tonesIn(heard, 0, 3200), [900]);
  });

  it('begins behind the beep, which the party hears', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r', { options: { beep: true } });
    await bench.slots(40, [[phone, toneOf(500, 800)]]);
    await stop();
    assert.ok(phone.received.some((packet) => packet.payload().some((byte) => byte !== 0xff)));
    const { startSample, end } = bench.open('r', 'call-a');
    assert.equal(startSample, 160 + 3200);
    const mix = await bench.render('r', 'call-a');
    assert.equal(mix.length, end!.atSample - startSample);
    assert.deepEqual(tonesIn(mix, 0, mix.length), [500]);
  });

  it('warns an interval after its beginning, and after every warning, to the slot', async () => {
    await bench.call('a');
    bench.advanceUs(7000);
    await bench.record('a', 'r', { options: { warningToneIntervalMs: 1000 } });
    await bench.slots(160);
    await stop();
    const heard = await channel('heard-a');
    const edges: number[] = [];
    for (const [at, sample] of heard.entries())
      if (sample !== 0 && heard.subarray(Math.max(0, at - 160), at).every((each) => each === 0))
        edges.push(at);
    // Slots end 13 ms after the beginning, and every 20 ms; the next one has the tone, whose first sample is 0.
    assert.deepEqual(
      edges.map((at) => at / 8 - 1 / 8),
      [1033, 2033, 3033],
    );
  });

  it('is no longer than its length, whatever ends it while its last audio is waited for', async () => {
    const reasons = ['stopped', 'error', 'consent_withdrawn'] as const;
    const phone = await bench.call('a');
    for (const reason of reasons) await bench.record('a', reason, { options: { maxLengthMs: 200 } });
    await bench.slots(5, [[phone, toneOf(500, 100)]]);
    await bench.slots(8);
    for (const reason of reasons)
      await bench.execute({ verb: 'recording.stop', recordingId: reason, reason: reason as 'stopped' });
    await bench.slots(3);
    const ends = reasons.map((recordingId) => bench.open(recordingId, 'call-a').end);
    assert.deepEqual(
      ends.map((end) => [end?.reason, end?.atSample]),
      [
        ['max_length', 1600],
        ['error', 1600],
        ['consent_withdrawn', 1600],
      ],
    );
  });

  it('does not warn while it is paused', async () => {
    await bench.call('a');
    await bench.record('a', 'r', { options: { warningToneIntervalMs: 1000 } });
    await bench.record('a', 'beside');
    const command = { recordingId: 'r', behaviour: 'silence', scope: 'recording' } as const;
    await bench.slots(20);
    await bench.execute({ verb: 'recording.pause', ...command });
    await bench.slots(70);
    await bench.execute({ verb: 'recording.resume', recordingId: 'r' });
    await bench.slots(60);
    await bench.execute({ verb: 'recording.stop', recordingId: 'beside', reason: 'stopped' });
    await bench.slots(3);
    const request = { kind: 'channel', trackId: 'heard-a', format: 'wav' } as const;
    const heard = await bench.render('beside', 'call-a', request);
    // The one at 1 s is left out, the one at 2 s is heard.
    const first = heard.findIndex((sample) => sample !== 0);
    assert.ok(first > 2000 * 8 && first <= 2040 * 8, `${first / 8} ms`);
  });

  it('ends where a terminator went down', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r', { options: { terminators: '#*' } });
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await phone.press('5');
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await phone.press('#');
    await bench.slots(10, [[phone, toneOf(900, 200)]]);
    const { end } = bench.open('r', 'call-a');
    assert.deepEqual([end?.reason, end?.digit, end?.atSample], ['terminator', '#', 3200]);
    assert.deepEqual(tonesIn(await channel('said-a'), 0, 3200), [500]);
  });

  it('ends at exactly its length, pauses not counted', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r', { options: { maxLengthMs: 333 } });
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await bench.execute({ verb: 'recording.pause', recordingId: 'r', behaviour: 'skip', scope: 'recording' });
    await bench.slots(10, [[phone, toneOf(900, 200)]]);
    await bench.execute({ verb: 'recording.resume', recordingId: 'r' });
    await bench.slots(30, [[phone, toneOf(700, 600)]]);
    assert.equal(bench.open('r', 'call-a').end?.reason, 'max_length');
    const mix = await bench.render('r', 'call-a');
    assert.equal(mix.length, 333 * 8);
    assert.deepEqual(tonesIn(mix, 0, 1600), [500]);
    assert.deepEqual(tonesIn(mix, 1600, 2664), [700]);
  });

  it('ends at its length where that is over before the next packet, media or not', async () => {
    const phone = await bench.call('a');
    await bench.slots(3, [[phone, toneOf(500, 60)]]);
    bench.advanceUs(5000);
    await bench.record('a', 'r', { options: { maxLengthMs: 1 } });
    await bench.record('a', 'mute', { options: { maxLengthMs: 1, direction: 'speak' } });
    await bench.slots(30);
    for (const [recordingId, reason] of [
      ['r', 'max_length'],
      ['mute', 'max_length'],
    ] as const) {
      const { startSample, end } = bench.open(recordingId, 'call-a');
      assert.deepEqual([end?.reason, end!.atSample - startSample], [reason, 8], recordingId);
    }
  });

  it('ends with no input where nobody speaks', async () => {
    await bench.call('a');
    await bench.record('a', 'r', { options: { initialTimeoutMs: 500 } });
    await bench.slots(40);
    const { end } = bench.open('r', 'call-a');
    assert.deepEqual([end?.reason, end?.atSample], ['no_input', 4000]);
  });

  it('ends when the speech is over, and leaves the silence out where that is asked for', async () => {
    const phone = await bench.call('a');
    const options = { endSilenceTimeoutMs: 600 };
    await bench.record('a', 'r', { options });
    await bench.record('a', 't', { options: { ...options, trim: true } });
    await bench.slots(20, [[phone, new Int16Array(0)]]);
    await bench.slots(80, [[phone, toneOf(500, 400)]]);
    const { end } = bench.open('r', 'call-a');
    assert.equal(end?.reason, 'end_silence');
    assert.ok(Math.abs(end!.atSample - (6400 + 4800)) <= 160, `${end?.atSample}`);
    const trimmed = await bench.render('t', 'call-a');
    assert.ok(Math.abs(trimmed.length - 3200) <= 160, `${trimmed.length}`);
  });

  it('leaves out no sample of a word, wherever in the 10 ms that are listened to it begins', async () => {
    for (const silent of [0, 1, 40, 78, 79]) {
      const phone = await bench.call(`w${silent}`);
      const [whole, trimmed] = [`whole${silent}`, `trimmed${silent}`];
      const options = { endSilenceTimeoutMs: 600 };
      await bench.record(`w${silent}`, whole, { options });
      await bench.record(`w${silent}`, trimmed, { options: { ...options, trim: true } });
      await bench.slots(20, [[phone, new Int16Array(0)]]);
      const word = new Int16Array(silent + 4000);
      word.set(toneOf(500, 500), silent);
      await bench.slots(90, [[phone, word]]);
      const heard = async (recordingId: string) =>
        (await bench.render(recordingId, `call-w${silent}`)).filter((sample) => sample !== 0);
      assert.deepEqual(await heard(trimmed), await heard(whole), `${silent} samples of silence`);
    }
  });

  it('a key that ends it while it is paused does not', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r', { options: { terminators: '#' } });
    await bench.slots(5, [[phone, toneOf(500, 100)]]);
    await bench.execute({
      verb: 'recording.pause',
      recordingId: 'r',
      behaviour: 'silence',
      scope: 'recording',
    });
    await phone.press('#');
    await bench.slots(5);
    await bench.execute({ verb: 'recording.resume', recordingId: 'r' });
    await bench.slots(5, [[phone, toneOf(500, 100)]]);
    assert.equal(bench.open('r', 'call-a').end, undefined);
    await stop();
    assert.equal(bench.open('r', 'call-a').end?.reason, 'stopped');
  });

  it('records nothing before consent, and begins with it', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r', { options: { consent: 'required' } });
    await bench.slots(10, [[phone, toneOf(900, 200)]]);
    await bench.execute({ verb: 'recording.consent', recordingId: 'r' });
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    await stop();
    const mix = await bench.render('r', 'call-a');
    assert.deepEqual(tonesIn(mix, 0, 1600), [500]);
    assert.equal(bench.open('r', 'call-a').tracks[0]?.packets, 10);
  });

  it('a pause of the call stops every recording that hears it', async () => {
    const phone = await bench.call('a');
    const other = await bench.call('b');
    await bench.record('a', 'r');
    await bench.record('b', 's');
    await bench.join('a', 'room');
    await bench.join('b', 'room');
    await bench.recordRoom('room', 'c');
    await bench.slots(5, [[phone, toneOf(500, 100)]]);
    await bench.execute({ verb: 'recording.pause', recordingId: 'r', behaviour: 'silence', scope: 'call' });
    await bench.recordRoom('room', 'late');
    await bench.slots(20, [
      [phone, toneOf(900, 400)],
      [other, toneOf(700, 400)],
    ]);
    await bench.execute({ verb: 'recording.resume', recordingId: 'r' });
    await bench.slots(10, [[phone, toneOf(500, 200)]]);
    for (const [recordingId, roomId] of [
      ['r', 'call-a'],
      ['s', 'call-b'],
      ['c', 'room'],
      ['late', 'room'],
    ] as const) {
      await stop(recordingId);
      const mix = await bench.render(recordingId, roomId);
      const samples = mix.length;
      assert.deepEqual(tonesIn(mix, samples - 4800, samples), [500], recordingId);
      assert.deepEqual(tonesIn(mix, 0, samples), [500], recordingId);
    }
  });

  async function until(holds: () => boolean): Promise<void> {
    for (let slots = 0; !holds(); slots++) {
      assert.ok(slots < 500);
      await bench.slots(1);
    }
  }
});
