import type { RecordedLegs } from '../media/command-executor.ts';
import type { NoticeReport, RecordingNotice } from '../media/consent-control.ts';
import type { NoticeOutcome } from '../spool/records.ts';

export interface PartyNoticesOptions {
  /** Names what it plays; no other prompt of a leg has the same. */
  recordingId: string;
  legs: Pick<RecordedLegs, 'play' | 'sends'>;
  /** Once for each time that a party was to hear it. */
  ended(notice: Omit<NoticeReport, 'atSample'>, beganUs: number): void;
}

interface PartyNotice {
  readonly connectionId: string;
  readonly sinceUs: number;
  beganUs: number | undefined;
  playing: ReturnType<RecordedLegs['play']> | undefined;
  /** Why we stop it. */
  stopped: NoticeOutcome;
  outcome: NoticeOutcome | undefined;
  playedMs: number;
}

/** Who has been answered hears what it is sent once it sends itself; one that only listens gets so much time. */
const listensWithinUs = 1_000_000;

/** A recording's notice to each of its parties, when they come: who heard how much of it, by what was really sent. */
export class PartyNotices {
  readonly #options: PartyNoticesOptions;
  readonly #parties = new Map<string, PartyNotice>();
  #audio: RecordingNotice['audio'] | undefined;

  constructor(options: PartyNoticesOptions) {
    this.#options = options;
  }

  /** Whoever is there hears it with the next slot, whoever comes later then. */
  give(audio: RecordingNotice['audio']): void {
    this.#audio ??= audio;
  }

  /** One that heard it, or did not want to, does not hear it again. */
  came(legId: string, connectionId: string, atUs: number): void {
    const before = this.#parties.get(legId);
    if (before && (before.outcome === undefined || before.outcome === 'played' || before.outcome === 'key'))
      return;
    this.#parties.set(legId, {
      ...{ connectionId, sinceUs: atUs, beganUs: undefined, playing: undefined },
      ...{ stopped: 'stopped', outcome: undefined, playedMs: 0 },
    });
  }

  left(legId: string, atUs: number): void {
    this.#stop(legId, 'left', atUs);
  }

  /** A key of the party: it has heard enough. */
  pressed(legId: string, atUs: number): void {
    if (this.#parties.get(legId)?.playing) this.#stop(legId, 'key', atUs);
  }

  close(atUs: number): void {
    for (const legId of this.#parties.keys()) this.#stop(legId, 'stopped', atUs);
  }

  /** Once a slot. */
  slot(nowUs: number): void {
    const audio = this.#audio;
    if (!audio) return;
    for (const [legId, party] of this.#parties) {
      if (party.playing || party.outcome) continue;
      if ('failure' in audio) this.#end(party, 'failed', nowUs, audio.failure);
      else if (this.#options.legs.sends(legId) || nowUs - party.sinceUs >= listensWithinUs)
        this.#play(legId, party, audio, nowUs);
    }
  }

  /** Whether nothing of it comes any more. */
  isOver(legId: string): boolean {
    return this.#parties.get(legId)?.outcome !== undefined;
  }

  /** How much of it the party has been sent by now. */
  playedMs(connectionId: string): number {
    let most = 0;
    for (const party of this.#parties.values())
      if (party.connectionId === connectionId)
        most = Math.max(most, party.playing?.playedMs() ?? party.playedMs);
    return most;
  }

  #play(
    legId: string,
    party: PartyNotice,
    audio: Extract<RecordingNotice['audio'], { samples: Int16Array }>,
    nowUs: number,
  ): void {
    party.beganUs = nowUs;
    const playId = `notice-${this.#options.recordingId}`;
    try {
      party.playing = this.#options.legs.play(
        { verb: 'play.start', legId, playId, ...audio },
        (reason, playedMs) => {
          party.playing = undefined;
          party.playedMs = playedMs;
          const left = reason === 'leg-closed' ? 'left' : party.stopped;
          const heard = playedMs < lengthMsOf(audio) ? 'partial' : 'played';
          this.#end(party, reason === 'finished' ? heard : left, nowUs);
        },
      );
    } catch (error) {
      this.#end(party, 'failed', nowUs, codeOf(error));
    }
  }

  #stop(legId: string, outcome: NoticeOutcome, atUs: number): void {
    const party = this.#parties.get(legId);
    if (!party || party.outcome) return;
    party.stopped = outcome;
    if (party.playing) party.playing.stop();
    else this.#end(party, outcome, atUs);
  }

  #end(party: PartyNotice, outcome: NoticeOutcome, atUs: number, reason?: string): void {
    const { connectionId, playedMs, beganUs = atUs } = party;
    party.outcome = outcome;
    const audio = this.#audio;
    const lengthMs = audio && 'samples' in audio ? lengthMsOf(audio) : 0;
    const notice = { connectionId, playedMs, lengthMs, outcome, ...(reason !== undefined && { reason }) };
    this.#options.ended(notice, beganUs);
  }
}

function lengthMsOf({ samples, rateHz }: { samples: Int16Array; rateHz: number }): number {
  return Math.round((samples.length * 1000) / rateHz);
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : 'STATE_INVALID';
}
