import type { Clock, Timer } from '../clock.ts';
import type { WorkerEvent } from '../media/control.ts';
import type { NegotiatedMedia } from '../sdp/negotiation.ts';
import type { MessageTap } from '../sip/message-tap.ts';
import { addAgreement, type LegMedia } from './leg-media.ts';
import { type LoggedMessage, type MessageEndpoint, MessageLog, readTapped, toLogged } from './message-log.ts';

/** What is kept of one leg: its messages and what became of its media. */
export interface LegLog {
  messages: LoggedMessage[];
  /** How many messages were not kept. */
  dropped: number;
  media: LegMedia;
}

export interface CallLogOptions {
  clock: Clock;
  /** Writes a leg's log, however long that takes; it never rejects. */
  store(connectionId: string, log: LegLog): Promise<void>;
  /** Of all calls together; without it, enough for some 10,000 calls. */
  maxCharacters?: number;
}

interface LoggedLeg {
  sipCallId: string;
  messages: MessageLog;
  stored: boolean;
}

interface OpenLog {
  log: MessageLog;
  /** Unix time of the monotonic clock's zero when the call began: its moments never step. */
  epochUs: number;
  /** Legs that are on record; nothing is kept for long of a call that is not. */
  legs: number;
}

interface OpenMedia {
  media: LegMedia;
  /** When the leg, or what is known of it, began. */
  startedUs: number;
}

const defaultMaxCharacters = 128 * 1024 * 1024;
/** Calls that no leg has claimed yet: an INVITE is claimed as soon as it is served, what is refused before never. */
const maxUnclaimed = 256;
/** RFC 3261 section 17.1.1.1, T4: after so long hardly any transmission of a call is still on its way. */
const lingerMs = 5_000;
/** Those that are due so soon are written with the first of them. */
const gatherMs = 250;
/** Who said nothing for so long is in the middle of a call. */
const quietMs = 10_000;
/** Unix time is whole milliseconds; more is a clock that was set. */
const mostApartUs = 20_000;
/** Packed in one turn of the event loop, which takes a millisecond, and how soon the next ones are. */
const packedAtOnce = 8;
const packingPauseMs = 20;

/**
 * The SIP messages and the media figures of every call that runs, and of those that ended a moment ago. Bounded: what
 * there is no room for is counted. Written once for each leg, some seconds after its end, and then forgotten here;
 * what a crash prevents from being written is lost.
 */
export class CallLog {
  readonly #options: CallLogOptions;
  readonly #maxCharacters: number;
  /** By Call-ID. */
  readonly #open = new Map<string, OpenLog>();
  /** By leg. */
  readonly #media = new Map<string, OpenMedia>();
  readonly #legs = new Map<string, LoggedLeg>();
  /** Legs whose last messages are awaited, by when they are due, the first of them first. */
  readonly #ending = new Map<string, number>();
  #lingering: Timer | undefined;
  readonly #unclaimed = { callIds: new Set<string>(), mediaOf: new Set<string>() };
  readonly #storing = new Set<Promise<void>>();
  /** Not packed yet, by when their last message came, the oldest first. */
  readonly #lately = new Map<MessageLog, number>();
  #packing: Timer | undefined;
  #epochUs = Number.NEGATIVE_INFINITY;
  #characters = 0;
  #closed = false;

  constructor(options: CallLogOptions) {
    this.#options = options;
    this.#maxCharacters = options.maxCharacters ?? defaultMaxCharacters;
  }

  /** What is held in memory. */
  get held(): { legs: number; calls: number; characters: number } {
    return { legs: this.#legs.size, calls: this.#open.size, characters: this.#characters };
  }

  readonly tap: MessageTap = (direction, bytes, flow) => {
    const tapped = readTapped(bytes);
    if (tapped === undefined) return;
    const { outline } = tapped;
    const known = this.#open.get(outline.callId);
    if (known === undefined && !outline.opensCall) return;
    const { log, epochUs } = known ?? this.#expect(outline.callId);
    if (this.#characters >= this.#maxCharacters) {
      log.drop();
      return;
    }
    const before = log.characters;
    log.add(outline, toLogged(tapped, direction, flow, epochUs + this.#nowUs));
    this.#characters += log.characters - before;
    this.#lately.delete(log);
    this.#lately.set(log, this.#nowUs);
    this.#packing ??= this.#options.clock.after(quietMs, () => this.#pack());
  };

  /** A leg is on record. @param sipCallId as it is on the wire */
  begin(connectionId: string, sipCallId: string): void {
    if (this.#legs.has(connectionId)) return;
    const open = this.#open.get(sipCallId) ?? this.#expect(sipCallId);
    open.legs++;
    this.#unclaimed.callIds.delete(sipCallId);
    this.#mediaOf(connectionId).startedUs = this.#nowUs;
    this.#unclaimed.mediaOf.delete(connectionId);
    this.#legs.set(connectionId, { sipCallId, messages: open.log, stored: false });
  }

  /** The leg's media is open there. */
  opened(connectionId: string, local: MessageEndpoint): void {
    this.#mediaOf(connectionId).media.local = local;
  }

  agreed(connectionId: string, negotiated: NegotiatedMedia): void {
    const open = this.#mediaOf(connectionId);
    addAgreement(open.media, negotiated, this.#sinceMs(open));
  }

  onWorkerEvent(event: WorkerEvent): void {
    if (event.event === 'leg.media') {
      const open = this.#media.get(event.legId);
      if (open) open.media.seen = { address: event.address, port: event.port, atMs: this.#sinceMs(open) };
    } else if (event.event === 'leg.report' && event.stay === undefined) {
      const open = this.#media.get(event.legId);
      if (open) open.media.report = event.report;
    }
  }

  /** The leg ended: its last messages are awaited, then all is written. */
  end(connectionId: string): void {
    const leg = this.#legs.get(connectionId);
    if (leg === undefined || leg.stored || this.#ending.has(connectionId)) return;
    if (this.#closed) {
      this.#store(connectionId, leg);
      return;
    }
    this.#ending.set(connectionId, this.#nowUs + lingerMs * 1000);
    this.#lingering ??= this.#options.clock.after(lingerMs, () => this.#storeDue());
  }

  /** Of a leg that runs or ended a moment ago. */
  of(connectionId: string): LegLog | undefined {
    const leg = this.#legs.get(connectionId);
    return leg && this.#logOf(connectionId, leg);
  }

  /** Writes what is left; from now on at once. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#packing?.cancel();
    this.#lingering?.cancel();
    this.#ending.clear();
    for (const [connectionId, leg] of this.#legs) this.#store(connectionId, leg);
    await Promise.all(this.#storing);
  }

  get #nowUs(): number {
    return this.#options.clock.monotonicUs();
  }

  #sinceMs({ startedUs }: OpenMedia): number {
    return Math.max(0, Math.round((this.#nowUs - startedUs) / 1000));
  }

  /** Together, so that their writes are one (`connection-rows.ts`). */
  #storeDue(): void {
    this.#lingering = undefined;
    for (const [connectionId, dueUs] of this.#ending) {
      const leftMs = (dueUs - this.#nowUs) / 1000;
      if (leftMs > gatherMs) {
        this.#lingering = this.#options.clock.after(leftMs, () => this.#storeDue());
        return;
      }
      this.#ending.delete(connectionId);
      const leg = this.#legs.get(connectionId);
      if (leg) this.#store(connectionId, leg);
    }
  }

  /** A call that runs says hardly anything between its beginning and its end. */
  #pack(): void {
    this.#packing = undefined;
    const { clock } = this.#options;
    let room = packedAtOnce;
    for (const [log, atUs] of this.#lately) {
      const leftMs = quietMs - (this.#nowUs - atUs) / 1000;
      if (leftMs > 0 || room === 0) {
        this.#packing = clock.after(Math.max(leftMs, packingPauseMs), () => this.#pack());
        return;
      }
      room--;
      const before = log.characters;
      log.pack();
      this.#characters += log.characters - before;
      this.#lately.delete(log);
    }
  }

  /** The same of calls that begin about together, so that messages of several legs are in their order. */
  #epoch(): number {
    const { clock } = this.#options;
    const epochUs = clock.unixMs() * 1000 - clock.monotonicUs();
    if (Math.abs(epochUs - this.#epochUs) > mostApartUs) this.#epochUs = epochUs;
    return this.#epochUs;
  }

  #expect(sipCallId: string): OpenLog {
    const open = { log: new MessageLog(), epochUs: this.#epoch(), legs: 0 };
    this.#open.set(sipCallId, open);
    this.#unclaimed.callIds.add(sipCallId);
    const [oldest] = this.#unclaimed.callIds;
    if (this.#unclaimed.callIds.size > maxUnclaimed && oldest !== undefined) this.#forgetCall(oldest);
    return open;
  }

  #mediaOf(connectionId: string): OpenMedia {
    const known = this.#media.get(connectionId);
    if (known) return known;
    const open: OpenMedia = { media: { agreed: [] }, startedUs: this.#nowUs };
    this.#media.set(connectionId, open);
    const { mediaOf } = this.#unclaimed;
    mediaOf.add(connectionId);
    const [oldest] = mediaOf;
    if (mediaOf.size > maxUnclaimed && oldest !== undefined) {
      mediaOf.delete(oldest);
      this.#media.delete(oldest);
    }
    return open;
  }

  #logOf(connectionId: string, { messages }: LoggedLeg): LegLog {
    const { media } = this.#mediaOf(connectionId);
    return { messages: messages.messages, dropped: messages.dropped, media };
  }

  /** Room is free again once it is written: a database that stalls makes logs incomplete, and nothing larger. */
  #store(connectionId: string, leg: LoggedLeg): void {
    if (leg.stored) return;
    leg.stored = true;
    const storing = this.#options.store(connectionId, this.#logOf(connectionId, leg)).finally(() => {
      this.#storing.delete(storing);
      this.#legs.delete(connectionId);
      this.#media.delete(connectionId);
      const open = this.#open.get(leg.sipCallId);
      if (open !== undefined && --open.legs === 0) this.#forgetCall(leg.sipCallId);
    });
    this.#storing.add(storing);
  }

  #forgetCall(sipCallId: string): void {
    const log = this.#open.get(sipCallId)?.log;
    this.#characters -= log?.characters ?? 0;
    if (log !== undefined) this.#lately.delete(log);
    this.#open.delete(sipCallId);
    this.#unclaimed.callIds.delete(sipCallId);
  }
}
