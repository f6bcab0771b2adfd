import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { GrowingRecording } from '../spool/growing-recording.ts';
import { conversationDirectoryOf } from '../spool/layout.ts';
import type { SpoolRecord } from '../spool/records.ts';
import { ExcerptReader } from './excerpt-reader.ts';
import { TestGrowingRecording } from './test-growing-recording.ts';
import { testStream } from './test-track.ts';

const rateHz = 8000;
const seconds = 12;

const samples = Int16Array.from({ length: seconds * rateHz }, (_, i) =>
  Math.round(8000 * Math.sin(i / 7) * Math.sin(i / 5000)),
);

/** Of a recording that has ended, whose track lies in two segments. */
function readerOf(t: TestContext, records: SpoolRecord[]): ExcerptReader {
  const growing = new TestGrowingRecording([{ trackId: 'a', records, leaveUs: seconds * 1e6 }]);
  t.after(() => growing.spool.remove());
  growing.end(seconds * 1e6);
  const { spoolDirectory, masterKey } = growing.spool;
  const directory = conversationDirectoryOf(spoolDirectory, 'room');
  const recording = new GrowingRecording(directory, growing.recordingId, masterKey);
  recording.look();
  const options = { rateHz, startSample: 0, isOurs: false, lossConcealment: 'on' } as const;
  const reader = new ExcerptReader({ ...options, track: recording.track('a') });
  t.after(() => reader.close());
  return reader;
}

function read(reader: ExcerptReader, from: number, to: number): Int16Array {
  const out = new Int16Array(Math.round((to - from) * rateHz));
  reader.read(Math.round(from * rateHz), out);
  return out;
}

const { records: steady } = testStream(samples);
/** Some packets overtake others. */
const { records: jittered } = testStream(samples, {
  arrivalUs: (k) => k * 20_000 + ((k * 7919) % 11) * 9000,
});

/** Within a segment, across its border, and where packets lie across the end of an excerpt. */
const borders = [0, 2.5, 2.51, 5.9, 6.1, 6.107, 9];

test('excerpts that follow one another at once are what they are as one', (t) => {
  for (const records of [steady, jittered]) {
    const whole = read(readerOf(t, records), 0, borders.at(-1)!);
    assert.ok(whole.some((sample) => sample > 5000));
    const reader = readerOf(t, records);
    for (let i = 1; i < borders.length; i++) {
      const [from, to] = [borders[i - 1]!, borders[i]!];
      const part = whole.subarray(Math.round(from * rateHz), Math.round(to * rateHz));
      assert.deepEqual(read(reader, from, to), part, `${from} to ${to}`);
    }
  }
});

test('what was listened to is read all the same, from the packets behind the excerpt on', (t) => {
  for (const records of [steady, jittered]) {
    const whole = read(readerOf(t, records), 0, 9);
    const reader = readerOf(t, records);
    read(reader, 0, 2.5);
    const heard: number[] = [];
    reader.listen(8 * rateHz, (arrivalUs) => heard.push(arrivalUs));
    assert.ok(heard[0]! < 2.8e6 && heard.at(-1)! > 7.5e6);
    assert.deepEqual(
      heard,
      heard.toSorted((a, b) => a - b),
    );
    reader.goBack();
    assert.deepEqual(read(reader, 2.5, 9), whole.subarray(2.5 * rateHz));
  }
});
