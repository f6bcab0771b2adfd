import { newId } from '../ids.ts';
import type { CapturedPacket, Stay } from '../media/capture-sink.ts';
import type { ConsentReport, NoticeReport, RecordingConsent } from '../media/consent-control.ts';
import { type RecorderOptions, voiceMethod } from '../media/recorder-options.ts';
import type { EndReason, ManifestRecord, Party, PauseBehaviour, TrackSide } from '../spool/records.ts';
import { nextState } from '../state-machine.ts';
import { writeClip } from './consent-clip.ts';
import { PartyConsents } from './party-consents.ts';
import { PartyNotices } from './party-notices.ts';
import { RecordedTime } from './recorded-time.ts';
import { RecordedTrack } from './recorded-track.ts';
import { manifestHeader, type RecorderInput } from './recorder-input.ts';
import { RecorderLimits } from './recorder-limits.ts';
import {
  outwardEnds,
  type RecorderEnd,
  type RecorderEndEvent,
  type RecorderEvent,
  type RecorderState,
  recorderTable,
} from './recorder-states.ts';

const endStates: ReadonlySet<RecorderState> = new Set(['finished', 'no_input', 'error']);

/**
 * One recording's state machine, decided on sample time on the tick thread. It writes the recording's manifest, line
 * by line, through the ring; the streams themselves are the stays' business.
 */
export class Recorder {
  readonly recordingId: string;
  readonly roomId: string;
  readonly options: RecorderOptions;
  readonly rateHz: number;
  readonly time = new RecordedTime();
  readonly limits: RecorderLimits;
  readonly consents: PartyConsents;
  readonly #input: RecorderInput;
  #originUs: number;
  readonly #tracks = new Map<string, RecordedTrack>();
  #state: RecorderState = 'new';
  #startSample = 0;
  #packets = 0;
  #hasBegun = false;
  #hasConsent = false;
  #lastSample = 0;
  #markSample = 0;
  #endReason: EndReason | undefined;
  #recordsSinceUs = 0;
  /** Paused by its own command, and with the whole call. */
  #pausedAlone: PauseBehaviour | undefined;
  #pausedWithCall: PauseBehaviour | undefined;
  /** As the manifest has it. */
  #pausedAs: PauseBehaviour | undefined;

  constructor(input: RecorderInput) {
    this.recordingId = input.recordingId;
    this.roomId = input.roomId;
    this.options = input.options;
    this.rateHz = input.rateHz;
    this.limits = new RecorderLimits(input.options, input.rateHz, this.time);
    this.#input = input;
    this.#originUs = input.originUs;
    const { recordingId, legs } = input;
    const notices =
      input.options.notice && legs
        ? new PartyNotices({ recordingId, legs, ended: (...notice) => this.#noticed(...notice) })
        : undefined;
    this.consents = new PartyConsents(input.options, notices);
  }

  /** Monotonic microseconds of position 0; while nothing but its own start, there, has a position. */
  setOrigin(originUs: number): void {
    this.#originUs = originUs;
  }

  get state(): RecorderState {
    return this.#state;
  }

  /** It goes to no other state from here. */
  get hasEnded(): boolean {
    return endStates.has(this.#state);
  }

  /** Whether the streams of the room are wanted now. */
  get wantsMedia(): boolean {
    return this.#state === 'recording';
  }

  /** Monotonic microseconds of the end of its last pause or of its waiting; 0: there was none. */
  get recordsSinceUs(): number {
    return this.#recordsSinceUs;
  }

  /** Set once `finish` was called. */
  get endReason(): EndReason | undefined {
    return this.#endReason;
  }

  /** The sample, on this recording's scale, at a monotonic time. */
  sampleAt(atUs: number): number {
    return Math.max(0, Math.round(((atUs - this.#originUs) * this.rateHz) / 1_000_000));
  }

  /** Monotonic microseconds of a sample. */
  timeOf(sample: number): number {
    return this.#originUs + Math.round((sample * 1_000_000) / this.rateHz);
  }

  /** The half of the party's call that this recording is about. */
  wantsSide(side: TrackSide): boolean {
    const { direction = 'both' } = this.options;
    return direction === 'both' || (direction === 'speak') === (side === 'said');
  }

  /**
   * Puts the recording on record, before the first of its packets.
   * @param waitsFor it records from `begin` on
   */
  start(atUs: number, waitsFor?: 'beep' | 'consent'): void {
    if (!this.#step(waitsFor ? 'wait' : 'start')) return;
    this.#startSample = this.sampleAt(atUs);
    this.#markSample = this.#lastSample = this.#startSample;
    const { spool, key } = this.#input;
    spool.startRecording(manifestHeader(this.#input, this.#startSample, waitsFor), key.plain);
    if (waitsFor) return;
    this.#began();
  }

  /**
   * Parties may be in it from now on; their tracks follow. What they said last is kept where they said yes to it.
   * @param stays of those who consent, what each says
   */
  consent(
    stays: readonly Stay[],
    { consentId = '', method = '', who = '' }: Partial<NonNullable<RecordingConsent['given']>>,
    atUs: number,
  ): ConsentReport {
    const { notices } = this.consents;
    const atSample = this.sampleAt(atUs);
    const connectionIds = stays.map(({ party }) => party.connectionId);
    this.#hasConsent = true;
    this.#write({ type: 'consent', atSample, connectionIds, method, who });
    const clips = stays.flatMap((stay) => {
      const said = this.consents.consent(stay.party.connectionId, atUs);
      return method === voiceMethod && said.length > 0 ? [this.#keepClip(stay, said, atUs)] : [];
    });
    const heard = connectionIds.map((connectionId) => notices?.playedMs(connectionId) ?? 0);
    return {
      ...{ consentId, atSample, connectionIds, clips },
      ...(notices && heard.length > 0 && { noticeMs: Math.min(...heard) }),
    };
  }

  /** The beep is over, or consent is here. Tracks that opened before begin with it. */
  begin(atUs: number): void {
    if (this.#state !== 'waiting' || !this.#step('begin')) return;
    this.#recordsSinceUs = atUs;
    this.#startSample = this.#mark(atUs);
    this.#write({ type: 'begin', atSample: this.#startSample });
    this.#began();
  }

  pause(atUs: number, behaviour: PauseBehaviour): void {
    this.#pausedAlone ??= behaviour;
    this.#applyPause(atUs);
  }

  resume(atUs: number): void {
    this.#pausedAlone = undefined;
    this.#applyPause(atUs);
  }

  /** @param behaviour undefined: the call is recorded again */
  pauseWithCall(atUs: number, behaviour: PauseBehaviour | undefined): void {
    this.#pausedWithCall = behaviour;
    this.#applyPause(atUs);
  }

  /** Now and then: while it is paused nothing else tells how far it came. */
  alive(nowUs: number): void {
    if (this.#state === 'paused') this.#write({ type: 'alive', atSample: this.#mark(nowUs) });
  }

  /** From here on no stream is wanted; `finish` follows once the stays have closed their segments. */
  end(reason: RecorderEndEvent): boolean {
    return this.#step(reason);
  }

  /** What ends it by itself, looked at once a slot. */
  limitReached(nowUs: number): RecorderEnd | undefined {
    if (this.#state !== 'recording') return undefined;
    const nowSample = this.sampleAt(nowUs);
    const isLong = this.limits.lengthReached(nowSample) !== undefined;
    return this.limits.reached(nowSample, isLong ? this.#mediaEnd() : 0);
  }

  /** Its length, where that is over by then though audio of before it may yet come. */
  lengthReached(atSample: number): RecorderEnd | undefined {
    if (this.#state !== 'recording') return undefined;
    const lengthAt = this.limits.lengthReached(atSample);
    return lengthAt === undefined ? undefined : { reason: 'max_length', atSample: lengthAt };
  }

  /** The key that ends it, where this one does: where it went down the recording is over. */
  endedBy(digit: string, atUs: number, saidUs = atUs): RecorderEnd | undefined {
    if (this.#state !== 'recording' || saidUs < this.#recordsSinceUs) return undefined;
    if (!this.options.terminators?.includes(digit)) return undefined;
    return { reason: 'terminator', atSample: this.sampleAt(atUs), digit };
  }

  /** A stay becomes a track from its own beginning or the recording's, whichever is later. */
  openTrack(trackId: string, side: TrackSide, party: Party, stayStartUs: number): void {
    if (this.#tracks.has(trackId)) return;
    const startSample = Math.max(this.#startSample, this.sampleAt(stayStartUs));
    const listener = this.#listensTo(side) ? this.limits.listener : undefined;
    this.#tracks.set(trackId, new RecordedTrack({ trackId, startSample, side }, this.rateHz, listener));
    this.#lastSample = Math.max(this.#lastSample, startSample);
    this.#write({ type: 'track', trackId, startSample, party, ...(side === 'heard' && { side }) });
  }

  /** Undefined for a stay this recording does not have. */
  track(trackId: string): RecordedTrack | undefined {
    return this.#tracks.get(trackId);
  }

  /** Audio received before the end is kept whole: the last packet may reach a little beyond it. */
  closeTrack(trackId: string, atUs: number, atMost = Number.POSITIVE_INFINITY): void {
    const track = this.#tracks.get(trackId);
    if (!track) return;
    this.#tracks.delete(trackId);
    const { packets, overflowPackets, mediaEndSample } = track;
    const end = Math.max(this.sampleAt(atUs), mediaEndSample);
    const endSample = Math.max(track.startSample, Math.min(end, atMost));
    this.#packets += packets;
    this.#lastSample = Math.max(this.#lastSample, endSample);
    if (track.listener) this.limits.closed(track);
    this.#write({ type: 'track-end', trackId, endSample, packets, overflowPackets });
  }

  /** Closes what is open and writes the last line. */
  finish(atUs: number, endedUnixMs: number, { reason, atSample, digit }: RecorderEnd): void {
    this.consents.close(atUs);
    for (const trackId of [...this.#tracks.keys()]) this.closeTrack(trackId, atUs, atSample);
    const trim = this.limits.trim(atSample ?? this.sampleAt(atUs));
    const endSample = this.#endSample(atUs, atSample);
    this.#endReason = outwardEnds.has(reason) && this.#packets === 0 ? 'no_media' : reason;
    const lacksConsent = this.options.consent === 'required' && !this.#hasConsent;
    if (lacksConsent && reason !== 'consent_withdrawn' && reason !== 'error') this.#endReason = 'no_consent';
    this.#write({
      type: 'end',
      atSample: endSample,
      endedUnixMs,
      reason: this.#endReason,
      ...(digit !== undefined && { digit }),
      ...(trim && { trim }),
    });
    this.#input.spool.finishRecording(this.recordingId);
  }

  /** What came is kept whole, but never more than it may be long; what only waited has no length. */
  #endSample(atUs: number, atSample: number | undefined): number {
    if (!this.#hasBegun) return this.#startSample;
    const lastSample = atSample ?? Math.max(this.#lastSample, this.sampleAt(atUs));
    // Never before its beginning, wherever the reason lies.
    return Math.max(this.#startSample, this.limits.lengthReached(lastSample) ?? lastSample);
  }

  /** Voice activity is that of the party, or of what it hears where nothing else is recorded. */
  #listensTo(side: TrackSide): boolean {
    return (this.options.direction === 'listen') === (side === 'heard');
  }

  /** Up to where everything that was said has come. */
  #mediaEnd(): number {
    let end = Number.POSITIVE_INFINITY;
    for (const track of this.#tracks.values()) end = Math.min(end, track.placedTo);
    return end;
  }

  #began(): void {
    this.#hasBegun = true;
    this.time.begin(this.#startSample);
    this.#input.changed('began', this.#startSample);
    this.#applyPause(undefined);
  }

  /** What it was told by itself counts; where only the call is paused, what that was told. */
  #applyPause(atUs: number | undefined): void {
    const behaviour = this.#pausedAlone ?? this.#pausedWithCall;
    if (atUs !== undefined) this.consents.setPaused(behaviour !== undefined, atUs);
    if (!this.#step(behaviour === undefined ? 'resume' : 'pause')) {
      if (this.#state === 'paused' && behaviour !== this.#pausedAs) this.#pauseOtherwise(atUs, behaviour!);
      return;
    }
    const atSample = atUs === undefined ? this.#startSample : this.#mark(atUs);
    this.#pausedAs = behaviour;
    if (behaviour === undefined) {
      this.#recordsSinceUs = atUs ?? 0;
      this.time.resume(atSample);
      this.#write({ type: 'resume', atSample });
    } else {
      this.time.pause(atSample);
      this.#write({ type: 'pause', atSample, behaviour });
    }
    this.#input.changed(behaviour === undefined ? 'resumed' : 'paused', atSample);
  }

  #keepClip(
    { trackId, party }: Stay,
    said: readonly CapturedPacket[],
    atUs: number,
  ): ConsentReport['clips'][0] {
    const { recordingId, roomId } = this;
    const startSample = this.sampleAt(said[0]!.arrivalUs);
    const endSample = Math.max(startSample, this.sampleAt(atUs));
    const clipId = this.#input.newSegmentId?.() ?? newId();
    writeClip(this.#input.spool, this.#originUs, said, {
      ...{ segmentId: clipId, conversationId: roomId, trackId, wants: [{ recordingId, startSample }] },
      clip: { party, endSample },
    });
    return { clipId, connectionId: party.connectionId, startSample, endSample };
  }

  #noticed(notice: Omit<NoticeReport, 'atSample'>, beganUs: number): void {
    const report = { ...notice, atSample: this.sampleAt(beganUs) };
    this.#write({ type: 'notice', ...report });
    this.#input.noticed?.(report);
  }

  /** It stays paused, and nobody is told: the rest of the span is only kept in another way. */
  #pauseOtherwise(atUs: number | undefined, behaviour: PauseBehaviour): void {
    const atSample = atUs === undefined ? this.#startSample : this.#mark(atUs);
    this.#pausedAs = behaviour;
    this.#write({ type: 'resume', atSample });
    this.#write({ type: 'pause', atSample, behaviour });
  }

  /** Beginning and pauses in their order; a packet of a stay that is over may reach beyond them. */
  #mark(atUs: number): number {
    this.#markSample = Math.max(this.#markSample, this.sampleAt(atUs));
    this.#lastSample = Math.max(this.#lastSample, this.#markSample);
    return this.#markSample;
  }

  #write(record: ManifestRecord): void {
    this.#input.spool.append(this.recordingId, record);
  }

  /** @returns whether the state is another now */
  #step(event: RecorderEvent): boolean {
    const next = nextState('recorder', recorderTable, this.#state, event);
    if (next === undefined || next === this.#state) return false;
    this.#state = next;
    return true;
  }
}
