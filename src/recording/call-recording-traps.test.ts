import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Command } from '../media/control.ts';
import type { TestPhone } from '../media/test-phone.ts';
import { readTrack, type SpoolTrack } from '../spool/reader.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

/** Where recorders of other makers lost words, digits or the end itself. */
describe('recordings of calls', () => {
  let bench: RecordingBench;

  beforeEach(() => {
    bench = new RecordingBench();
  });

  afterEach(async () => {
    await bench.close();
  });

  const send = (phone: TestPhone, mark: number) => phone.send({ payload: new Uint8Array(160).fill(mark) });
  const marksIn = (track: SpoolTrack | undefined) =>
    [...readTrack(track!)].flatMap((record) => (record.kind === 'packet' ? record.payload[0]! : []));
  const terminalEvents = () => bench.events.filter(({ event }) => event === 'recording.ended');

  it('T7: the first and the last word are kept', async () => {
    const phone = await bench.call('a');
    const packets = 12;
    await send(phone, 0xee);
    await bench.receive();
    await bench.record('a', 'r');
    for (let mark = 1; mark <= packets; mark++) {
      await send(phone, mark);
      if (mark < packets) await bench.slots(1);
    }
    await bench.receive();
    await bench.execute({ verb: 'leg.close', legId: 'a' });
    await bench.slots(3);
    const { tracks, end } = bench.open('r', 'call-a');
    assert.equal(end?.reason, 'call_ended');
    assert.deepEqual(
      marksIn(tracks[0]),
      Array.from({ length: packets }, (_, index) => index + 1),
    );
    const said = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'said-a', format: 'wav' });
    assert.equal(said.length, packets * 160);
  });

  it('T13: keys pressed while it records leave it whole, and the audio at its place', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r');
    await bench.record('a', 's', { options: { terminators: '#' } });
    for (const mark of [1, 2, 3]) {
      await send(phone, mark);
      await bench.slots(1);
    }
    for (const digit of ['1', '*', '7']) {
      await phone.press(digit, { durationMs: 100 });
      await bench.slots(5);
    }
    for (const mark of [4, 5]) {
      await send(phone, mark);
      await bench.slots(1);
    }
    await phone.press('#');
    await bench.slots(5);
    await send(phone, 6);
    await bench.slots(1);
    await bench.execute({ verb: 'recording.stop', recordingId: 'r', reason: 'stopped' });
    await bench.slots(3);
    for (const [recordingId, marks, digits, reason] of [
      ['r', [1, 2, 3, 4, 5, 6], '1*7#', 'stopped'],
      ['s', [1, 2, 3, 4, 5], '1*7#', 'terminator'],
    ] as const) {
      const { tracks, end } = bench.open(recordingId, 'call-a');
      assert.equal(end?.reason, reason);
      assert.deepEqual(marksIn(tracks[0]), marks);
      const pressed = [...readTrack(tracks[0]!)].flatMap((each) => (each.kind === 'digit' ? each.digit : []));
      assert.equal(pressed.join(''), digits);
    }
    const said = await bench.render('r', 'call-a', { kind: 'channel', trackId: 'said-a', format: 'wav' });
    // 3 packets, 3 keys of 100 ms, 2 packets, a key, a packet.
    assert.equal(said.length, (3 + 15 + 2 + 5 + 1) * 160);
    assert.ok(said.subarray(3 * 160, 18 * 160).every((sample) => sample === 0));
    assert.ok(said.subarray(18 * 160, 20 * 160).every((sample) => sample !== 0));
  });

  const stop: Command = { verb: 'recording.stop', recordingId: 'r', reason: 'stopped' };
  const hangUp: Command = { verb: 'leg.close', legId: 'a' };
  for (const [name, commands, reason] of [
    ['a stop and the hang-up in one tick', [stop, hangUp], 'stopped'],
    ['the hang-up and a stop in one tick', [hangUp, stop], 'call_ended'],
    ['two stops in one tick', [stop, stop], 'stopped'],
  ] as const)
    it(`${name}: one terminal event, and the last word`, async () => {
      const phone = await bench.call('a');
      await bench.record('a', 'r');
      for (const mark of [1, 2, 3]) {
        await bench.slots(1);
        await send(phone, mark);
      }
      await bench.receive();
      await Promise.all(commands.map((command) => bench.execute(command)));
      await bench.slots(5);
      const { tracks, end } = bench.open('r', 'call-a');
      assert.equal(end?.reason, reason);
      assert.deepEqual(marksIn(tracks[0]), [1, 2, 3]);
      assert.deepEqual(terminalEvents(), [
        { event: 'recording.ended', recordingId: 'r', roomId: 'call-a', reason },
      ]);
      await assert.rejects(bench.execute(stop), { code: 'NOT_FOUND' });
      assert.equal(terminalEvents().length, 1);
    });

  it('a stop in the tick of a terminator or of the full length: one terminal event', async () => {
    const phone = await bench.call('a');
    await bench.record('a', 'r', { options: { terminators: '#', maxLengthMs: 100 } });
    for (const mark of [1, 2, 3, 4]) {
      await send(phone, mark);
      await bench.slots(1);
    }
    await phone.press('#');
    await bench.receive();
    await bench.execute(stop);
    await bench.slots(5);
    assert.deepEqual(
      terminalEvents().map((event) => event.event === 'recording.ended' && event.reason),
      ['terminator'],
    );
    assert.deepEqual(marksIn(bench.open('r', 'call-a').tracks[0]), [1, 2, 3, 4]);
  });
});
