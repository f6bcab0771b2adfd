import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import type { CapturedPacket, Stay } from '../media/capture-sink.ts';
import { eraseRecording } from '../spool/erase.ts';
import { newRecordingKey, openRecordingKey, unwrapSegmentKey } from '../spool/keys.ts';
import { openSpool, readManifest, readTrack, type SpoolTrack } from '../spool/reader.ts';
import type { PauseBehaviour } from '../spool/records.ts';
import { TestSpool } from '../spool/test-spool.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { payloadDurationTicks } from '../timeline/payload-duration.ts';
import { TrackTimeline } from '../timeline/track-timeline.ts';
import { Capture } from './capture.ts';
import { Recordings } from './recordings.ts';

throwOnUnlistedTransitions();

type Row = Record<string, string>;

/** The document's table that has this header cell first and these other cells somewhere. */
function table(first: string, ...others: string[]): Row[] {
  const lines = readFileSync(new URL('../../docs/spool.md', import.meta.url), 'utf8').split('\n');
  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const head = lines.findIndex((line) => {
    const names = cells(line);
    return names[0] === first && others.every((other) => names.includes(other));
  });
  assert.notEqual(head, -1, `a table of ${first}`);
  const names = cells(lines[head]!);
  const rows: Row[] = [];
  for (let at = head + 2; lines[at]?.startsWith('|'); at++)
    rows.push(Object.fromEntries(cells(lines[at]!).map((cell, column) => [names[column]!, cell])));
  return rows;
}

const numbers = { ann: '+1', bob: '+2', eve: '+3' } as Record<string, string>;
const rates: Record<string, number> = { A: 8000, B: 8000, C: 16_000 };
const fills: Record<string, number> = { t1: 0x51, t2: 0x52, t3: 0x53, t4: 0x54 };
const fillOf = (trackId: string): number => fills[trackId] ?? assert.fail(trackId);
const packetUs = 20_000;
const payloadBytes = { PCMU: 160, OPUS: 40 };
const clockRates = { PCMU: 8000, OPUS: 48_000 };
/** SILK, 20 ms, one frame (RFC 6716 3.1). */
const opusToc = 0x08;

/** A party's phone: one packet every 20 ms. */
class Phone {
  readonly stay: Stay;
  #codec: 'PCMU' | 'OPUS' = 'PCMU';
  #sent = 0;

  constructor(stay: Stay) {
    this.stay = stay;
  }

  change(codec: 'PCMU' | 'OPUS'): void {
    this.#codec = codec;
  }

  next(arrivalUs: number): CapturedPacket {
    const codec = this.#codec;
    const clockRateHz = clockRates[codec];
    const payload = Buffer.alloc(payloadBytes[codec], fillOf(this.stay.trackId));
    if (codec === 'OPUS') payload[0] = opusToc;
    const sequenceNumber = (65_530 + this.#sent) & 0xffff;
    const rtpTime = (0xffff_ff00 + (this.#sent * clockRateHz) / 50) >>> 0;
    this.#sent++;
    const payloadType = codec === 'OPUS' ? 111 : 0;
    const ssrc = fillOf(this.stay.trackId) * (codec === 'OPUS' ? 1000 : 1);
    return { codec, payloadType, clockRateHz, ssrc, sequenceNumber, rtpTime, arrivalUs, payload };
  }
}

class Conference {
  readonly spool = new TestSpool();
  readonly #capture: Capture;
  readonly #recordings: Recordings;
  readonly #phones = new Map<string, Phone>();
  readonly events: string[] = [];

  constructor() {
    const { producer, clock } = this.spool;
    let segments = 0;
    const newSegmentId = (): string => String(++segments).padStart(16, '0');
    this.#capture = new Capture({ spool: producer, clock, newSegmentId });
    this.#recordings = new Recordings({
      capture: this.#capture,
      spool: producer,
      emit: (event) => this.events.push(event.event),
    });
  }

  play(script: readonly Row[]): void {
    const { clock } = this.spool;
    const endMs = Number(script.at(-1)!.ms);
    for (let ms = 0; ms <= endMs; ms += 10) {
      for (const row of script) if (Number(row.ms) === ms) this.#perform(row['What happens']!.split(' '));
      if (ms % 20 === 0)
        for (const phone of this.#phones.values())
          this.#capture.packet(phone.stay, phone.next(clock.monotonicUs()));
      if (ms % 60 === 50) this.spool.pump();
      clock.advanceMs(10);
    }
    this.spool.pump();
    for (const message of this.spool.messages) this.#recordings.writerReported(message);
  }

  #perform([verb, subject = '', ...rest]: string[]): void {
    const nowUs = this.spool.clock.monotonicUs();
    if (verb === 'start') this.#start(subject, nowUs);
    else if (verb === 'stop') this.#recordings.stop(subject, 'stopped', nowUs);
    else if (verb === 'pause') this.#recordings.pause(subject, rest[0] as PauseBehaviour, nowUs);
    else if (verb === 'resume') this.#recordings.resume(subject, nowUs);
    else if (verb === 'join') this.#join(subject, rest[0]!, rest[1] === 'never', nowUs);
    else if (verb === 'codec') this.#phones.get(subject)!.change(rest[0] as 'OPUS');
    else if (verb === 'leave') this.#leave(subject, nowUs);
    else if (verb === 'close') this.#capture.roomClosed('room', nowUs);
    else assert.fail(`unknown verb ${verb}`);
  }

  #start(recordingId: string, nowUs: number): void {
    const key = newRecordingKey(this.spool.masterKey, recordingId);
    const rateHz = rates[recordingId]!;
    const ids = { recordingId, roomId: 'room', accountId: 'account' };
    this.#recordings.start({ verb: 'recording.start', ...ids, rateHz, key, meta: {} }, nowUs);
  }

  #join(trackId: string, name: string, never: boolean, nowUs: number): void {
    const stay: Stay = {
      trackId,
      roomId: 'room',
      legId: trackId,
      policy: never ? 'never' : 'follow',
      party: {
        connectionId: name,
        from: numbers[name]!,
        to: '+9',
        direction: 'incoming',
        role: 'participant',
      },
    };
    this.#phones.set(trackId, new Phone(stay));
    this.#capture.stayOpened(stay, nowUs);
  }

  #leave(trackId: string, nowUs: number): void {
    this.#capture.stayClosed(this.#phones.get(trackId)!.stay, nowUs);
    this.#phones.delete(trackId);
  }
}

const conference = new Conference();
const { spool } = conference;
const room = spool.path('room');
after(() => spool.remove());
conference.play(table('ms'));

/** `s01` in the document is a file with a longer name. */
const fileName = (name: string): string =>
  name.replace(/s(\d\d)$/, (_, digits) => `${digits.padStart(16, '0')}.seg`);

function filesOnDisk(): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const entry of readdirSync(spool.dataDirectory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) sizes[relative(spool.dataDirectory, path)] = statSync(path).size;
  }
  return sizes;
}

function predictedFiles(column: string): Record<string, number> {
  const rows = table('File', column).filter((row) => row[column] !== 'gone');
  return Object.fromEntries(rows.map((row) => [fileName(row.File!), Number(row[column])]));
}

function audioOf(track: SpoolTrack, rateHz: number): { packets: number; spans: string } {
  const timeline = new TrackTimeline({ rateHz, startSample: track.startSample });
  const spans: [number, number][] = [];
  let packets = 0;
  let ticksOf = (_payload: Uint8Array): number => 0;
  for (const record of readTrack(track)) {
    if (record.kind === 'format') {
      timeline.format(record);
      ticksOf = (payload) => payloadDurationTicks(record.codec, record.clockRateHz, payload);
    } else if (record.kind === 'packet') {
      packets++;
      assert.equal(record.payload.at(-1), fillOf(track.trackId));
      const { sequenceNumber, rtpTime, arrivalUs, payload } = record;
      const { atSample, durationSamples } = timeline.place(
        sequenceNumber,
        rtpTime,
        arrivalUs,
        ticksOf(payload),
      )!;
      if (spans.at(-1)?.[1] === atSample) spans.at(-1)![1] += durationSamples;
      else spans.push([atSample, atSample + durationSamples]);
    }
  }
  return { packets, spans: spans.map((span) => span.join('-')).join(' ') };
}

function assertOutputs(recordingIds: readonly string[]): void {
  const rows: Row[] = [];
  for (const recordingId of recordingIds) {
    const { header, tracks } = openSpool(room, recordingId, spool.masterKey);
    for (const track of tracks) {
      const { packets, spans } = audioOf(track, header.rateHz);
      assert.equal(track.packets, packets);
      assert.equal(track.overflowPackets, 0);
      rows.push({
        Recording: recordingId,
        Track: track.trackId,
        Party: track.party.connectionId,
        Start: String(track.startSample),
        End: String(track.endSample),
        Packets: String(packets),
        Audio: spans,
      });
    }
  }
  const predicted = table('Recording', 'Audio').filter((row) => recordingIds.includes(row.Recording!));
  assert.deepEqual(rows, predicted);
}

function assertRecordings(recordingIds: readonly string[]): void {
  const rows = recordingIds.map((recordingId) => {
    const { header, pauses, end } = openSpool(room, recordingId, spool.masterKey);
    const cut = pauses.reduce((sum, { fromSample, toSample }) => sum + toSample! - fromSample, 0);
    return {
      Recording: recordingId,
      Start: String(header.startSample),
      End: String(end!.atSample),
      Reason: end!.reason,
      Pauses: pauses
        .map(({ fromSample, toSample, behaviour }) => `${fromSample}-${toSample} ${behaviour}`)
        .join(' '),
      'Samples of the mix': String(end!.atSample - header.startSample - cut),
    };
  });
  assert.deepEqual(
    rows,
    table('Recording', 'Reason').filter((row) => recordingIds.includes(row.Recording!)),
  );
}

/** Everything that any key on this disk opens. */
function everythingReadable(recordingIds: readonly string[]): Buffer {
  const payloads: Uint8Array[] = [];
  for (const recordingId of recordingIds)
    for (const track of openSpool(room, recordingId, spool.masterKey).tracks)
      for (const record of readTrack(track)) if (record.kind === 'packet') payloads.push(record.payload);
  return Buffer.concat(payloads);
}

test('the document agrees with itself', () => {
  for (const row of table('Segment')) {
    const [formats, pcmu, opus, chunks] = ['Formats', 'PCMU', 'Opus', 'Chunks'].map((name) =>
      Number(row[name]),
    );
    const bytes = 16 + 28 * (chunks! + 1) + 11 * formats! + 175 * pcmu! + 55 * opus!;
    assert.equal(Number(row.Bytes), bytes, row.Segment!);
    const file = table('File').find(({ File }) => File === `spool/room/${row.Segment}`);
    assert.equal(file?.Bytes, row.Bytes);
    const packets = (Number(row['To ms']) * 1000 - Number(row['From ms']) * 1000) / packetUs;
    assert.equal(pcmu! + opus!, packets, row.Segment!);
  }
});

test('each recording gives what the document says', () => {
  assertOutputs(['A', 'B', 'C']);
  assertRecordings(['A', 'B', 'C']);
  assert.deepEqual(conference.events.toSorted(), [
    ...['recording.ended', 'recording.ended', 'recording.ended', 'recording.paused', 'recording.resumed'],
    ...['recording.started', 'recording.started', 'recording.started'],
  ]);
});

test('each segment belongs to those who wanted it', () => {
  const wanted = new Map<string, string[]>();
  for (const recordingId of ['A', 'B', 'C'])
    for (const record of readManifest(join(room, `${recordingId}.rec`)))
      if (record.type === 'segment')
        wanted.set(record.segmentId, [...(wanted.get(record.segmentId) ?? []), recordingId]);
  for (const row of table('Segment'))
    assert.equal(wanted.get(fileName(row.Segment!).slice(0, 16))?.join(' '), row['Wanted by'], row.Segment!);
  assert.equal(wanted.size, table('Segment').length);
});

test('each manifest has the lines the document counts', () => {
  for (const recordingId of ['A', 'B', 'C']) {
    const records = readManifest(join(room, `${recordingId}.rec`));
    for (const row of table('Line')) {
      const lines = records.filter((record) => record.type === row.Line).length;
      assert.equal(lines, Number(row[recordingId]), `${row.Line} of ${recordingId}`);
    }
  }
});

test('every byte on the disk is foretold', () => {
  assert.deepEqual(filesOnDisk(), predictedFiles('Bytes'));
});

test('the party that opted out is in nothing that can be opened', () => {
  const readable = everythingReadable(['A', 'B', 'C']);
  const of = (trackId: string): Buffer => Buffer.alloc(64, fillOf(trackId));
  assert.equal(readable.includes(of('t3')), false);
  for (const trackId of ['t1', 't2', 't4'])
    assert.ok(readable.includes(of(trackId).subarray(0, 39)), trackId);
  for (const recordingId of ['A', 'B', 'C'])
    assert.equal(readFileSync(join(room, `${recordingId}.rec`)).includes('eve'), false);
});

test('erasing C leaves the foretold bytes, the other recordings whole, and no key to what was only in C', () => {
  const before = readManifest(join(room, 'C.rec'));
  const header = before[0]!;
  assert.equal(header.type, 'header');
  const recordingKey = openRecordingKey(
    spool.masterKey,
    'C',
    header.type === 'header' ? header.sealedKey : '',
  );
  const secrets = [recordingKey.reveal()];
  for (const record of before)
    if (record.type === 'segment')
      secrets.push(unwrapSegmentKey(recordingKey, 'C', record.segmentId, record.wrappedKey).reveal());
  eraseRecording(spool.spoolDirectory, 'room', 'C');
  assert.deepEqual(filesOnDisk(), predictedFiles('After erasing C'));
  assertOutputs(['A', 'B']);
  assertRecordings(['A', 'B']);
  assert.throws(() => openSpool(room, 'C', spool.masterKey), { code: 'NOT_FOUND' });
  for (const path of Object.keys(filesOnDisk())) {
    const bytes = readFileSync(join(spool.dataDirectory, path));
    for (const secret of secrets) assert.equal(bytes.includes(secret), false);
    assert.equal(bytes.includes('"C"'), false);
  }
  // t4's first packet, at 320 ms, was wanted by C alone.
  const first = [...readTrack(openSpool(room, 'B', spool.masterKey).tracks[2]!)][1];
  assert.equal(first?.kind === 'packet' && first.arrivalUs, 340_000);
});
