import { setImmediate } from 'node:timers/promises';
import { type AacRateHz, defaultAacBitRateKbps } from '../container/aac.ts';
import type { AudioFileFormat } from '../container/audio-file.ts';
import { Mp3Encoder } from '../container/mp3.ts';
import { defaultMp3BitRateKbps, type Mp3RateHz, mp3Bytes, mp3InfoFrame } from '../container/mp3-frame.ts';
import { Mp4Encoder, mp4Bytes, mp4FileHead } from '../container/mp4.ts';
import { wavHeader } from '../container/wav.ts';
import { CallreelError } from '../errors.ts';
import { ChannelReader } from './channel.ts';
import { settledEnd, settledMixEnd } from './growth.ts';
import { InterleavedReader } from './interleaved.ts';
import { MixReader } from './mix.ts';
import { type ChannelRange, PauseMap, type Span } from './pause-map.ts';
import { partiesOf, StereoReader, sidesOf, tonedSides } from './sides.ts';
import { type RecordingView, type SampleReader, type TrackView, trackEnd } from './track-source.ts';

/**
 * `conversation` is the mix behind as much silence as the conversation lasted before it was recorded. As long as the
 * mix are: `left` and `right` (`sides.ts`); `stereo`, both; `channels`, every track beside the others; `party`, all
 * stays of one party, of which `trackId` is one, without tones in place of masked spans.
 */
export type RenditionRequest =
  | { kind: 'mix' | 'conversation' | 'left' | 'right' | 'stereo'; format: AudioFileFormat }
  | { kind: 'channels'; format: 'wav' }
  | { kind: 'channel' | 'party'; trackId: string; format: AudioFileFormat };

/** One file made from a recording: its bytes follow from the spool, nothing of it is stored. */
export interface Rendition {
  readonly contentType: 'audio/wav' | 'audio/mpeg' | 'audio/mp4';
  /** Exact. Of a growing recording: what is settled so far. */
  readonly byteLength: number;
  /** What the file begins with: all before its audio. */
  readonly head: Uint8Array;
  readonly rateHz: number;
  /** Length of the audio. */
  readonly samples: number;
  /** Whose voice each channel is, in their order; undefined where it is one file of one channel. */
  readonly trackIds?: readonly string[];
  /** False while the recording grows: opened later, the file is longer. */
  readonly complete: boolean;
  /**
   * The bytes [fromByte, toByte) of the file, in chunks. To begin in the middle costs reading the spool up to there,
   * and with MP3 and MP4 encoding up to there.
   */
  read(fromByte?: number, toByte?: number): AsyncGenerator<Uint8Array, void, undefined>;
}

const blockSeconds = 2;
/** Plain audio is made in longer and longer blocks: what a block costs to pass on is as much as a second of it. */
const maxBlockSeconds = 8;
/** Every track of a long file is read at once. */
const maxChannels = 255;

/**
 * @throws CallreelError NOT_FOUND for an unknown track, REQUEST_INVALID for a rate that MP3 and MP4 do not have and
 *   for more tracks than one file takes, SPOOL_CORRUPT
 */
export function openRendition(view: RecordingView, request: RenditionRequest): Rendition {
  const complete = view.endSample !== undefined;
  const endSample = view.endSample ?? settledEnd(view);
  const signal = signalOf(view, endSample, request);
  const { samples, channels } = signal;
  const { rateHz } = view;
  if (request.format === 'wav') {
    const dataBytes = samples * channels * 2;
    const head = wavHeader({ rateHz, channels, dataBytes });
    const byteLength = head.length + dataBytes;
    const trackIds = request.kind === 'channels' ? view.tracks.map(({ trackId }) => trackId) : undefined;
    const read = (fromByte = 0, toByte = byteLength) =>
      wavBytes(signal, head, fromByte, Math.min(toByte, byteLength));
    return {
      contentType: 'audio/wav',
      byteLength,
      head,
      rateHz,
      samples,
      complete,
      read,
      ...(trackIds && { trackIds }),
    };
  }
  const { turn = setImmediate } = view;
  const { contentType, byteLength, head, open } = encodingOf(signal, request.format);
  const openEncoder = async () => {
    await turn();
    return open();
  };
  const read = (fromByte = 0, toByte = byteLength) =>
    cut(encodedChunks(signal, head, openEncoder), fromByte, toByte);
  return { contentType, byteLength, head, rateHz, samples, complete, read };
}

interface Encoder {
  encodeLeadingSilence(samples: number): Iterable<Uint8Array>;
  encode(samples: Int16Array): Uint8Array;
  finish(): Uint8Array;
}

type Encoding = Pick<Rendition, 'contentType' | 'byteLength' | 'head'> & { open(): Encoder };

function encodingOf({ rateHz, samples, channels }: Signal, format: 'mp3' | 'mp4'): Encoding {
  const sides = channels === 2 ? 2 : 1;
  if (format === 'mp3') {
    const bitRateKbps = defaultMp3BitRateKbps(sides);
    const shape = { rateHz: rateHz as Mp3RateHz, channels: sides, bitRateKbps, samples } as const;
    const [byteLength, head] = [mp3Bytes(shape), mp3InfoFrame(shape)];
    return { contentType: 'audio/mpeg', byteLength, head, open: () => new Mp3Encoder(shape) };
  }
  const bitRateKbps = defaultAacBitRateKbps(rateHz as AacRateHz, sides);
  const shape = { rateHz: rateHz as AacRateHz, channels: sides, bitRateKbps, samples } as const;
  const [byteLength, head] = [mp4Bytes(shape), mp4FileHead(shape)];
  return { contentType: 'audio/mp4', byteLength, head, open: () => new Mp4Encoder(shape) };
}

/** A signal on the file's axis. */
interface Signal {
  rateHz: number;
  /** For each channel. */
  samples: number;
  channels: number;
  /** So many at the beginning are silent by construction. */
  leadSamples: number;
  /**
   * The samples [fromSample, toSample) of every channel, interleaved, in blocks; each valid until the next is asked for.
   * @param growing whether they may become longer and longer
   */
  blocks(
    fromSample: number,
    toSample: number,
    growing?: boolean,
  ): AsyncGenerator<Int16Array, void, undefined>;
}

function signalOf(view: RecordingView, endSample: number, request: RenditionRequest): Signal {
  if (request.kind === 'channel') return channelSignal(view, endSample, request.trackId);
  if (request.kind === 'party') return partySignal(view, endSample, request.trackId);
  if (request.kind === 'channels') return channelsSignal(view, endSample);
  if (request.kind === 'stereo') return stereoSignal(view, endSample);
  if (request.kind === 'left' || request.kind === 'right') return sideSignal(view, endSample, request.kind);
  const mix = mixSignal(view, endSample);
  return request.kind === 'conversation' ? behindSilence(mix, view) : mix;
}

/** The silence is never rendered, only written. */
function behindSilence(
  signal: Signal,
  { startSample: leadSamples, turn = setImmediate }: RecordingView,
): Signal {
  const { rateHz } = signal;
  async function* blocks(
    fromSample: number,
    toSample: number,
    growing?: boolean,
  ): AsyncGenerator<Int16Array, void, undefined> {
    const silence = new Int16Array(blockSeconds * rateHz);
    const silentTo = Math.min(toSample, leadSamples);
    for (let at = fromSample; at < silentTo; at += silence.length) {
      await turn();
      yield silence.subarray(0, Math.min(silence.length, silentTo - at));
    }
    if (toSample > leadSamples)
      yield* signal.blocks(Math.max(0, fromSample - leadSamples), toSample - leadSamples, growing);
  }
  return { rateHz, samples: leadSamples + signal.samples, channels: 1, leadSamples, blocks };
}

function mixSignal(view: RecordingView, endSample: number): Signal {
  return pausedSignal(
    view,
    mixSpan(view, endSample),
    (fromSample) => new MixReader(view, endSample, fromSample),
  );
}

/** The length is that of the whole. */
function sideSignal(view: RecordingView, endSample: number, side: 'left' | 'right'): Signal {
  const part = sidesOf(view)[side];
  const channel = side === 'left' ? 0 : 1;
  const { first, beyond } = tonedSides(view);
  const toned = { first: 0, beyond: first <= channel && channel < beyond ? 1 : 0 };
  const open = (fromSample: number) => new MixReader(part, endSample, fromSample);
  return pausedSignal(view, mixSpan(view, endSample), open, 1, toned);
}

function partySignal(view: RecordingView, endSample: number, trackId: string): Signal {
  const tracks = partiesOf(view).find((stays) => stays.some((stay) => stay.trackId === trackId));
  if (!tracks) throw noSuchChannel(view, trackId);
  const open = (fromSample: number) => new MixReader({ ...view, tracks }, endSample, fromSample);
  return pausedSignal(view, mixSpan(view, endSample), open, 1, { first: 0, beyond: 0 });
}

function stereoSignal(view: RecordingView, endSample: number): Signal {
  const { left, right } = sidesOf(view);
  const open = (fromSample: number) =>
    new StereoReader(new MixReader(left, endSample, fromSample), new MixReader(right, endSample, fromSample));
  return pausedSignal(view, mixSpan(view, endSample), open, 2, tonedSides(view));
}

function channelsSignal(view: RecordingView, endSample: number): Signal {
  const channels = view.tracks.length;
  if (channels === 0)
    throw new CallreelError('NOT_FOUND', 'nobody was recorded: there is no channel', { where: 'channels' });
  if (channels > maxChannels)
    throw new CallreelError('REQUEST_INVALID', `a file has at most ${maxChannels} channels`, {
      where: 'channels',
    });
  const open = (fromSample: number) => new InterleavedReader(view, endSample, fromSample);
  return pausedSignal(view, mixSpan(view, endSample), open, channels);
}

function mixSpan(view: RecordingView, endSample: number): Span {
  const fileEnd = view.endSample ?? settledMixEnd(view, endSample);
  return { fromSample: view.startSample, toSample: Math.max(view.startSample, fileEnd) };
}

function channelSignal(view: RecordingView, endSample: number, trackId: string): Signal {
  const track = view.tracks.find((each) => each.trackId === trackId);
  if (!track) throw noSuchChannel(view, trackId);
  const span = channelSpan(view, track, endSample);
  const open = (fromSample: number) => new ChannelReader(track, view, fromSample);
  return pausedSignal({ ...view, tracks: [track] }, span, open);
}

const maxListedChannels = 20;

function noSuchChannel({ tracks }: RecordingView, trackId: string): CallreelError {
  const listed = tracks.slice(0, maxListedChannels).map((each) => each.trackId);
  if (tracks.length > listed.length) listed.push('…');
  const has = listed.length > 0 ? `it has ${listed.join(', ')}` : 'nobody was recorded';
  return new CallreelError('NOT_FOUND', `no such channel in the recording: ${has}`, { where: trackId });
}

function channelSpan(view: RecordingView, track: TrackView, endSample: number): Span {
  const fromSample = Math.max(view.startSample, track.startSample);
  return { fromSample, toSample: Math.max(fromSample, trackEnd(track, endSample)) };
}

function pausedSignal(
  view: RecordingView,
  span: Span,
  open: (fromSample: number) => SampleReader & { close(): void },
  channels = 1,
  toned?: ChannelRange,
): Signal {
  const { rateHz, turn = setImmediate } = view;
  const pauses = new PauseMap(span, view.pauses);
  // Others wait no longer for a block of many tracks.
  const maxBlockSamples = Math.ceil((maxBlockSeconds * rateHz) / Math.max(channels, view.tracks.length));
  async function* blocks(
    fromSample: number,
    toSample: number,
    growing = false,
  ): AsyncGenerator<Int16Array, void, undefined> {
    let block = new Int16Array(Math.ceil((blockSeconds * rateHz) / channels) * channels);
    const spans = pauses.spansOf(fromSample, toSample);
    let at = spans[0]?.fromSample ?? span.fromSample;
    // Rendering shares its thread with other requests.
    await turn();
    const reader = open(at);
    try {
      for (const kept of spans) {
        for (; at < kept.fromSample; at += block.length / channels) {
          await turn();
          reader.read(block.subarray(0, (kept.fromSample - at) * channels));
        }
        for (at = kept.fromSample; at < kept.toSample; ) {
          if (at > spans[0]!.fromSample) await turn();
          const samples = Math.min(block.length / channels, kept.toSample - at);
          const part = block.subarray(0, samples * channels);
          reader.read(part);
          pauses.silence(part, at, channels);
          pauses.mask(part, at, rateHz, channels, toned);
          at += samples;
          yield part;
          if (growing) block = longer(block, maxBlockSamples * channels);
        }
      }
    } finally {
      reader.close();
    }
  }
  return { rateHz, samples: pauses.fileSamples, channels, leadSamples: 0, blocks };
}

function longer(block: Int16Array<ArrayBuffer>, mostSamples: number): Int16Array<ArrayBuffer> {
  return block.length < mostSamples ? new Int16Array(Math.min(2 * block.length, mostSamples)) : block;
}

async function* wavBytes(
  signal: Signal,
  head: Uint8Array,
  fromByte: number,
  toByte: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (fromByte < Math.min(toByte, head.length)) yield head.slice(fromByte, Math.min(toByte, head.length));
  const fromData = Math.max(0, fromByte - head.length);
  const toData = toByte - head.length;
  if (fromData >= toData) return;
  const frameBytes = signal.channels * 2;
  const fromSample = Math.floor(fromData / frameBytes);
  const audio = signal.blocks(fromSample, Math.ceil(toData / frameBytes), true);
  yield* cut(pcmChunks(audio), fromData - fromSample * frameBytes, toData - fromSample * frameBytes);
}

/** Copies: the samples' memory is reused. The machine is little-endian, like WAV. */
async function* pcmChunks(blocks: AsyncIterable<Int16Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const block of blocks) {
    yield new Uint8Array(block.buffer, block.byteOffset, block.byteLength).slice();
  }
}

async function* encodedChunks(
  signal: Signal,
  head: Uint8Array,
  open: () => Promise<Encoder>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield head;
  const { leadSamples, samples } = signal;
  const encoder = await open();
  if (leadSamples > 0) yield* encoder.encodeLeadingSilence(leadSamples);
  for await (const block of signal.blocks(leadSamples, samples)) yield encoder.encode(block);
  yield encoder.finish();
}

/** The bytes [fromByte, toByte) of `chunks`; stops asking behind them. */
async function* cut(
  chunks: AsyncIterable<Uint8Array>,
  fromByte: number,
  toByte: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  if (fromByte >= toByte) return;
  for await (const chunk of chunks) {
    const part = chunk.subarray(Math.max(0, fromByte - at), Math.max(0, toByte - at));
    at += chunk.length;
    if (part.length > 0) yield part;
    if (at >= toByte) return;
  }
}
