import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/clock.ts';
import { audioFileFormats } from '../src/container/audio-file.ts';
import { parseWav, pcm16Samples } from '../src/container/wav-parser.ts';
import { TestGrowingRecording, type TestTalk } from '../src/render/test-growing-recording.ts';
import { testStream } from '../src/render/test-track.ts';
import { TestSpool } from '../src/spool/test-spool.ts';
import { speech } from '../src/testkit/speech.ts';
import { RenderPool } from '../src/worker/render-pool.ts';
import type { RenditionRequest } from '../src/worker/render-protocol.ts';
import { assertMp3, assertMp4 } from './ready/encoded-check.ts';
import { percentile } from './statistics.ts';
import { formatTable } from './table.ts';

const usage = `  --minutes 60
  --repetitions 5`;
const rateHz = 8000;
/** As often the server's writer seals what has come. */
const flushUs = 60_000;
/** Whose ids are hex digits. */
const measured = { conversationId: 'room', recordingId: 'A' };
/** One that goes on: each thread opens its files by itself. */
const warming = { conversationId: 'another-room', recordingId: 'B' };
const warmingSeconds = 4;

interface Rendered {
  /** Of the first of several. */
  bytes: Buffer | undefined;
  byteLength: number;
  sha256: string;
  cpuSeconds: number;
  /** Of the file. */
  firstByteMs: number;
  /** Of its audio: the first that had to be rendered. */
  firstAudioMs: number;
  wholeMs: number;
}

/**
 * What a file costs that is fetched for the first time: a call of two who talk without a pause (G.711) lies in a spool
 * and is rendered by the threads of the server, one file at a time and each by threads that have just been started.
 */
export async function run(args: string[]): Promise<object> {
  const { values } = parseArgs({
    args,
    options: {
      minutes: { type: 'string', default: '60' },
      repetitions: { type: 'string', default: '5' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) throw new Error(`npm run bench -- render\n${usage}`);
  const minutes = Number(values.minutes);
  const spool = new TestSpool({ ringBytes: 1 << 24 });
  try {
    const voices = await Promise.all([speech('english'), speech('french')]);
    record(spool, voices, minutes * 60);
    beginAnother(spool, voices);
    const rows: Record<string, Rendered[]> = {};
    for (let repetition = 0; repetition < Number(values.repetitions); repetition++)
      for (const format of audioFileFormats)
        for (const kind of ['mix', 'stereo'] as const)
          (rows[`${format} ${kind}`] ??= []).push(await rendered(spool, kind, format, repetition === 0));
    await verify(rows, voices, minutes * 60);
    return report(minutes, rows);
  } finally {
    spool.remove();
  }
}

function record(spool: TestSpool, voices: readonly Int16Array[], seconds: number): void {
  const endUs = seconds * 1e6;
  const growing = new TestGrowingRecording(talksOf(voices, seconds), [], { spool, ...measured });
  for (let timeUs = 0; timeUs < endUs; timeUs += flushUs) growing.until(timeUs);
  growing.end(endUs);
}

/** Nothing of what is measured is in it. */
function beginAnother(spool: TestSpool, voices: readonly Int16Array[]): void {
  const growing = new TestGrowingRecording(talksOf(voices, 2 * warmingSeconds), [], { spool, ...warming });
  growing.until(warmingSeconds * 1e6);
  growing.settle();
}

function talksOf(voices: readonly Int16Array[], seconds: number): TestTalk[] {
  return voices.map((voice, party) => ({
    trackId: 'ab'[party]!,
    records: testStream(said(voice, seconds)).records,
    leaveUs: seconds * 1e6,
  }));
}

/** The same words again and again, at half their level: what both say fits into a mix. */
function said(voice: Int16Array, seconds: number): Int16Array {
  const words = voice.map((sample) => sample >> 1);
  const all = new Int16Array(seconds * rateHz);
  for (let at = 0; at < all.length; at += words.length) all.set(words.subarray(0, all.length - at), at);
  return all;
}

async function rendered(
  { spoolDirectory: spoolDir, masterKey }: TestSpool,
  kind: RenditionRequest['kind'],
  format: RenditionRequest['format'],
  keep: boolean,
): Promise<Rendered> {
  const renders = new RenderPool({ threads: 1, encodeThreads: 1, spoolDir, masterKey });
  try {
    const request: RenditionRequest = { ...measured, kind, trackId: undefined, format };
    // In a server they have long started, as these have when they have answered.
    for (const each of audioFileFormats) {
      const file = await renders.open({ ...request, ...warming, format: each });
      assert.equal(file.head.complete, false);
      file.release();
    }
    const beganUs = systemClock.monotonicUs();
    const before = process.cpuUsage();
    const sinceMs = () => (systemClock.monotonicUs() - beganUs) / 1000;
    const file = await renders.open(request);
    const times: number[] = [];
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.read(0, file.head.byteLength - 1)) {
      times.push(sinceMs());
      chunks.push(chunk);
    }
    const wholeMs = sinceMs();
    const { user, system } = process.cpuUsage(before);
    const bytes = Buffer.concat(chunks);
    assert.equal(bytes.length, file.head.byteLength);
    const [firstByteMs = 0, firstAudioMs = 0] = times;
    return {
      bytes: keep ? bytes : undefined,
      byteLength: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      cpuSeconds: (user + system) / 1e6,
      ...{ firstByteMs, firstAudioMs, wholeMs },
    };
  } finally {
    await renders.close();
  }
}

/** The same file every time; WAV what was said, the others decoded by another's decoder and near it. */
async function verify(
  rows: Readonly<Record<string, readonly Rendered[]>>,
  voices: readonly Int16Array[],
  seconds: number,
): Promise<void> {
  for (const [name, files] of Object.entries(rows))
    assert.equal(new Set(files.map(({ sha256 }) => sha256)).size, 1, `${name} is another file each time`);
  const stereo = samplesOf(rows, 'wav stereo');
  const mix = samplesOf(rows, 'wav mix');
  const streams = voices.map((voice) => testStream(said(voice, seconds)).decoded);
  assert.equal(mix.length, seconds * rateHz);
  assert.equal(stereo.length, 2 * mix.length);
  for (let sample = 0; sample < mix.length; sample++) {
    const [left, right] = [streams[0]![sample]!, streams[1]![sample]!];
    if (stereo[2 * sample] !== left || stereo[2 * sample + 1] !== right || mix[sample] !== left + right)
      assert.fail(`sample ${sample} is another one`);
  }
  for (const [kind, channels] of Object.entries({ mix: [mix], stereo: streams })) {
    await assertMp3(bytesOf(rows, `mp3 ${kind}`), channels);
    await assertMp4(bytesOf(rows, `mp4 ${kind}`), channels);
  }
}

function samplesOf(rows: Readonly<Record<string, readonly Rendered[]>>, name: string): Int16Array {
  return pcm16Samples(parseWav(bytesOf(rows, name)).data);
}

function bytesOf(rows: Readonly<Record<string, readonly Rendered[]>>, name: string): Buffer {
  return rows[name]![0]!.bytes!;
}

function report(minutes: number, rows: Readonly<Record<string, readonly Rendered[]>>): object {
  const files = Object.entries(rows).map(([name, all]) => {
    const median = (of: (each: Rendered) => number) => rounded(percentile(all.map(of), 50));
    return {
      file: name,
      cpuSeconds: median(({ cpuSeconds }) => cpuSeconds),
      firstByteMs: median(({ firstByteMs }) => firstByteMs),
      firstAudioMs: median(({ firstAudioMs }) => firstAudioMs),
      wholeMs: median(({ wholeMs }) => wholeMs),
      bytes: all[0]!.byteLength,
    };
  });
  process.stdout.write(`${minutes} minutes of a call of two, rendered; medians\n`);
  const heads = ['file', 'CPU seconds', 'first byte ms', 'first audio ms', 'whole ms', 'bytes'];
  process.stdout.write(
    `${formatTable(
      heads,
      files.map((file) => Object.values(file)),
    )}\n`,
  );
  const { cpuSeconds, firstByteMs, firstAudioMs } = files.find(({ file }) => file === 'mp3 mix')!;
  return { minutes, cpuSeconds, firstByteMs, firstAudioMs, files };
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
