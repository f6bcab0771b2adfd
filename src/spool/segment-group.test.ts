import assert from 'node:assert/strict';
import { unlinkSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { decodeJournal } from './journal.ts';
import { groupKey, openGroup } from './journal-group.ts';
import type { OpenSegment } from './producer.ts';
import { segmentKeysOf } from './segment-keys.ts';
import { TestSpool, testParty } from './test-spool.ts';

const spools: TestSpool[] = [];
afterEach(() => {
  for (const spool of spools.splice(0)) spool.remove();
});

const id = (number: number): string => String(number).padStart(16, '0');

/** @returns segments of one recording, of which each has a packet in the journal */
function begin(segments: number): { spool: TestSpool; open: OpenSegment[] } {
  const spool = new TestSpool();
  spools.push(spool);
  spool.startRecording('A');
  spool.producer.append('A', { type: 'track', trackId: 't', startSample: 0, party: testParty });
  const open = Array.from({ length: segments }, (_, index) => openSegment(spool, index + 1));
  sendTurn(spool, open, 1);
  spool.writer.settleConversation('room');
  return { spool, open };
}

function openSegment({ producer }: TestSpool, number: number): OpenSegment {
  const wants = [{ recordingId: 'A', startSample: 0 }];
  return producer.openSegment({ segmentId: id(number), conversationId: 'room', trackId: 't', wants });
}

function sendTurn(spool: TestSpool, segments: readonly OpenSegment[], number: number): void {
  for (const segment of segments)
    spool.producer.packet(segment, number, number * 160, number * 20_000, Buffer.alloc(20, number));
  spool.pump();
}

/** Of each group's entry in the journal: its leader, its number, and the segments in it, those that end marked. */
function entriesOf(spool: TestSpool, journal = 'w-1.jnl'): string[] {
  const keys = segmentKeysOf(spool.path('room'), spool.masterKey);
  return decodeJournal(spool.read(`journal/${journal}`))
    .entries.filter(({ kind }) => kind === 'group')
    .map(({ path, offset, body }) => {
      const leader = path.slice('room/'.length, -'.seg'.length);
      const parts = openGroup(groupKey(keys.of(leader)!), offset, body)!;
      const names = parts.map(({ segmentId, closed }) => `${Number(segmentId)}${closed ? '.' : ''}`);
      return `${Number(leader)}/${offset}: ${names.join(' ')}`;
    });
}

test('what the segments of a recording get in a turn is sealed together, in the order of their opening', () => {
  const { spool, open } = begin(3);
  sendTurn(spool, [open[2]!, open[0]!], 2);
  sendTurn(spool, [open[1]!], 3);
  assert.deepEqual(entriesOf(spool), ['1/0: 1 2 3', '1/1: 1 3', '1/2: 2']);
});

test('where the leader ends the next segment leads, and one that is opened in the same turn is with them', () => {
  const { spool, open } = begin(2);
  spool.producer.closeSegment(open[0]!);
  const third = openSegment(spool, 3);
  sendTurn(spool, [open[1]!, third], 2);
  sendTurn(spool, [open[1]!, third], 3);
  assert.deepEqual(entriesOf(spool), ['1/0: 1 2', '1/1: 1. 2 3', '2/0: 2 3']);
});

test('a group whose segments have all ended begins anew with the next', () => {
  const { spool, open } = begin(2);
  for (const segment of open) spool.producer.closeSegment(segment);
  spool.pump();
  const third = openSegment(spool, 3);
  sendTurn(spool, [third], 2);
  spool.producer.closeSegment(third);
  const fourth = openSegment(spool, 4);
  sendTurn(spool, [fourth], 3);
  sendTurn(spool, [fourth], 4);
  spool.writer.settleConversation('room');
  assert.deepEqual(entriesOf(spool), ['1/0: 1 2', '1/1: 1. 2.', '3/0: 3', '3/1: 3. 4', '4/0: 4']);
});

test('a leader whose file was removed leads no more, and its records are left out', () => {
  const { spool, open } = begin(2);
  unlinkSync(spool.path(`room/${open[0]!.segmentId}.seg`));
  spool.clock.advanceMs(60_000);
  spool.pump();
  spool.pump();
  sendTurn(spool, open, 2);
  spool.producer.closeSegment(open[0]!);
  sendTurn(spool, open, 3);
  assert.deepEqual(entriesOf(spool, 'w-2.jnl'), ['2/0: 2', '2/1: 2']);
});

test('groups of many recordings, more than a piece of memory holds, keep to themselves', () => {
  const spool = new TestSpool();
  spools.push(spool);
  const segments = Array.from({ length: 200 }, (_, index) => {
    const recordingId = `R${index}`;
    spool.startRecording(recordingId);
    spool.producer.append(recordingId, { type: 'track', trackId: 't', startSample: 0, party: testParty });
    const wants = [{ recordingId, startSample: 0 }];
    return spool.producer.openSegment({ segmentId: id(index), conversationId: 'room', trackId: 't', wants });
  });
  for (const number of [1, 2]) sendTurn(spool, segments, number);
  spool.writer.settleConversation('room');
  const expected = [0, 1].flatMap((entry) => segments.map((_, index) => `${index}/${entry}: ${index}`));
  assert.deepEqual(entriesOf(spool), expected);
});
