import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Secret } from '../secret.ts';
import { loadMasterKey, type MasterKey } from '../spool/keys.ts';
import { openSpool, readManifest, readTrack, type SpoolRecording } from '../spool/reader.ts';
import { TestSpool, temporaryDirectory, testParty } from '../spool/test-spool.ts';
import { recoverSpool } from './recovery.ts';
import { summariseRecording } from './summary.ts';

const program = fileURLToPath(new URL('./test-recording-process.ts', import.meta.url));
const directories: string[] = [];
const temporary = (): string => {
  const directory = temporaryDirectory();
  directories.push(directory);
  return directory;
};
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

/** Runs the recording process until it has said `slots` slots, kills it. @returns the last slot it said */
async function killAfter(dataDirectory: string, slots: number): Promise<number> {
  const child = spawn(process.execPath, [program, dataDirectory], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.setEncoding('latin1');
  child.stdout.on('data', (text: string) => {
    said += text;
    if (said.includes(`\n${slots}\n`)) child.kill('SIGKILL');
  });
  const [, signal] = await once(child, 'close');
  assert.equal(signal, 'SIGKILL');
  return Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
}

interface Spool {
  spoolDirectory: string;
  masterKey: MasterKey;
}

const open = ({ spoolDirectory, masterKey }: Spool, recordingId: string): SpoolRecording =>
  openSpool(join(spoolDirectory, 'room'), recordingId, masterKey);

function slotsOf(recording: SpoolRecording): number[][] {
  return recording.tracks.map((track) =>
    [...readTrack(track)].flatMap((record) => {
      if (record.kind !== 'packet') return [];
      assert.ok(record.payload.every((byte) => byte === (record.sequenceNumber & 0xff)));
      return [Math.round(record.arrivalUs / 20_000)];
    }),
  );
}

const slotMs = 20;
const maxLossMs = 100;

for (const slots of [7, 61, 400]) {
  test(`a process killed after ${slots} slots leaves all but the last 100 ms, finished by recovery`, async () => {
    const dataDirectory = temporary();
    const lastSlot = await killAfter(dataDirectory, slots);
    const spool = { spoolDirectory: join(dataDirectory, 'spool'), masterKey: loadMasterKey(dataDirectory) };
    const report = recoverSpool(spool);
    assert.deepEqual(report.failures, []);
    assert.deepEqual(
      report.finished.map(({ header }) => header.recordingId),
      ['A', 'B'],
    );
    const recording = open(spool, 'A');
    assert.equal(recording.end?.reason, 'interrupted');
    assert.equal(recording.tracks.length, 6);
    for (const [index, kept] of slotsOf(recording).entries()) {
      assert.deepEqual(
        kept,
        Array.from({ length: kept.length }, (_, slot) => slot),
      );
      assert.ok((lastSlot - kept.length) * slotMs <= maxLossMs, `${kept.length} of ${lastSlot} slots`);
      assert.equal(recording.tracks[index]!.endSample, kept.length * 160);
      assert.equal(recording.tracks[index]!.packets, kept.length);
    }
    for (const kept of slotsOf(open(spool, 'B')))
      for (const slot of kept) assert.ok(slot % 50 <= 20 || slot % 50 > 45, `slot ${slot} was in a pause`);
    assert.deepEqual(readdirSync(join(spool.spoolDirectory, 'journal')), []);
    const again = recoverSpool(spool);
    assert.deepEqual(again.finished, []);
    assert.deepEqual(open(spool, 'A').end, recording.end);
  });
}

const spool = new TestSpool();
after(() => spool.remove());
const segmentId = (number: number): string => String(number).padStart(16, '0');

function record(recordingId: string, number: number, { trackEnds = false } = {}): void {
  const { producer } = spool;
  spool.startRecording(recordingId);
  for (const trackId of ['t1', 't2']) {
    producer.append(recordingId, { type: 'track', trackId, startSample: 80, party: testParty });
    const wants = [{ recordingId, startSample: 80 }];
    const segment = producer.openSegment({
      segmentId: segmentId(number++),
      conversationId: 'room',
      trackId,
      wants,
    });
    producer.format(segment, { codec: 'PCMU', clockRateHz: 8000, payloadType: 0, ssrc: 1 }, 0);
    producer.packet(segment, 1, 0, 10_000, Buffer.alloc(160));
    producer.packet(segment, 2, 160, 30_000, Buffer.alloc(160));
  }
  if (trackEnds)
    producer.append(recordingId, {
      type: 'track-end',
      trackId: 't1',
      endSample: 5000,
      packets: 2,
      overflowPackets: 0,
    });
}

/** The running recordings A and B as a killed process leaves them, in a directory of its own. */
record('A', 1);
record('B', 3, { trackEnds: true });
spool.pump();

function interrupted(): Spool {
  const dataDirectory = temporary();
  cpSync(spool.dataDirectory, dataDirectory, { recursive: true });
  return { spoolDirectory: join(dataDirectory, 'spool'), masterKey: spool.masterKey };
}

test('what was killed while it waited has no length, and says whether consent was given', () => {
  const waiting = new TestSpool();
  try {
    const { producer } = waiting;
    const start = (recordingId: string, waitsFor: 'beep' | 'consent') =>
      waiting.startRecording(recordingId, { startSample: 400, waitsFor });
    const come = (recordingId: string, atSample: number) =>
      producer.append(recordingId, { type: 'track', trackId: 't', startSample: atSample, party: testParty });
    const consents = (recordingId: string) =>
      producer.append(recordingId, {
        ...{ type: 'consent', atSample: 800, connectionIds: ['a'], method: 'dtmf', who: 'Ann' },
      });
    start('beep', 'beep');
    come('beep', 2000);
    start('consent', 'consent');
    come('consent', 2000);
    start('given', 'consent');
    consents('given');
    come('given', 2000);
    start('begun', 'consent');
    consents('begun');
    producer.append('begun', { type: 'begin', atSample: 800 });
    come('begun', 2000);
    waiting.pump();
    const { finished } = recoverSpool(waiting);
    assert.deepEqual(
      finished.map(({ header, end }) => [header.recordingId, end.reason, end.atSample]),
      [
        ['beep', 'interrupted', 400],
        ['begun', 'interrupted', 2000],
        ['consent', 'no_consent', 400],
        ['given', 'interrupted', 400],
      ],
    );
    for (const { header } of finished) {
      const { recordedSamples, startSample } = summariseRecording(
        waiting.spoolDirectory,
        'room',
        header.recordingId,
      );
      const begins = header.recordingId === 'begun';
      assert.deepEqual([startSample, recordedSamples], begins ? [800, 1200] : [400, 0]);
    }
  } finally {
    waiting.remove();
  }
});

test('what was killed while it was paused went on as far as is known of its room', () => {
  const paused = new TestSpool();
  try {
    const { producer } = paused;
    const start = (recordingId: string, rateHz: number) => {
      paused.startRecording(recordingId, { rateHz });
      const track = { type: 'track', trackId: 't', startSample: 0, party: testParty } as const;
      producer.append(recordingId, track);
    };
    start('alone', 8000);
    producer.append('alone', { type: 'pause', atSample: 1600, behaviour: 'mask' });
    start('other', 16_000);
    producer.append('other', { type: 'pause', atSample: 3200, behaviour: 'silence' });
    producer.append('other', { type: 'resume', atSample: 4800 });
    producer.append('other', { type: 'pause', atSample: 6400, behaviour: 'silence' });
    producer.append('other', { type: 'alive', atSample: 16_000 });
    start('running', 8000);
    producer.append('running', { type: 'pause', atSample: 1600, behaviour: 'skip' });
    producer.append('running', { type: 'resume', atSample: 2400 });
    const originUnixMs = paused.clock.unixMs();
    paused.pump();
    const ends = (lostAfterMs?: number) => {
      const dataDirectory = temporary();
      cpSync(paused.dataDirectory, dataDirectory, { recursive: true });
      const killed = { spoolDirectory: join(dataDirectory, 'spool'), masterKey: paused.masterKey };
      const lostWorker = {
        ...{ workerId: 'w', conversationIds: ['room'] },
        ...(lostAfterMs !== undefined && { lostUnixMs: originUnixMs + lostAfterMs }),
      };
      recoverSpool({ ...killed, lostWorker });
      return ['alone', 'other', 'running'].map((recordingId) => {
        const { end, tracks, header } = open(killed, recordingId);
        assert.equal(tracks[0]!.endSample, recordingId === 'running' ? 0 : end!.atSample, recordingId);
        const ms = (end!.atSample * 1000) / header.rateHz;
        assert.equal(end!.endedUnixMs, originUnixMs + ms);
        return ms;
      });
    };
    assert.deepEqual(ends(), [1000, 1000, 300], 'as long as one of them says it lived');
    assert.deepEqual(ends(1750), [1750, 1750, 300], 'until the worker was lost');
    assert.deepEqual(ends(3_600_000), [6000, 6000, 300], 'a clock that was set forward');
    assert.deepEqual(ends(-3_600_000), [1000, 1000, 300], 'a clock that was set back');
  } finally {
    paused.remove();
  }
});

test('missing track ends are added, those that are there stay', () => {
  const killed = interrupted();
  const { finished } = recoverSpool(killed);
  const ends = finished.map(({ header, end, packets }) => [header.recordingId, end.atSample, packets]);
  assert.deepEqual(ends, [
    ['A', 400, 4],
    ['B', 5000, 4],
  ]);
  assert.equal(finished[0]!.end.endedUnixMs, finished[0]!.header.originUnixMs + 50);
  const lines = readManifest(join(killed.spoolDirectory, 'room/B.rec')).filter(
    ({ type }) => type === 'track-end',
  );
  assert.equal(lines.length, 2);
});

test('a recovery killed at any byte of its own writing is finished by the next', () => {
  const killed = interrupted();
  recoverSpool(killed);
  const path = join(killed.spoolDirectory, 'room/B.rec');
  const whole = readFileSync(path);
  const before = whole.indexOf('{"type":"track-end","trackId":"t2"');
  assert.ok(before > 0);
  for (let length = before; length < whole.length; length++) {
    truncateSync(path, length);
    const { finished, failures } = recoverSpool(killed);
    assert.deepEqual([finished.length, failures.length], [1, 0]);
    assert.deepEqual(readFileSync(path), whole, `${length} bytes`);
  }
});

test('without the key a recording is left for the right one; others are finished', () => {
  const killed = interrupted();
  const wrong = { ...killed, masterKey: new Secret(Buffer.alloc(32)) };
  const { finished, failures } = recoverSpool(wrong);
  assert.deepEqual(finished, []);
  assert.deepEqual(
    failures.map(({ error }) => error.code),
    ['SPOOL_KEY_MISSING', 'SPOOL_KEY_MISSING'],
  );
  assert.equal(recoverSpool(killed).finished.length, 2);
});

test('a damaged segment costs what follows the damage, and is reported', () => {
  const killed = interrupted();
  recoverSpool(killed);
  const path = join(killed.spoolDirectory, 'room/A.rec');
  const unfinished = readFileSync(path);
  writeFileSync(path, unfinished.subarray(0, unfinished.indexOf('{"type":"track-end"')));
  const segment = join(killed.spoolDirectory, `room/${segmentId(1)}.seg`);
  const bytes = readFileSync(segment);
  bytes[40]! ^= 1;
  writeFileSync(segment, bytes);
  const { finished, failures } = recoverSpool(killed);
  assert.deepEqual(
    finished.map(({ packets, end }) => [packets, end.atSample]),
    [[2, 400]],
  );
  assert.deepEqual(
    failures.map(({ recordingId, error }) => [recordingId, error.code]),
    [['A', 'SPOOL_CORRUPT']],
  );
});

test('a damaged manifest is reported and left alone, with the segments beside it', () => {
  const killed = interrupted();
  recoverSpool(killed);
  const path = join(killed.spoolDirectory, 'room/A.rec');
  const bytes = readFileSync(path);
  bytes[300]! ^= 1;
  writeFileSync(path, bytes);
  const names = readdirSync(join(killed.spoolDirectory, 'room'));
  const { finished, failures } = recoverSpool(killed);
  assert.deepEqual([finished.length, failures[0]?.error.code], [0, 'SPOOL_CORRUPT']);
  assert.deepEqual(readdirSync(join(killed.spoolDirectory, 'room')), names);
});

test('only the rooms and journals of a lost worker are touched', () => {
  const killed = interrupted();
  const lostWorker = { workerId: 'other', conversationIds: ['elsewhere'] };
  assert.deepEqual(recoverSpool({ ...killed, lostWorker }).finished, []);
  assert.deepEqual(readdirSync(join(killed.spoolDirectory, 'journal')), ['w-1.jnl']);
  const named = { workerId: 'w', conversationIds: ['room'] };
  assert.equal(recoverSpool({ ...killed, lostWorker: named }).finished.length, 2);
});

test('an empty or missing spool has nothing to recover', () => {
  const { finished, failures } = recoverSpool({
    spoolDirectory: join(temporary(), 'none'),
    masterKey: spool.masterKey,
  });
  assert.deepEqual([finished, failures], [[], []]);
});
