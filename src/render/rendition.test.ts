import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { MPEGDecoder } from 'mpg123-decoder';
import { tone } from '../audio/tone.ts';
import { audioFileBytes, audioFileFormats } from '../container/audio-file.ts';
import { editOf, fragmentFrames } from '../container/test-mp4.ts';
import { playMp4 } from '../container/test-mp4-playback.ts';
import { distanceDb } from '../container/test-signal.ts';
import { wavHeaderBytes } from '../container/wav.ts';
import { parseWav, pcm16Samples } from '../container/wav-parser.ts';
import { CallreelError } from '../errors.ts';
import { openRendition, type Rendition } from './rendition.ts';
import { writeRendition } from './rendition-file.ts';
import { frame, testNoise, testStream, testTone, testTrack, testView } from './test-track.ts';

let directory: string;
before(async () => void (directory = await mkdtemp(join(tmpdir(), 'callreel-render-'))));
after(() => rm(directory, { recursive: true }));

const samples = 300 * frame;
const first = testStream(testTone(samples, 440, 9000));
const second = testStream(testNoise(100 * frame, 9000), { arrivalUs: (k) => 1_000_000 + k * 20_000 });

function view(rest: Parameters<typeof testView>[1] = {}): ReturnType<typeof testView> {
  const tracks = [
    testTrack('a', first.records, { endSample: samples }),
    testTrack('b', second.records, { startSample: 7900, endSample: 8000 + 100 * frame }),
  ];
  return testView(tracks, { endSample: samples, ...rest });
}

async function bytesOf(rendition: Rendition, fromByte?: number, toByte?: number): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(rendition.read(fromByte, toByte)));
}

async function pcmOf(rendition: Rendition): Promise<Int16Array> {
  return pcm16Samples(parseWav(await bytesOf(rendition)).data);
}

test('a channel is its party alone, from its joining to its leaving', async () => {
  const rendition = openRendition(view(), { kind: 'channel', trackId: 'b', format: 'wav' });
  assert.equal(rendition.contentType, 'audio/wav');
  assert.equal(rendition.complete, true);
  const pcm = await pcmOf(rendition);
  assert.equal(pcm.length, 100 + 100 * frame);
  assert.deepEqual(pcm.subarray(100), second.decoded);
});

test('every byte range is that part of the whole file', async () => {
  const pauses = [
    { fromSample: 10_000, toSample: 12_001, behaviour: 'skip' as const },
    { fromSample: 20_000, toSample: 21_000, behaviour: 'silence' as const },
    { fromSample: 30_000, toSample: 30_001, behaviour: 'skip' as const },
  ];
  for (const kind of ['mix', 'channel'] as const) {
    const request = { kind, trackId: 'a', format: 'wav' } as const;
    const rendition = openRendition(view({ pauses }), request);
    const whole = await bytesOf(rendition);
    assert.equal(whole.length, rendition.byteLength);
    assert.equal(whole.length, wavHeaderBytes + 2 * (samples - 2002));
    for (const [from, to] of [
      [0, 1],
      [79, 81],
      [80, 82],
      [81, 20_003],
      [wavHeaderBytes + 19_999, wavHeaderBytes + 20_001],
      [50_000, 70_001],
      [whole.length - 1, whole.length],
      [whole.length - 5, whole.length + 100],
      [10, 10],
    ] as const) {
      assert.deepEqual(await bytesOf(rendition, from, to), whole.subarray(from, to), `${kind} ${from}-${to}`);
    }
  }
});

/** A recording that began when the conversation was 1.5 s old. */
function lateView(rest: Parameters<typeof testView>[1] = {}): ReturnType<typeof testView> {
  const late = view({ startSample: 12_000, ...rest });
  return { ...late, tracks: late.tracks.map((track) => ({ ...track, startSample: 12_000 })) };
}

test('the mix of a conversation is that of its recording behind silence, in every range', async () => {
  const recorded = await pcmOf(openRendition(lateView(), { kind: 'mix', format: 'wav' }));
  const rendition = openRendition(lateView(), { kind: 'conversation', format: 'wav' });
  assert.equal(rendition.samples, samples);
  const expected = new Int16Array(samples);
  expected.set(recorded, 12_000);
  assert.deepEqual(await pcmOf(rendition), expected);
  const whole = await bytesOf(rendition);
  assert.equal(whole.length, rendition.byteLength);
  const lastSilent = wavHeaderBytes + 2 * 12_000 - 1;
  for (const [from, to] of [
    [0, 100],
    [81, lastSilent - 3],
    [lastSilent - 1, lastSilent + 2],
    [lastSilent + 1, lastSilent + 4001],
    [lastSilent + 5000, whole.length],
  ] as const)
    assert.deepEqual(await bytesOf(rendition, from, to), whole.subarray(from, to), `${from}-${to}`);
  const mp3 = openRendition(lateView(), { kind: 'conversation', format: 'mp3' });
  assert.equal((await bytesOf(mp3)).length, mp3.byteLength);
});

test('the mix of a growing conversation is as long as what is settled, from the start of the conversation', async () => {
  const growing = lateView({ endSample: undefined });
  const mix = openRendition(growing, { kind: 'mix', format: 'wav' });
  const conversation = openRendition(growing, { kind: 'conversation', format: 'wav' });
  assert.deepEqual([conversation.complete, conversation.samples], [false, 12_000 + mix.samples]);
  assert.deepEqual((await pcmOf(conversation)).subarray(12_000), await pcmOf(mix));
});

test('ten hours before the recording cost a moment, not the rendering of ten hours', async () => {
  const lead = 36_000 * 8000;
  const far = testView([testTrack('a', [], { startSample: lead, endSample: lead + 8000 })], {
    startSample: lead,
    endSample: lead + 8000,
  });
  for (const format of ['wav', 'mp3', 'mp4'] as const) {
    const rendition = openRendition(far, { kind: 'conversation', format });
    assert.equal(rendition.samples, lead + 8000);
    let bytes = 0;
    for await (const chunk of rendition.read()) bytes += chunk.length;
    assert.equal(bytes, rendition.byteLength);
  }
});

test('pauses: skip cuts the span out, silence keeps its length, in mix and channel alike', async () => {
  const span = { fromSample: 10_000, toSample: 14_000 };
  for (const request of [
    { kind: 'mix', format: 'wav' },
    { kind: 'channel', trackId: 'a', format: 'wav' },
  ] as const) {
    const plain = await pcmOf(openRendition(view({ pauses: [] }), request));
    const skipped = await pcmOf(openRendition(view({ pauses: [{ ...span, behaviour: 'skip' }] }), request));
    assert.equal(skipped.length, samples - 4000);
    assert.deepEqual(skipped.subarray(0, 10_000), plain.subarray(0, 10_000));
    assert.deepEqual(skipped.subarray(10_000), plain.subarray(14_000));
    const silent = await pcmOf(openRendition(view({ pauses: [{ ...span, behaviour: 'silence' }] }), request));
    assert.deepEqual(silent, plain.slice().fill(0, 10_000, 14_000));
  }
});

test('pauses: mask is one tone at the same samples of every file and every channel, in every range', async () => {
  const span = { fromSample: 10_001, toSample: 14_003 };
  const mask = tone({ rateHz: 8000, frequencyHz: 440, levelDbov: -30 }, span.toSample).subarray(
    span.fromSample,
  );
  for (const [kind, channels, fromSample] of [
    ['mix', 1, 0],
    ['left', 1, 0],
    ['right', 1, 0],
    ['stereo', 2, 0],
    ['channels', 2, 0],
    ['channel', 1, 7900],
  ] as const) {
    const request = { kind, trackId: 'b', format: 'wav' } as Parameters<typeof openRendition>[1];
    const plain = await pcmOf(openRendition(view({ pauses: [] }), request));
    const masked = openRendition(view({ pauses: [{ ...span, behaviour: 'mask' }] }), request);
    const expected = plain.slice();
    for (const [k, sample] of mask.entries()) {
      const at = (span.fromSample - fromSample + k) * channels;
      expected.fill(sample, at, at + channels);
    }
    const whole = await bytesOf(masked);
    assert.deepEqual(pcm16Samples(parseWav(whole).data), expected, kind);
    const middle = wavHeaderBytes + 2 * channels * (span.fromSample - fromSample);
    for (const [from, to] of [
      [middle - 5, middle + 801],
      [middle + 801, middle + 2 * channels * mask.length + 3],
    ] as const)
      assert.deepEqual(await bytesOf(masked, from, to), whole.subarray(from, to), `${kind} ${from}`);
  }
});

test('two readings at once do not disturb each other', async () => {
  const rendition = openRendition(view(), { kind: 'mix', format: 'wav' });
  const [one, two] = await Promise.all([bytesOf(rendition), bytesOf(rendition, 1000)]);
  assert.deepEqual(two, one?.subarray(1000));
});

test('MP3: announced length, same audio, ranges equal, written whole', async () => {
  const rendition = openRendition(view(), { kind: 'channel', trackId: 'a', format: 'mp3' });
  const whole = await bytesOf(rendition);
  assert.equal(rendition.contentType, 'audio/mpeg');
  assert.equal(whole.length, rendition.byteLength);
  assert.deepEqual(await bytesOf(rendition, 1000, 7000), whole.subarray(1000, 7000));
  const path = join(directory, 'a.mp3');
  await Promise.all([writeRendition(rendition, path), writeRendition(rendition, path)]);
  assert.deepEqual(await readFile(path), whole);
  assert.deepEqual(await readdir(directory), ['a.mp3']);

  const decoder = new MPEGDecoder({ enableGapless: true });
  await decoder.ready;
  const { channelData, errors } = decoder.decode(whole);
  decoder.free();
  assert.deepEqual(errors, []);
  const played = channelData[0]!;
  assert.equal(played.length, samples);
  let power = 0;
  let error = 0;
  for (let k = 2000; k < samples - 2000; k += 1) {
    const sample = first.decoded[k]! / 32_768;
    power += sample ** 2;
    error += (sample - played[k]!) ** 2;
  }
  assert.ok(10 * Math.log10(power / error) > 20);
});

test('a failed rendition leaves no file behind', async () => {
  const broken = view();
  broken.tracks[0]!.records = () => {
    throw new CallreelError('SPOOL_CORRUPT', 'a chunk does not open', { where: 'segment' });
  };
  const path = join(directory, 'broken.wav');
  await assert.rejects(
    writeRendition(openRendition(broken, { kind: 'mix', format: 'wav' }), path),
    CallreelError,
  );
  assert.deepEqual(
    (await readdir(directory)).filter((name) => name.startsWith('broken')),
    [],
  );
});

test('a growing recording: a whole file of what is settled, marked as not complete', async () => {
  const growing = view({ endSample: undefined });
  for (const track of growing.tracks) track.endSample = undefined;
  const rendition = openRendition(growing, { kind: 'mix', format: 'wav' });
  assert.equal(rendition.complete, false);
  const pcm = await pcmOf(rendition);
  assert.equal(pcm.length, rendition.samples);
  assert.ok(pcm.length > 15_000 && pcm.length < samples);
  const ended = await pcmOf(openRendition(view(), { kind: 'mix', format: 'wav' }));
  assert.deepEqual(pcm, ended.subarray(0, pcm.length));
});

test('what there is not is refused: an unknown track, a rate that MP3 and MP4 do not have', () => {
  const isError = (code: string) => (error: unknown) => error instanceof CallreelError && error.code === code;
  assert.throws(
    () => openRendition(view(), { kind: 'channel', trackId: 'x', format: 'wav' }),
    isError('NOT_FOUND'),
  );
  for (const format of ['mp3', 'mp4'] as const)
    assert.throws(
      () => openRendition(view({ rateHz: 11_025 }), { kind: 'mix', format }),
      isError('REQUEST_INVALID'),
    );
});

test('a recording without any media is a file of its length, or an empty one', async () => {
  for (const endSample of [0, 8000]) {
    for (const format of ['wav', 'mp3', 'mp4'] as const) {
      const rendition = openRendition(testView([], { endSample }), { kind: 'mix', format });
      assert.equal(rendition.samples, endSample);
      assert.equal((await bytesOf(rendition)).length, rendition.byteLength);
    }
  }
});

test('MP4: announced length, every range that part of the whole, one frame of AAC for 1024 samples', async () => {
  for (const kind of ['mix', 'conversation', 'channel'] as const) {
    const rendition = openRendition(lateView(), { kind, trackId: 'a', format: 'mp4' });
    assert.equal(rendition.contentType, 'audio/mp4');
    const whole = await bytesOf(rendition);
    assert.equal(whole.length, rendition.byteLength);
    const { frames } = fragmentFrames(whole);
    assert.equal(frames.length, 1 + Math.ceil(rendition.samples / 1024));
    assert.equal(editOf(whole).samples, rendition.samples);
    const { rateHz, channels } = await playMp4(whole);
    const pcm = await pcmOf(openRendition(lateView(), { kind, trackId: 'a', format: 'wav' }));
    assert.deepEqual([rateHz, channels.map(({ length }) => length)], [8000, [pcm.length]]);
    // In the mix there is noise, which no encoder keeps wave by wave.
    const distance = distanceDb(pcm, channels[0]!);
    assert.ok(distance > (kind === 'channel' ? 40 : 5), `${kind}: ${distance.toFixed(1)} dB`);
    for (const [from, to] of [
      [0, 1],
      [700, 9000],
      [whole.length - 3, whole.length],
    ] as const)
      assert.deepEqual(await bytesOf(rendition, from, to), whole.subarray(from, to), `${kind} ${from}-${to}`);
  }
});

/** A call that is recorded by itself: what the party says, and what it hears. */
const says = testStream(testTone(samples, 440, 9000));
const hears = testStream(testTone(samples, 700, 9000));
const half = {
  said: testTrack('said', says.records, { endSample: samples, side: 'said' }),
  heard: testTrack('heard', hears.records, { endSample: samples, side: 'heard' }),
};

test('stereo: what the party says left, what it hears right; pauses at the same samples of both', async () => {
  const pauses = [
    { fromSample: 10_000, toSample: 12_001, behaviour: 'skip' as const },
    { fromSample: 20_000, toSample: 21_000, behaviour: 'silence' as const },
  ];
  const call = testView([half.said, half.heard], { endSample: samples, pauses });
  const rendition = openRendition(call, { kind: 'stereo', format: 'wav' });
  const whole = await bytesOf(rendition);
  assert.equal(whole.length, rendition.byteLength);
  assert.equal(parseWav(whole).channels, 2);
  const pcm = pcm16Samples(parseWav(whole).data);
  for (const [side, { decoded }] of [says, hears].entries()) {
    const expected = decoded.slice();
    expected.fill(0, 20_000, 21_000);
    const kept = [...expected.subarray(0, 10_000), ...expected.subarray(12_001)];
    assert.deepEqual([...pcm.filter((_, k) => k % 2 === side)], kept);
  }
  for (const [from, to] of [
    [79, 83],
    [40_081, 50_002],
    [whole.length - 1, whole.length],
  ] as const)
    assert.deepEqual(await bytesOf(rendition, from, to), whole.subarray(from, to));
});

test('a masked span of one direction alone: the other side stays silent', async () => {
  const pauses = [{ fromSample: 10_000, toSample: 12_001, behaviour: 'mask' as const }];
  const isSilent = (pcm: Int16Array) => pcm.subarray(10_000, 12_001).every((sample) => sample === 0);
  for (const [direction, side] of [
    ['speak', 'said'],
    ['listen', 'heard'],
  ] as const) {
    const call = { ...testView([half[side]], { endSample: samples, pauses }), direction };
    const stereo = await pcmOf(openRendition(call, { kind: 'stereo', format: 'wav' }));
    for (const [channel, kind] of (['left', 'right'] as const).entries()) {
      const isRecorded = (side === 'said') === (kind === 'left');
      assert.equal(isSilent(stereo.filter((_, k) => k % 2 === channel)), !isRecorded, `${direction} ${kind}`);
      assert.equal(isSilent(await pcmOf(openRendition(call, { kind, format: 'wav' }))), !isRecorded);
    }
    assert.equal(isSilent(await pcmOf(openRendition(call, { kind: 'mix', format: 'wav' }))), false);
  }
});

test('stereo MP3 and MP4: announced length; one direction alone is on its own side', async () => {
  for (const side of ['said', 'heard'] as const) {
    const call = testView([half[side]], { endSample: samples });
    const mp3 = openRendition(call, { kind: 'stereo', format: 'mp3' });
    const whole = await bytesOf(mp3);
    assert.equal(whole.length, mp3.byteLength);
    const decoder = new MPEGDecoder({ enableGapless: true });
    await decoder.ready;
    const { channelData } = decoder.decode(whole);
    decoder.free();
    const loudest = channelData.map((pcm) =>
      pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0),
    );
    assert.equal(channelData[0]!.length, samples);
    const [sounding, silent] = side === 'said' ? loudest : [loudest[1]!, loudest[0]!];
    assert.ok(sounding! > 0.2 && silent! < 0.0001, `${loudest}`);

    const mp4 = openRendition(call, { kind: 'stereo', format: 'mp4' });
    const bytes = await bytesOf(mp4);
    assert.equal(bytes.length, mp4.byteLength);
    const { channels } = await playMp4(bytes);
    const peaks = channels.map((pcm) => pcm.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0));
    if (side === 'heard') peaks.reverse();
    assert.ok(peaks[0]! > 0.2 && peaks[1]! < 0.0001, `${peaks}`);
  }
});

test('the length of every file follows from its samples, pauses in it', () => {
  for (const behaviour of ['skip', 'silence', 'mask'] as const)
    for (const format of audioFileFormats)
      for (const kind of ['mix', 'stereo'] as const) {
        const paused = view({ pauses: [{ fromSample: 800, toSample: 1600, behaviour }] });
        const rendition = openRendition(paused, { kind, format });
        const shape = { format, rateHz: 8000, channels: kind === 'stereo' ? 2 : 1 } as const;
        assert.equal(rendition.byteLength, audioFileBytes(shape, rendition.samples), `${format} ${kind}`);
      }
});
