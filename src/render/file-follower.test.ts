import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type AudioFileFormat, openAudioFile } from '../container/audio-file.ts';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { GrowingRecording } from '../spool/growing-recording.ts';
import { openSpool } from '../spool/reader.ts';
import { FileFollower } from './file-follower.ts';
import { GrowingSignal } from './growing-signal.ts';
import { recordingView } from './recording-view.ts';
import { openRendition, type Rendition } from './rendition.ts';
import { sampleAt, TestGrowingRecording, type TestPause, type TestTalk } from './test-growing-recording.ts';
import { frame, testNoise, testStream } from './test-track.ts';
import { writeWholeFile } from './whole-file.ts';

const stepUs = 200_000;
const endUs = 20_000_000;
const jitterUs = testNoise(4000, 30_000, 5);

/** Noise loud enough for the limiter; jittered, reordered, with losses, a stall and a pause of the sender. */
function talk(trackId: string, seed: number, rest: Partial<TestTalk> = {}): TestTalk {
  const { joinUs = 0, leaveUs = endUs } = rest;
  const arrivalUs = (k: number): number | undefined => {
    if (k % 31 === seed % 31 || (k > 400 && k < 440)) return undefined;
    const stalledUs = k >= 500 && k < 520 ? (520 - k) * 20_000 : 0;
    return joinUs + k * 20_000 + stalledUs + Math.abs(jitterUs[k * 2 + seed]!) * 2;
  };
  const packets = Math.floor((leaveUs - joinUs) / 20_000) - 30;
  const samples = testNoise(packets * frame, 25_000, seed);
  const { records } = testStream(samples, { ssrc: seed, arrivalUs });
  return { trackId, records, joinUs, leaveUs, ...rest };
}

const room = [talk('a', 1), talk('b', 2, { joinUs: 3_100_000, leaveUs: 14_000_000 }), talk('c', 3)];
const call = [talk('say', 4), talk('hear', 5, { side: 'heard', joinUs: 40_000 })];
const pauses: TestPause[] = [
  { fromUs: 4_000_000, toUs: 5_500_000, behaviour: 'skip' },
  { fromUs: 9_000_000, toUs: 9_700_000, behaviour: 'silence' },
  { fromUs: 16_000_000, toUs: 17_000_000, behaviour: 'skip' },
];

let directory: string;
let growing: TestGrowingRecording | undefined;
beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'callreel-follower-'))));
afterEach(() => {
  growing?.spool.remove();
  growing = undefined;
  rmSync(directory, { recursive: true });
});

function begin(talks: readonly TestTalk[], paused: readonly TestPause[] = []): TestGrowingRecording {
  growing = new TestGrowingRecording(talks, paused);
  return growing;
}

const pathOf = (format: AudioFileFormat) => join(directory, '2026', `recording.${format}`);

function follow({ spool }: TestGrowingRecording, format: AudioFileFormat, stereo: boolean): FileFollower {
  const recording = new GrowingRecording(spool.path('room'), 'A', spool.masterKey);
  const signal = new GrowingSignal({ recording, stereo, clock: spool.clock });
  return new FileFollower({ signal, path: pathOf(format), format });
}

function renditionOf({ spool }: TestGrowingRecording, format: AudioFileFormat, stereo: boolean): Rendition {
  const view = recordingView(openSpool(spool.path('room'), 'A', spool.masterKey));
  return openRendition(view, { kind: stereo ? 'stereo' : 'mix', format });
}

async function bytesOf(rendition: Rendition): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(rendition.read()));
}

async function samplesOf(recording: TestGrowingRecording, stereo: boolean): Promise<Int16Array> {
  return pcm16Samples(parseWav(await bytesOf(renditionOf(recording, 'wav', stereo))).data);
}

function inSteps(
  recording: TestGrowingRecording,
  follower: FileFollower,
  each?: (timeUs: number) => void,
): void {
  for (let timeUs = stepUs; timeUs < endUs; timeUs += stepUs) {
    recording.spool.clock.advanceUs(stepUs);
    recording.until(timeUs);
    recording.settle();
    follower.step();
    each?.(timeUs);
  }
}

for (const stereo of [false, true]) {
  const kind = stereo ? 'stereo' : 'mix';
  test(`a WAV file (${kind}) is, at every step, the beginning of what the rendition will be`, async () => {
    for (const talks of [room, call]) {
      const recording = begin(talks, pauses);
      const follower = follow(recording, 'wav', stereo);
      const seen: Buffer[] = [];
      inSteps(recording, follower, () => {
        const bytes = readFileSync(pathOf('wav'));
        const { data } = parseWav(bytes);
        assert.equal(data.length, bytes.length - 80, 'the header lists everything that is there');
        seen.push(Buffer.from(data));
      });
      recording.end(endUs);
      follower.finish();
      const whole = await samplesOf(recording, stereo);
      const { data } = parseWav(readFileSync(pathOf('wav')));
      for (const head of seen) assert.ok(head.equals(data.subarray(0, head.length)));
      assert.ok(seen.at(-1)!.length > data.length / 2);
      assert.deepEqual(readFileSync(pathOf('wav')), await bytesOf(renditionOf(recording, 'wav', stereo)));
      assert.equal(whole.length, (sampleAt(endUs) - sampleAt(2_500_000)) * (stereo ? 2 : 1));
      assert.ok(whole.some((sample) => Math.abs(sample) > 20_000));
      rmSync(pathOf('wav'));
      recording.spool.remove();
    }
  });

  test(`MP3 and MP4 (${kind}) are made of the very samples of the rendition`, async () => {
    const recording = begin(room, pauses);
    const formats = ['mp3', 'mp4'] as const;
    const followers = formats.map((format) => follow(recording, format, stereo));
    for (let timeUs = stepUs; timeUs < endUs; timeUs += stepUs) {
      recording.spool.clock.advanceUs(stepUs);
      recording.until(timeUs);
      recording.settle();
      for (const follower of followers) follower.step();
    }
    assert.ok(statSync(pathOf('mp4')).size > 20_000, 'it is there before the end');
    recording.end(endUs);
    for (const follower of followers) follower.finish();
    const samples = await samplesOf(recording, stereo);
    assert.deepEqual(readFileSync(pathOf('mp3')), await bytesOf(renditionOf(recording, 'mp3', stereo)));
    const writer = openAudioFile({ format: 'mp4', rateHz: 8000, channels: stereo ? 2 : 1 });
    const file = Buffer.alloc(statSync(pathOf('mp4')).size);
    for (const { at, bytes } of [...writer.refresh(), ...writer.write(samples), ...writer.finish()])
      file.set(bytes, at);
    assert.deepEqual(readFileSync(pathOf('mp4')), file);
  });
}

test('what is resampled, and in steps of any length', async () => {
  for (const rateHz of [16_000, 48_000]) {
    growing = new TestGrowingRecording(call, pauses, { rateHz });
    const follower = follow(growing, 'wav', true);
    const steps = testNoise(1000, 300_000, rateHz);
    for (
      let timeUs = 0, step = 0;
      timeUs < endUs;
      timeUs += 20_000 + Math.abs(steps[step++]! % 30_000) * 20
    ) {
      growing.until(timeUs);
      growing.settle();
      follower.step();
    }
    growing.end(endUs);
    follower.finish();
    assert.ok(readFileSync(pathOf('wav')).equals(await bytesOf(renditionOf(growing, 'wav', true))));
    rmSync(pathOf('wav'));
    growing.spool.remove();
  }
});

test('it follows within seconds, also where one party is silent', () => {
  const recording = begin([talk('a', 1), { trackId: 'mute', records: [], leaveUs: endUs }]);
  const follower = follow(recording, 'wav', false);
  let behindUs = 0;
  inSteps(recording, follower, (timeUs) => {
    const seconds = (statSync(pathOf('wav')).size - 80) / 16_000;
    behindUs = Math.max(behindUs, timeUs - seconds * 1_000_000);
  });
  assert.ok(behindUs < 6_000_000, `${behindUs}`);
  follower.close();
});

for (const behaviour of ['skip', 'silence', 'mask'] as const)
  test(`while it pauses (${behaviour}) everything before the pause is there within seconds`, async () => {
    const [fromUs, toUs] = [4_019_000, 16_000_000];
    const recording = begin([talk('a', 1), talk('b', 2)], [{ fromUs, toUs, behaviour }]);
    const follower = follow(recording, 'wav', false);
    const seen: Buffer[] = [];
    let wholeUs = 0;
    inSteps(recording, follower, (timeUs) => {
      const { data } = parseWav(readFileSync(pathOf('wav')));
      seen.push(Buffer.from(data));
      if (wholeUs === 0 && data.length >= 2 * sampleAt(fromUs)) wholeUs = timeUs;
    });
    assert.ok(wholeUs > fromUs && wholeUs - fromUs < 3_000_000, `${wholeUs}`);
    recording.end(endUs);
    follower.finish();
    const { data } = parseWav(readFileSync(pathOf('wav')));
    for (const head of seen) assert.ok(head.equals(data.subarray(0, head.length)));
    assert.deepEqual(readFileSync(pathOf('wav')), await bytesOf(renditionOf(recording, 'wav', false)));
  });

/** Of the spool's segments, by this process. */
function openSegments({ spool }: TestGrowingRecording): number {
  const paths = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return paths.filter((path) => path.startsWith(spool.path('room')) && path.endsWith('.seg')).length;
}

test('who reads segments along keeps them open, and lets go of them with the recording', {
  skip: !existsSync('/proc/self/fd'),
}, () => {
  for (const given of ['ended', 'given up']) {
    const recording = begin(call);
    recording.until(endUs / 4);
    recording.settle();
    const byWriter = openSegments(recording);
    const follower = follow(recording, 'wav', true);
    for (let step = 0; step < 4; step++) {
      recording.spool.clock.advanceUs(2_000_000);
      follower.step();
    }
    assert.equal(openSegments(recording), byWriter + 2, given);
    if (given === 'ended') {
      recording.end(endUs);
      follower.finish();
      assert.equal(openSegments(recording), 0);
    } else {
      follower.close();
      assert.equal(openSegments(recording), byWriter);
    }
    rmSync(pathOf('wav'));
    recording.spool.remove();
  }
});

test('before the recording is in the spool nothing is made; the file and its directories are for nobody else', () => {
  const recording = begin(room);
  const follower = follow(recording, 'wav', false);
  follower.step();
  assert.equal(existsSync(pathOf('wav')), false);
  assert.throws(() => follower.finish(), { code: 'CONFLICT' });
  recording.until(stepUs);
  recording.settle();
  follower.step();
  assert.equal(statSync(pathOf('wav')).mode & 0o777, 0o600);
  assert.equal(statSync(join(directory, '2026')).mode & 0o777, 0o700);
  follower.close();
});

test('where nobody ever speaks the file is as long as the recording, and silent', async () => {
  const recording = begin([{ trackId: 'mute', records: [], leaveUs: endUs }]);
  const follower = follow(recording, 'wav', false);
  inSteps(recording, follower);
  recording.end(endUs);
  follower.finish();
  assert.deepEqual(readFileSync(pathOf('wav')), await bytesOf(renditionOf(recording, 'wav', false)));
});

test('a recording that is trimmed at its end is refused; the whole file takes its place', async () => {
  const recording = begin(room);
  const follower = follow(recording, 'wav', false);
  inSteps(recording, follower);
  recording.end(endUs, { fromSample: 8000, toSample: 80_000 });
  assert.throws(() => follower.finish(), { code: 'CONFLICT' });
  follower.close();
  const rendition = renditionOf(recording, 'wav', false);
  assert.equal(await writeWholeFile(pathOf('wav'), rendition), true);
  assert.deepEqual(readFileSync(pathOf('wav')), await bytesOf(rendition));
  assert.equal(statSync(pathOf('wav')).size, 80 + 2 * 72_000);
  assert.equal(statSync(pathOf('wav')).mode & 0o777, 0o600);
});

test('a whole file that is not wanted any more, or cannot be made, leaves nothing', async () => {
  const recording = begin(room);
  recording.end(endUs);
  const rendition = renditionOf(recording, 'wav', false);
  assert.equal(await writeWholeFile(pathOf('wav'), rendition, () => true), false);
  assert.equal(existsSync(pathOf('wav')), false);
  assert.equal(existsSync(`${pathOf('wav')}.part`), false);
  await assert.rejects(writeWholeFile(join('/dev/null', 'x', 'a.wav'), rendition), { code: 'FILE_UNUSABLE' });
});
