import type { CapturedPacket, Stay } from '../media/capture-sink.ts';
import { maxClipMs, type RecorderOptions } from '../media/recorder-options.ts';
import type { PartyNotices } from './party-notices.ts';
import { RecentSpeech } from './recent-speech.ts';

/** As long after a pause what was said in it may still be on its way. */
const afterPauseUs = 1_000_000;

/** A stay, as far as it matters here. */
export interface SpeechSource {
  readonly stay: Stay;
  readonly isRecordable: boolean;
  /** Get its packets as they come. */
  readonly listeners: Set<RecentSpeech>;
}

interface Listened {
  captured: SpeechSource;
  speech: RecentSpeech;
}

/**
 * Which parties may be in a recording, and until they may: what they hear about it, and where that is wanted the last
 * of what they said, in memory.
 */
export class PartyConsents {
  readonly notices: PartyNotices | undefined;
  readonly #isRequired: boolean;
  readonly #keepsClips: boolean;
  #consented: Set<string> | undefined;
  /** By connection: said, and not consented yet. */
  #asked: Map<string, SpeechSource> | undefined;
  #listened: Map<string, Listened> | undefined;
  #isPaused = false;
  /** What came before may have been said in a pause. */
  #notBeforeUs = 0;

  constructor({ consent, keepConsentClip }: RecorderOptions, notices: PartyNotices | undefined) {
    this.notices = notices;
    this.#isRequired = consent === 'required';
    this.#keepsClips = this.#isRequired && keepConsentClip === true;
  }

  /** Whether there is anything to look at once a slot. */
  get any(): boolean {
    return this.notices !== undefined || this.#keepsClips;
  }

  mayRecord(connectionId: string): boolean {
    return !this.#isRequired || this.#consented?.has(connectionId) === true;
  }

  came(captured: SpeechSource, atUs: number): void {
    const { legId, side = 'said', party } = captured.stay;
    if (side !== 'said' || !captured.isRecordable) return;
    this.notices?.came(legId, party.connectionId, atUs);
    if (this.#keepsClips && !this.mayRecord(party.connectionId))
      (this.#asked ??= new Map()).set(party.connectionId, captured);
  }

  left({ stay: { legId, side = 'said', party } }: SpeechSource, atUs: number): void {
    if (side !== 'said') return;
    this.notices?.left(legId, atUs);
    this.#forget(party.connectionId);
  }

  pressed(legId: string, atUs: number): void {
    this.notices?.pressed(legId, atUs);
  }

  /** What is said in a pause is kept nowhere. */
  setPaused(isPaused: boolean, atUs: number): void {
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    this.#notBeforeUs = isPaused ? Number.POSITIVE_INFINITY : atUs + afterPauseUs;
    for (const { speech } of this.#listened?.values() ?? []) speech.restart(this.#notBeforeUs);
  }

  slot(nowUs: number): void {
    this.notices?.slot(nowUs);
    if (this.#isPaused || !this.#asked) return;
    for (const [connectionId, captured] of this.#asked) {
      if (this.#listened?.has(connectionId)) continue;
      if (this.notices && !this.notices.isOver(captured.stay.legId)) continue;
      const speech = new RecentSpeech(Math.max(nowUs, this.#notBeforeUs), maxClipMs * 1000);
      (this.#listened ??= new Map()).set(connectionId, { captured, speech });
      captured.listeners.add(speech);
    }
  }

  /** @returns the last of what the party said before, where that is kept: nobody else has it afterwards */
  consent(connectionId: string, atUs: number): CapturedPacket[] {
    const said = this.#listened?.get(connectionId)?.speech.until(atUs) ?? [];
    this.#forget(connectionId);
    (this.#consented ??= new Set()).add(connectionId);
    return said;
  }

  close(atUs: number): void {
    this.notices?.close(atUs);
    for (const connectionId of [...(this.#asked?.keys() ?? [])]) this.#forget(connectionId);
  }

  #forget(connectionId: string): void {
    this.#asked?.delete(connectionId);
    const listened = this.#listened?.get(connectionId);
    this.#listened?.delete(connectionId);
    listened?.captured.listeners.delete(listened.speech);
  }
}
