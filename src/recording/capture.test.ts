import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { CapturedPacket, Stay } from '../media/capture-sink.ts';
import type { RecordingPolicy, WorkerEvent } from '../media/control.ts';
import type { RecorderOptions } from '../media/recorder-options.ts';
import { newRecordingKey } from '../spool/keys.ts';
import { openSpool, readManifest, readTrack, type SpoolRecording } from '../spool/reader.ts';
import { TestSpool, testParty } from '../spool/test-spool.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { Capture } from './capture.ts';
import { Recordings } from './recordings.ts';

throwOnUnlistedTransitions();

let spool: TestSpool;
let capture: Capture;
let recordings: Recordings;
let events: WorkerEvent[];
let sequence: number;
beforeEach(() => {
  open();
});
afterEach(() => spool.remove());

function open(ringBytes = 1 << 20): void {
  spool = new TestSpool({ ringBytes });
  events = [];
  sequence = 0;
  const { producer, clock } = spool;
  capture = new Capture({ spool: producer, clock });
  recordings = new Recordings({ capture, spool: producer, emit: (event) => void events.push(event) });
}

const now = (): number => spool.clock.monotonicUs();
const stayOf = (trackId: string, policy: RecordingPolicy = 'follow'): Stay => ({
  trackId,
  roomId: 'room',
  legId: trackId,
  policy,
  party: testParty,
});

function start(recordingId: string, rateHz = 8000, options: RecorderOptions = {}): void {
  const key = newRecordingKey(spool.masterKey, recordingId);
  recordings.start(
    {
      verb: 'recording.start',
      recordingId,
      roomId: 'room',
      accountId: 'account',
      rateHz,
      key,
      meta: { a: 1 },
      options,
    },
    now(),
  );
}

/** One packet of 20 ms from each, then 20 ms pass. */
function talk(stays: readonly Stay[], times = 1, change: Partial<CapturedPacket> = {}): void {
  for (let time = 0; time < times; time++) {
    for (const stay of stays) {
      const sequenceNumber = sequence & 0xffff;
      const plain = {
        codec: 'PCMU',
        payloadType: 0,
        clockRateHz: 8000,
        ssrc: stay.trackId.charCodeAt(1),
      } as const;
      const payload = new Uint8Array(160).fill(sequence);
      capture.packet(stay, {
        ...plain,
        sequenceNumber,
        rtpTime: sequence * 160,
        arrivalUs: now(),
        payload,
        ...change,
      });
    }
    sequence++;
    spool.clock.advanceMs(20);
  }
}

function settle(): void {
  spool.pump();
  spool.pump();
  for (const message of spool.messages.splice(0)) recordings.writerReported(message);
}

const read = (recordingId: string): SpoolRecording =>
  openSpool(spool.path('room'), recordingId, spool.masterKey);

/** Which of the numbered packets a recording holds, track by track. */
function held(recordingId: string): Record<string, number[]> {
  const tracks = read(recordingId).tracks.map((track) => [
    track.trackId,
    [...readTrack(track)].flatMap((record) => (record.kind === 'packet' ? [record.payload[0]!] : [])),
  ]);
  return Object.fromEntries(tracks);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);

test('a recording that starts, pauses, resumes and stops holds exactly its packets', () => {
  const [ann, bob] = [stayOf('t1'), stayOf('t2')];
  capture.roomOpened('room', now());
  capture.stayOpened(ann, now());
  talk([ann], 2);
  start('A');
  talk([ann], 2);
  capture.stayOpened(bob, now());
  talk([ann, bob], 2);
  recordings.pause('A', 'silence', now());
  talk([ann, bob], 3);
  recordings.resume('A', now());
  talk([ann, bob], 2);
  recordings.stop('A', 'stopped', now());
  talk([ann, bob], 2);
  settle();
  assert.deepEqual(held('A'), { t1: [2, 3, 4, 5, 9, 10], t2: [4, 5, 9, 10] });
  const { header, tracks, pauses, end } = read('A');
  assert.deepEqual(header.meta, { a: 1 });
  assert.equal(header.startSample, 320);
  assert.deepEqual(
    tracks.map(({ startSample, endSample, packets }) => [startSample, endSample, packets]),
    [
      [320, 1760, 6],
      [640, 1760, 4],
    ],
  );
  assert.deepEqual(pauses, [{ fromSample: 960, toSample: 1440, behaviour: 'silence' }]);
  assert.deepEqual([end?.atSample, end?.reason], [1760, 'stopped']);
  assert.deepEqual(
    events.map(({ event }) => event),
    ['recording.started', 'recording.paused', 'recording.resumed', 'recording.ended'],
  );
});

test('while every recording is paused nothing reaches the ring', () => {
  const ann = stayOf('t1');
  start('A');
  start('B');
  capture.stayOpened(ann, now());
  talk([ann]);
  recordings.pause('A', 'skip', now());
  talk([ann]);
  recordings.pause('B', 'skip', now());
  settle();
  const before = spool.read('journal/w-1.jnl').length;
  talk([ann], 5);
  settle();
  assert.equal(spool.read('journal/w-1.jnl').length, before);
  recordings.resume('B', now());
  talk([ann]);
  capture.roomClosed('room', now());
  settle();
  assert.deepEqual([held('A'), held('B')], [{ t1: [0] }, { t1: [0, 1, 7] }]);
});

test('pausing twice and stopping twice change nothing', () => {
  const ann = stayOf('t1');
  start('A');
  capture.stayOpened(ann, now());
  talk([ann]);
  recordings.pause('A', 'skip', now());
  recordings.pause('A', 'silence', now());
  recordings.resume('A', now());
  recordings.resume('A', now());
  recordings.stop('A', 'stopped', now());
  recordings.stop('A', 'stopped', now());
  assert.throws(() => recordings.pause('A', 'skip', now()), { code: 'CONFLICT' });
  settle();
  assert.throws(() => recordings.stop('A', 'stopped', now()), { code: 'NOT_FOUND' });
  const types = readManifest(spool.path('room/A.rec')).map(({ type }) => type);
  assert.deepEqual(types, ['header', 'track', 'segment', 'pause', 'resume', 'segment', 'track-end', 'end']);
});

test('a party that never is to be recorded has no track, whoever records', () => {
  const [ann, eve] = [stayOf('t1', 'record'), stayOf('t3', 'never')];
  start('A');
  capture.stayOpened(eve, now());
  capture.stayOpened(ann, now());
  talk([ann, eve], 3);
  capture.digit(eve, { digit: '7', rtpTime: 0, arrivalUs: now() });
  start('B');
  talk([ann, eve], 3);
  capture.stayClosed(eve, now());
  capture.roomClosed('room', now());
  settle();
  assert.deepEqual(held('A'), { t1: range(0, 6) });
  assert.deepEqual(held('B'), { t1: range(3, 6) });
});

test('a recording without a packet ends with no_media, with or without stays', () => {
  start('A');
  spool.clock.advanceMs(1000);
  recordings.stop('A', 'stopped', now());
  start('B');
  const ann = stayOf('t1');
  capture.stayOpened(ann, now());
  spool.clock.advanceMs(500);
  capture.stayClosed(ann, now());
  capture.roomClosed('room', now());
  settle();
  const ends = events.flatMap((event) => (event.event === 'recording.ended' ? [event.reason] : []));
  assert.deepEqual(ends, ['no_media', 'no_media']);
  assert.equal(read('A').end?.atSample, 8000);
  assert.deepEqual(
    read('B').tracks.map(({ startSample, endSample }) => [startSample, endSample]),
    [[8000, 12_000]],
  );
  assert.equal(recordings.count, 0);
  assert.equal(capture.roomCount, 0);
});

test('what ended it by itself, or for ever, is the reason though no packet came', () => {
  for (const reason of ['consent_withdrawn', 'error', 'interrupted'] as const) {
    start(reason);
    recordings.stop(reason, reason, now());
  }
  start('key', 8000, { terminators: '#' });
  start('long', 8000, { maxLengthMs: 20 });
  start('mute', 8000, { initialTimeoutMs: 20 });
  const ann = stayOf('t1');
  capture.stayOpened(ann, now());
  capture.digit(ann, { digit: '#', rtpTime: 0, arrivalUs: now() });
  for (let slot = 0; slot < 20; slot++) {
    spool.clock.advanceMs(20);
    capture.slot(now());
  }
  capture.roomClosed('room', now());
  settle();
  const ends = events.flatMap((event) => (event.event === 'recording.ended' ? [event.reason] : []));
  assert.deepEqual(ends.sort(), [
    'consent_withdrawn',
    'error',
    'interrupted',
    'max_length',
    'no_input',
    'terminator',
  ]);
});

test('a change of codec, clock, payload type or SSRC is told once, and again in each segment', () => {
  const ann = stayOf('t1');
  start('A');
  capture.stayOpened(ann, now());
  talk([ann], 2);
  talk([ann], 2, { codec: 'PCMA', payloadType: 8 });
  talk([ann], 1, { codec: 'PCMA', payloadType: 8, ssrc: 99 });
  start('B');
  talk([ann], 1, { codec: 'PCMA', payloadType: 8, ssrc: 99 });
  capture.roomClosed('room', now());
  settle();
  const kinds = (recordingId: string): string =>
    [...readTrack(read(recordingId).tracks[0]!)].map(({ kind }) => kind[0]).join('');
  assert.equal(kinds('A'), 'fppfppfpfp');
  assert.equal(kinds('B'), 'fp');
});

test('recordings of different rates see their own positions', () => {
  const ann = stayOf('t1');
  start('A', 8000);
  start('B', 48_000);
  capture.stayOpened(ann, now());
  talk([ann], 10);
  capture.stayClosed(ann, now());
  capture.roomClosed('room', now());
  settle();
  assert.deepEqual([read('A').end?.atSample, read('B').end?.atSample], [1600, 9600]);
});

test('the last packet is kept whole though its party hung up meanwhile', () => {
  const ann = stayOf('t1');
  start('A');
  capture.stayOpened(ann, now());
  talk([ann], 5);
  spool.clock.advanceMs(3);
  capture.packet(ann, {
    codec: 'PCMU',
    payloadType: 0,
    clockRateHz: 8000,
    ssrc: '1'.charCodeAt(0),
    sequenceNumber: 5,
    rtpTime: 800,
    arrivalUs: now(),
    payload: new Uint8Array(160),
  });
  capture.stayClosed(ann, now());
  capture.roomClosed('room', now());
  settle();
  assert.equal(read('A').tracks[0]?.endSample, 960);
  assert.equal(read('A').end?.atSample, 960);
});

test('lost packets are counted in the tracks that lost them', () => {
  spool.remove();
  open(8192);
  const ann = stayOf('t1');
  start('A');
  capture.stayOpened(ann, now());
  talk([ann], 100);
  spool.pump();
  capture.tick();
  talk([ann], 1);
  capture.stayClosed(ann, now());
  capture.roomClosed('room', now());
  settle();
  const [track] = read('A').tracks;
  assert.equal(track!.packets! + track!.overflowPackets!, 101);
  assert.equal(track!.overflowPackets, spool.producer.overflows);
  const marked = [...readTrack(track!)].flatMap((record) =>
    record.kind === 'overflow' ? [record.packets] : [],
  );
  assert.equal(
    marked.reduce((sum, packets) => sum + packets, 0),
    track!.overflowPackets,
  );
  assert.ok(track!.overflowPackets! > 0);
});

test('packets of unknown stays, closed stays and rooms without recording go nowhere', () => {
  const ann = stayOf('t1');
  talk([ann]);
  capture.stayOpened(ann, now());
  talk([ann]);
  capture.stayClosed(ann, now());
  talk([ann]);
  capture.stayClosed(ann, now());
  capture.roomClosed('room', now());
  capture.roomClosed('room', now());
  settle();
  assert.ok(spool.writer.isClean);
});

test('a start that can not be is refused and leaves nothing', () => {
  start('A');
  assert.throws(() => start('A'), { code: 'CONFLICT' });
  assert.throws(() => start('../A'), { code: 'REQUEST_INVALID' });
  const key = { plain: 'c2hvcnQ=', sealed: '' };
  const command = {
    verb: 'recording.start',
    roomId: 'room',
    accountId: 'a',
    rateHz: 8000,
    meta: {},
  } as const;
  assert.throws(() => recordings.start({ ...command, recordingId: 'B', key }, now()), {
    code: 'REQUEST_INVALID',
  });
  assert.equal(recordings.count, 1);
});

test('a key that went down while it was paused is in no recording and ends none, whenever it comes', () => {
  const ann = stayOf('t1');
  capture.roomOpened('room', now());
  capture.stayOpened(ann, now());
  start('r', 8000, { terminators: '1' });
  talk([ann], 2);
  recordings.pause('r', 'silence', now());
  talk([ann], 2);
  const pressedUs = now();
  talk([ann], 2);
  recordings.resume('r', now());
  talk([ann], 1);
  const press = (digit: string, saidUs: number | undefined) =>
    capture.digit(ann, { digit, rtpTime: 0, arrivalUs: now(), ...(saidUs !== undefined && { saidUs }) });
  press('1', pressedUs);
  press('2', now());
  press('3', undefined);
  talk([ann], 1);
  settle();
  assert.equal(read('r').end, undefined);
  press('1', now());
  settle();
  assert.deepEqual([read('r').end?.reason, read('r').end?.digit], ['terminator', '1']);
  const [track] = read('r').tracks;
  const digits = [...readTrack(track!)].flatMap((record) => (record.kind === 'digit' ? record.digit : []));
  assert.deepEqual(digits, ['2', '3', '1']);
});

test('a hold is told where it begins, and again behind a pause in which it changed', () => {
  const ann = stayOf('t1');
  capture.roomOpened('room', now());
  capture.stayOpened(ann, now());
  start('r', 8000);
  talk([ann], 1);
  capture.hold(ann, true, now());
  talk([ann], 1);
  recordings.pause('r', 'silence', now());
  talk([ann], 1);
  capture.hold(ann, false, now());
  recordings.resume('r', now());
  talk([ann], 1);
  capture.hold(ann, true, now());
  recordings.pause('r', 'silence', now());
  talk([ann], 1);
  recordings.resume('r', now());
  talk([ann], 5);
  recordings.stop('r', 'stopped', now());
  settle();
  const [track] = read('r').tracks;
  const holds = [...readTrack(track!)].flatMap((record) => (record.kind === 'hold' ? record.held : []));
  assert.deepEqual(holds, [true, false, true, true]);
});
