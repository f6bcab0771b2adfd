import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { RoomMode } from '../media/control.ts';
import type { TestPhone } from '../media/test-phone.ts';
import { readTrack } from '../spool/reader.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { HeldUp } from './test-held-up.ts';
import { RecordingBench } from './test-recording-bench.ts';

throwOnUnlistedTransitions();

const [before, secret, after] = [0x11, 0x22, 0x33];
const modes: readonly RoomMode[] = ['mix', 'relay'];

describe('a pause of the call reaches who is in one room with it', () => {
  let bench: RecordingBench;
  const phones = new Map<string, TestPhone>();
  const roomOf = new Map<string, string>();
  const stopped = new Set<string>();

  beforeEach(async () => {
    bench = new RecordingBench();
    phones.clear();
    roomOf.clear();
    stopped.clear();
    for (const legId of ['customer', 'agent', 'other']) phones.set(legId, await bench.call(legId));
  });

  afterEach(async () => {
    await bench.close();
  });

  async function recordCall(legId: string): Promise<void> {
    await bench.record(legId, `r-${legId}`);
    roomOf.set(`r-${legId}`, `call-${legId}`);
  }
  async function recordRoom(roomId: string): Promise<void> {
    await bench.recordRoom(roomId, `r-${roomId}`);
    roomOf.set(`r-${roomId}`, roomId);
  }
  const join = (legId: string, roomId: string, mode: RoomMode = 'mix') => bench.join(legId, roomId, { mode });
  const leave = (legId: string) => bench.execute({ verb: 'room.leave', legId });
  const pause = (recordingId: string) =>
    bench.execute({ verb: 'recording.pause', recordingId, behaviour: 'skip', scope: 'call' });
  const resume = (recordingId: string) => bench.execute({ verb: 'recording.resume', recordingId });

  /** Each of them says one packet a slot; the clocks of the others go on. */
  async function say(mark: number, packets = 10, legIds: readonly string[] = [...phones.keys()]) {
    for (let i = 0; i < packets; i++) {
      for (const [legId, phone] of phones)
        if (legIds.includes(legId)) await phone.send({ payload: new Uint8Array(160).fill(mark) });
        else phone.timestamp += 160;
      await bench.slots(1);
    }
  }
  /** What these say in four slots is held up by the network. */
  async function holdUp(legIds: readonly string[]): Promise<HeldUp[]> {
    const held = legIds.map((legId) => new HeldUp(phones.get(legId)!));
    for (const each of held) for (let i = 0; i < 4; i++) each.say(secret);
    for (const [legId, phone] of phones) if (!legIds.includes(legId)) phone.timestamp += 4 * 160;
    await bench.slots(4);
    return held;
  }
  /** It comes now. */
  async function letGo(held: readonly HeldUp[]): Promise<void> {
    for (const each of held) await each.letGo();
    await say(0xff, 1, []);
  }

  /** Of each recording, whether it is paused by what was told. */
  function paused(): string[] {
    return [...roomOf.keys()].filter((recordingId) => {
      const told = bench.events.filter(
        (event) => 'recordingId' in event && event.recordingId === recordingId,
      );
      return told.findLast(({ event }) => event !== 'recording.ended')?.event === 'recording.paused';
    });
  }

  /** Of each recording, which is stopped, the packets that hold 10 ms of the mark in a row, said or heard. */
  async function packetsWith(mark: number): Promise<Record<string, number>> {
    await bench.slots(10);
    for (const recordingId of roomOf.keys())
      if (!stopped.has(recordingId))
        await bench.execute({ verb: 'recording.stop', recordingId, reason: 'stopped' });
    for (const recordingId of roomOf.keys()) stopped.add(recordingId);
    await bench.slots(3);
    const marked = Buffer.alloc(80, mark);
    return Object.fromEntries(
      Array.from(roomOf, ([recordingId, roomId]) => [
        recordingId,
        bench
          .open(recordingId, roomId)
          .tracks.flatMap((track) => [...readTrack(track)])
          .filter((record) => record.kind === 'packet' && Buffer.from(record.payload).includes(marked))
          .length,
      ]),
    );
  }

  for (const mode of modes)
    it(`lets go of the agent that leaves the paused customer for another one (${mode})`, async () => {
      await recordCall('customer');
      await recordCall('agent');
      await recordRoom('room1');
      await join('customer', 'room1', mode);
      await join('agent', 'room1', mode);
      await say(before);
      await pause('r-customer');
      assert.deepEqual(paused(), ['r-customer', 'r-agent', 'r-room1']);
      await say(secret);
      const held = await holdUp(['agent']);
      await leave('agent');
      assert.deepEqual(paused(), ['r-customer', 'r-room1'], 'the agent alone');
      await join('agent', 'room2', mode);
      await join('other', 'room2', mode);
      await recordCall('other');
      await recordRoom('room2');
      assert.deepEqual(paused(), ['r-customer', 'r-room1'], 'who never met the customer');
      await letGo(held);
      await say(after, 10, ['agent']);
      await say(secret, 10, ['customer']);
      assert.deepEqual(await packetsWith(secret), {
        ...{ 'r-customer': 0, 'r-agent': 0, 'r-room1': 0, 'r-other': 0, 'r-room2': 0 },
      });
      const kept = await packetsWith(after);
      assert.deepEqual(
        { ...kept, 'r-other': 0 },
        { 'r-customer': 0, 'r-agent': 10, 'r-room1': 0, 'r-other': 0, 'r-room2': 10 },
      );
      assert.ok(kept['r-other']! >= 9, JSON.stringify(kept));
    });

  for (const mode of modes)
    it(`goes with the paused call, and lets go of those that it leaves (${mode})`, async () => {
      await recordCall('customer');
      await recordCall('agent');
      await recordCall('other');
      await recordRoom('room1');
      await recordRoom('room2');
      await join('customer', 'room1', mode);
      await join('agent', 'room1', mode);
      await join('other', 'room2', mode);
      await say(before);
      await pause('r-customer');
      await say(secret, 10, ['customer', 'agent']);
      const held = await holdUp(['customer', 'agent']);
      await leave('customer');
      assert.deepEqual(paused(), ['r-customer']);
      await letGo(held);
      await say(after, 10, ['agent']);
      await join('customer', 'room2', mode);
      assert.deepEqual(paused(), ['r-customer', 'r-other', 'r-room2']);
      await say(secret, 10, ['customer', 'other']);
      await leave('customer');
      assert.deepEqual(paused(), ['r-customer']);
      await say(after, 10, ['other']);
      await say(secret, 5, ['customer']);
      const none = { 'r-customer': 0, 'r-agent': 0, 'r-other': 0, 'r-room1': 0, 'r-room2': 0 };
      assert.deepEqual(await packetsWith(secret), none);
      const kept = await packetsWith(after);
      assert.deepEqual(kept, { ...none, 'r-agent': 10, 'r-other': 10, 'r-room1': 10, 'r-room2': 10 });
    });

  it('of a conference reaches who is in it: who leaves is let go of, who comes is held', async () => {
    await recordCall('agent');
    await recordCall('other');
    await recordRoom('room1');
    await join('agent', 'room1');
    await say(before);
    await pause('r-room1');
    assert.deepEqual(paused(), ['r-agent', 'r-room1']);
    await join('other', 'room1');
    assert.deepEqual(paused(), ['r-agent', 'r-other', 'r-room1']);
    await say(secret);
    await leave('agent');
    assert.deepEqual(paused(), ['r-other', 'r-room1']);
    await say(after, 10, ['agent']);
    await leave('other');
    await bench.recordRoom('room1', 'second');
    roomOf.set('second', 'room1');
    assert.deepEqual(paused(), ['r-room1', 'second'], 'who comes is held, so nothing of it is recorded');
    await join('agent', 'room1');
    await say(secret, 5, ['agent']);
    await resume('r-room1');
    assert.deepEqual(paused(), []);
    assert.deepEqual(await packetsWith(secret), { 'r-agent': 0, 'r-other': 0, 'r-room1': 0, second: 0 });
    assert.deepEqual(await packetsWith(after), { 'r-agent': 10, 'r-other': 0, 'r-room1': 0, second: 0 });
  });
});
