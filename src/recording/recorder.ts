import type { RecordingKeyMaterial } from '../media/control.ts';
import type { SpoolProducer } from '../spool/producer.ts';
import type { EndReason, ManifestRecord, Party, PauseBehaviour } from '../spool/records.ts';
import { nextState, type TransitionTable } from '../state-machine.ts';
import { RecordedTrack } from './recorded-track.ts';

export type RecorderState = 'new' | 'recording' | 'paused' | 'ended';
export type RecorderEvent = 'start' | 'pause' | 'resume' | 'stop' | 'conversation_ended';

/**
 * docs/design.md, ideas 3 and 4, and docs/spool.md, "Who gets what". Pausing what is paused and stopping what has ended
 * are answered with the state reached, so both are listed.
 */
export const recorderTable: TransitionTable<RecorderState, RecorderEvent> = {
  new: {
    start: 'recording', // idea 4: on record before its first packet
  },
  recording: {
    pause: 'paused', // spool.md: a paused recording wants no stream
    resume: 'recording', // it records already
    stop: 'ended', // idea 4
    conversation_ended: 'ended', // idea 3
  },
  paused: {
    pause: 'paused', // it is paused already
    resume: 'recording', // spool.md
    stop: 'ended', // idea 4
    conversation_ended: 'ended', // idea 3
  },
  ended: {
    stop: 'ended', // idea 4: one terminal state
    conversation_ended: 'ended', // idea 4
  },
};

export interface RecorderOptions {
  recordingId: string;
  roomId: string;
  accountId: string;
  rateHz: number;
  key: RecordingKeyMaterial;
  meta: Record<string, unknown>;
  /** Monotonic microseconds and Unix milliseconds of position 0. */
  originUs: number;
  originUnixMs: number;
  spool: SpoolProducer;
}

/**
 * One recording's state machine, decided on sample time on the tick thread. It writes the recording's manifest, line
 * by line, through the ring; the streams themselves are the stays' business.
 */
export class Recorder {
  readonly recordingId: string;
  readonly roomId: string;
  readonly #options: RecorderOptions;
  readonly #tracks = new Map<string, RecordedTrack>();
  #state: RecorderState = 'new';
  #startUs = 0;
  #packets = 0;
  #lastSample = 0;
  #endReason: EndReason | undefined;

  constructor(options: RecorderOptions) {
    this.recordingId = options.recordingId;
    this.roomId = options.roomId;
    this.#options = options;
  }

  get state(): RecorderState {
    return this.#state;
  }

  /** Whether the streams of the room are wanted now. */
  get wantsMedia(): boolean {
    return this.#state === 'recording';
  }

  /** Set once `finish` was called. */
  get endReason(): EndReason | undefined {
    return this.#endReason;
  }

  /** The sample, on this recording's scale, at a monotonic time. */
  sampleAt(atUs: number): number {
    const { originUs, rateHz } = this.#options;
    return Math.max(0, Math.round(((atUs - originUs) * rateHz) / 1_000_000));
  }

  /** Puts the recording on record, before the first of its packets. */
  start(atUs: number): void {
    if (!this.#step('start')) return;
    const { recordingId, roomId, accountId, rateHz, key, meta, originUnixMs, spool } = this.#options;
    const startSample = this.sampleAt(atUs);
    this.#startUs = atUs;
    this.#lastSample = startSample;
    spool.startRecording(
      {
        type: 'header',
        version: 1,
        recordingId,
        conversationId: roomId,
        accountId,
        rateHz,
        originUnixMs,
        startSample,
        sealedKey: key.sealed,
        meta,
      },
      key.plain,
    );
  }

  pause(atUs: number, behaviour: PauseBehaviour): void {
    if (this.#step('pause')) this.#write({ type: 'pause', atSample: this.#mark(atUs), behaviour });
  }

  resume(atUs: number): void {
    if (this.#step('resume')) this.#write({ type: 'resume', atSample: this.#mark(atUs) });
  }

  /** From here on no stream is wanted; `finish` follows once the stays have closed their segments. */
  end(event: 'stop' | 'conversation_ended'): boolean {
    return this.#step(event);
  }

  /** A stay becomes a track from its own beginning or the recording's, whichever is later. */
  openTrack(trackId: string, party: Party, stayStartUs: number): void {
    const startSample = this.sampleAt(Math.max(this.#startUs, stayStartUs));
    this.#tracks.set(trackId, new RecordedTrack(trackId, startSample, this.#options.rateHz));
    this.#lastSample = Math.max(this.#lastSample, startSample);
    this.#write({ type: 'track', trackId, startSample, party });
  }

  /** Undefined for a stay this recording does not have. */
  track(trackId: string): RecordedTrack | undefined {
    return this.#tracks.get(trackId);
  }

  /** Audio received before the end is kept whole: the last packet may reach a little beyond it. */
  closeTrack(trackId: string, atUs: number): void {
    const track = this.#tracks.get(trackId);
    if (!track) return;
    this.#tracks.delete(trackId);
    const { packets, overflowPackets, mediaEndSample } = track;
    const endSample = Math.max(this.sampleAt(atUs), track.startSample, mediaEndSample);
    this.#packets += packets;
    this.#lastSample = Math.max(this.#lastSample, endSample);
    this.#write({ type: 'track-end', trackId, endSample, packets, overflowPackets });
  }

  /** Closes what is open and writes the last line. */
  finish(atUs: number, endedUnixMs: number, reason: EndReason): void {
    for (const trackId of [...this.#tracks.keys()]) this.closeTrack(trackId, atUs);
    const orderly = reason === 'stopped' || reason === 'conversation_ended';
    this.#endReason = orderly && this.#packets === 0 ? 'no_media' : reason;
    const atSample = this.#mark(atUs);
    this.#write({ type: 'end', atSample, endedUnixMs, reason: this.#endReason });
    this.#options.spool.finishRecording(this.recordingId);
  }

  #mark(atUs: number): number {
    this.#lastSample = Math.max(this.#lastSample, this.sampleAt(atUs));
    return this.#lastSample;
  }

  #write(record: ManifestRecord): void {
    this.#options.spool.append(this.recordingId, record);
  }

  #step(event: RecorderEvent): boolean {
    const next = nextState('recorder', recorderTable, this.#state, event);
    if (next === undefined || next === this.#state) return false;
    this.#state = next;
    return true;
  }
}
