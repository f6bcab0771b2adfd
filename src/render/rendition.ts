import { setImmediate } from 'node:timers/promises';
import { Mp3Encoder } from '../container/mp3.ts';
import { defaultMp3BitRateKbps, type Mp3RateHz, type Mp3Shape, mp3Bytes } from '../container/mp3-frame.ts';
import { wavHeader, wavHeaderBytes } from '../container/wav.ts';
import { CallreelError } from '../errors.ts';
import { ChannelReader } from './channel.ts';
import { settledEnd, settledMixEnd } from './growth.ts';
import { MixReader } from './mix.ts';
import { PauseMap, type Span } from './pause-map.ts';
import { type RecordingView, type SampleReader, type TrackView, trackEnd } from './track-source.ts';

/** `conversation` is the mix behind as much silence as the conversation lasted before it was recorded. */
export type RenditionRequest =
  | { kind: 'mix' | 'conversation'; format: 'wav' | 'mp3' }
  | { kind: 'channel'; trackId: string; format: 'wav' | 'mp3' };

/** One file made from a recording: its bytes follow from the spool, nothing of it is stored. */
export interface Rendition {
  readonly contentType: 'audio/wav' | 'audio/mpeg';
  /** Exact. Of a growing recording: what is settled so far. */
  readonly byteLength: number;
  readonly rateHz: number;
  /** Length of the audio. */
  readonly samples: number;
  /** False while the recording grows: opened later, the file is longer. */
  readonly complete: boolean;
  /**
   * The bytes [fromByte, toByte) of the file, in chunks. To begin in the middle costs reading the spool up to there,
   * and with MP3 encoding up to there.
   */
  read(fromByte?: number, toByte?: number): AsyncGenerator<Uint8Array, void, undefined>;
}

const blockSeconds = 2;

/**
 * @throws CallreelError NOT_FOUND for an unknown track, REQUEST_INVALID for a rate that MP3 does not have,
 *   SPOOL_CORRUPT
 */
export function openRendition(view: RecordingView, request: RenditionRequest): Rendition {
  const complete = view.endSample !== undefined;
  const endSample = view.endSample ?? settledEnd(view);
  const signal = signalOf(view, endSample, request);
  const { samples } = signal;
  const { rateHz } = view;
  if (request.format === 'wav') {
    const dataBytes = samples * 2;
    const byteLength = wavHeaderBytes + dataBytes;
    const head = wavHeader({ rateHz, channels: 1, dataBytes });
    const read = (fromByte = 0, toByte = byteLength) =>
      wavBytes(signal, head, fromByte, Math.min(toByte, byteLength));
    return { contentType: 'audio/wav', byteLength, rateHz, samples, complete, read };
  }
  const shape = { rateHz: rateHz as Mp3RateHz, bitRateKbps: defaultMp3BitRateKbps, samples };
  const byteLength = mp3Bytes(shape);
  const read = (fromByte = 0, toByte = byteLength) => cut(mp3Chunks(signal, shape), fromByte, toByte);
  return { contentType: 'audio/mpeg', byteLength, rateHz, samples, complete, read };
}

/** A signal on the file's axis. */
interface Signal {
  rateHz: number;
  samples: number;
  /** So many at the beginning are silent by construction. */
  leadSamples: number;
  /** The samples [fromSample, toSample) in blocks, each valid until the next is asked for. */
  blocks(fromSample: number, toSample: number): AsyncGenerator<Int16Array, void, undefined>;
}

function signalOf(view: RecordingView, endSample: number, request: RenditionRequest): Signal {
  if (request.kind === 'channel') return channelSignal(view, endSample, request.trackId);
  const mix = mixSignal(view, endSample);
  return request.kind === 'conversation' ? behindSilence(mix, view.startSample) : mix;
}

/** The silence is never rendered, only written. */
function behindSilence(signal: Signal, leadSamples: number): Signal {
  const { rateHz } = signal;
  async function* blocks(fromSample: number, toSample: number): AsyncGenerator<Int16Array, void, undefined> {
    const silence = new Int16Array(blockSeconds * rateHz);
    const silentTo = Math.min(toSample, leadSamples);
    for (let at = fromSample; at < silentTo; at += silence.length) {
      yield silence.subarray(0, Math.min(silence.length, silentTo - at));
      await setImmediate();
    }
    if (toSample > leadSamples)
      yield* signal.blocks(Math.max(0, fromSample - leadSamples), toSample - leadSamples);
  }
  return { rateHz, samples: leadSamples + signal.samples, leadSamples, blocks };
}

function mixSignal(view: RecordingView, endSample: number): Signal {
  const fileEnd = view.endSample ?? settledMixEnd(view, endSample);
  const span = { fromSample: view.startSample, toSample: Math.max(view.startSample, fileEnd) };
  return pausedSignal(view, span, (fromSample) => new MixReader(view, endSample, fromSample));
}

function channelSignal(view: RecordingView, endSample: number, trackId: string): Signal {
  const track = view.tracks.find((each) => each.trackId === trackId);
  if (!track) throw new CallreelError('NOT_FOUND', 'no such track in the recording', { where: trackId });
  const span = channelSpan(view, track, endSample);
  return pausedSignal(view, span, (fromSample) => new ChannelReader(track, view, fromSample));
}

function channelSpan(view: RecordingView, track: TrackView, endSample: number): Span {
  const fromSample = Math.max(view.startSample, track.startSample);
  return { fromSample, toSample: Math.max(fromSample, trackEnd(track, endSample)) };
}

function pausedSignal(
  view: RecordingView,
  span: Span,
  open: (fromSample: number) => SampleReader & { close(): void },
): Signal {
  const { rateHz } = view;
  const pauses = new PauseMap(span, view.pauses);
  async function* blocks(fromSample: number, toSample: number): AsyncGenerator<Int16Array, void, undefined> {
    const block = new Int16Array(blockSeconds * rateHz);
    const spans = pauses.spansOf(fromSample, toSample);
    let at = spans[0]?.fromSample ?? span.fromSample;
    const reader = open(at);
    try {
      for (const kept of spans) {
        for (; at < kept.fromSample; at += block.length) {
          reader.read(block.subarray(0, Math.min(block.length, kept.fromSample - at)));
        }
        for (at = kept.fromSample; at < kept.toSample; ) {
          const part = block.subarray(0, Math.min(block.length, kept.toSample - at));
          reader.read(part);
          pauses.silence(part, at);
          at += part.length;
          yield part;
          // Rendering shares its thread with other requests.
          await setImmediate();
        }
      }
    } finally {
      reader.close();
    }
  }
  return { rateHz, samples: pauses.fileSamples, leadSamples: 0, blocks };
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
  const fromSample = fromData >> 1;
  const audio = signal.blocks(fromSample, Math.ceil(toData / 2));
  yield* cut(pcmChunks(audio), fromData - fromSample * 2, toData - fromSample * 2);
}

/** Copies: the samples' memory is reused. The machine is little-endian, like WAV. */
async function* pcmChunks(blocks: AsyncIterable<Int16Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const block of blocks) {
    yield new Uint8Array(block.buffer, block.byteOffset, block.byteLength).slice();
  }
}

async function* mp3Chunks(signal: Signal, shape: Mp3Shape): AsyncGenerator<Uint8Array, void, undefined> {
  const encoder = new Mp3Encoder(shape);
  yield encoder.head();
  const { leadSamples, samples } = signal;
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
