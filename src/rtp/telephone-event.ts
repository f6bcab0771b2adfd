import { type RtpTimestamp, timestampDelta } from './sequence.ts';

/*
 * RFC 4733 section 2.3:
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |     event     |E|R| volume    |          duration             |
 */
export const telephoneEventBytes = 4;
/** Of one segment of an event. */
export const longestEventTicks = 0xffff;

/** Event codes 0..15 (RFC 4733 section 3.2). */
const digits = '0123456789*#ABCD';

/** How long after its last packet a key press without an end packet counts as over. */
const lostEndUs = 200_000;

/** Packets of older events than this are another source's beginning, not late arrivals. */
const reorderSeconds = 5;

/** A key that is down. */
export interface KeyDown {
  /** One of `0`-`9`, `*`, `#`, `A`-`D`. */
  digit: string;
  /** RTP time at which the key went down. */
  rtpTime: RtpTimestamp;
  /** Arrival of the first packet of this key press, monotonic microseconds. */
  arrivalUs: number;
}

/** One key press, reported once. */
export interface KeyPress extends KeyDown {
  durationMs: number;
}

interface CurrentEvent {
  event: number;
  rtpTime: RtpTimestamp;
  arrivalUs: number;
  lastArrivalUs: number;
  /** Of the segment that runs: an event longer than 65535 units goes on in a new one (section 2.5.1.3). */
  segmentTime: RtpTimestamp;
  segmentDuration: number;
  durationBefore: number;
}

/**
 * Turns the packets of one telephone-event stream into key presses: at the end bit or, where the end packets were
 * lost, at the next event or after a while of nothing. Repetitions and late packets of a key press already reported
 * say nothing; malformed payloads and events that are no keys are ignored.
 */
export class TelephoneEventReceiver {
  #clockRateHz: number;
  readonly #report: (press: KeyPress) => void;
  readonly #wentDown: ((key: KeyDown) => void) | undefined;
  #current: CurrentEvent | undefined;
  /** Start of the last segment of the key press reported last. */
  #reportedTime: RtpTimestamp | undefined;

  /** @param wentDown told of each key press at its first packet, before `report` */
  constructor(clockRateHz: number, report: (press: KeyPress) => void, wentDown?: (key: KeyDown) => void) {
    this.#clockRateHz = clockRateHz;
    this.#report = report;
    this.#wentDown = wentDown;
  }

  /** Before a packet whose payload type has this clock; another one is never the same key press. */
  useClock(clockRateHz: number): void {
    if (clockRateHz === this.#clockRateHz) return;
    this.#finish();
    this.#clockRateHz = clockRateHz;
  }

  receive(payload: Uint8Array, rtpTime: RtpTimestamp, arrivalUs: number): void {
    if (payload.length < telephoneEventBytes) return;
    const event = payload[0]!;
    if (event >= digits.length) return;
    const isEnd = (payload[1]! & 0x80) !== 0;
    const duration = (payload[2]! << 8) | payload[3]!;

    this.expire(arrivalUs);
    if (this.#isOld(rtpTime)) return;
    if (!this.#continues(event, rtpTime, arrivalUs)) {
      this.#finish();
      this.#current = {
        event,
        rtpTime,
        arrivalUs,
        lastArrivalUs: arrivalUs,
        segmentTime: rtpTime,
        segmentDuration: 0,
        durationBefore: 0,
      };
      this.#wentDown?.({ digit: digits[event]!, rtpTime, arrivalUs });
    }
    // Packets of one event may overtake each other; its duration only grows.
    const current = this.#current!;
    current.segmentDuration = Math.max(current.segmentDuration, duration);
    if (isEnd) this.#finish();
  }

  /** A key press is not over. */
  get isDown(): boolean {
    return this.#current !== undefined;
  }

  /** To be called now and then: reports a key press whose end never came. */
  expire(nowUs: number): void {
    if (this.#current && nowUs - this.#current.lastArrivalUs > lostEndUs) this.#finish();
  }

  /** The stream ended: reports what was still going on, and forgets the source. */
  end(): void {
    this.#finish();
    this.#reportedTime = undefined;
  }

  #isOld(rtpTime: RtpTimestamp): boolean {
    const reference = this.#current?.segmentTime ?? this.#reportedTime;
    if (reference === undefined) return false;
    const ahead = timestampDelta(rtpTime, reference);
    if (ahead === 0) return this.#current === undefined;
    return ahead < 0 && ahead > -reorderSeconds * this.#clockRateHz;
  }

  /** Whether the packet belongs to the event that runs; moves that on to its next segment where one begins. */
  #continues(event: number, rtpTime: RtpTimestamp, arrivalUs: number): boolean {
    const current = this.#current;
    if (current?.event !== event) return false;
    const ahead = timestampDelta(rtpTime, current.segmentTime);
    if (ahead === longestEventTicks) {
      current.segmentTime = rtpTime;
      current.durationBefore += longestEventTicks;
      current.segmentDuration = 0;
    } else if (ahead !== 0) {
      return false;
    }
    current.lastArrivalUs = arrivalUs;
    return true;
  }

  #finish(): void {
    const current = this.#current;
    if (!current) return;
    this.#current = undefined;
    this.#reportedTime = current.segmentTime;
    const duration = current.durationBefore + current.segmentDuration;
    this.#report({
      digit: digits[current.event]!,
      rtpTime: current.rtpTime,
      durationMs: Math.round((duration * 1000) / this.#clockRateHz),
      arrivalUs: current.arrivalUs,
    });
  }
}

export interface KeyPressOptions {
  durationMs: number;
  /** Time between two packets; the RTP timestamp is that of the key press in all of them. */
  ptimeMs: number;
  clockRateHz: number;
  /** Level below 0 dBm0, 0..63. */
  volumeDbm0?: number;
}

export interface TelephoneEventPayload {
  payload: Uint8Array;
  /** Set on the first packet only. */
  marker: boolean;
  /** When to send it, counted from the key going down. */
  offsetMs: number;
  /** Its RTP time, counted from that of the key going down: where its segment begins. */
  segmentTicks: number;
}

/** A key that is held longer is stuck. */
const longestPressMs = 600_000;

/**
 * The payloads of one key press: updates of growing duration, then the end three times at once (section 2.5.1.4). One
 * that is too long for the duration field goes on in segments (section 2.5.1.3).
 * @throws RangeError for anything but one of `0`-`9`, `*`, `#`, `A`-`D`, and beyond ten minutes
 */
export function keyPressPayloads(
  digit: string,
  { durationMs, ptimeMs, clockRateHz, volumeDbm0 = 10 }: KeyPressOptions,
): TelephoneEventPayload[] {
  const event = digit.length === 1 ? digits.indexOf(digit.toUpperCase()) : -1;
  if (event < 0) throw new RangeError(`'${digit}' is not a key`);
  const total = Math.round((durationMs * clockRateHz) / 1000);
  if (!(total > 0 && durationMs <= longestPressMs))
    throw new RangeError(`a key press of ${durationMs} ms cannot be sent`);

  const payloads: TelephoneEventPayload[] = [];
  let segmentTicks = 0;
  const add = (ticks: number, isEnd: boolean, copies: number): void => {
    const duration = ticks - segmentTicks;
    const flags = (isEnd ? 0x80 : 0) | (volumeDbm0 & 0x3f);
    const payload = Uint8Array.of(event, flags, duration >> 8, duration);
    const offsetMs = isEnd ? durationMs : (ticks * 1000) / clockRateHz;
    for (let copy = 0; copy < copies; copy++)
      payloads.push({ payload, marker: payloads.length === 0, offsetMs, segmentTicks });
  };
  /** Up to before `ticks`. */
  const fillSegments = (ticks: number): void => {
    for (; ticks - segmentTicks > longestEventTicks; segmentTicks += longestEventTicks)
      add(segmentTicks + longestEventTicks, false, 3);
  };
  for (let offsetMs = ptimeMs; offsetMs < durationMs; offsetMs += ptimeMs) {
    const ticks = Math.round((offsetMs * clockRateHz) / 1000);
    fillSegments(ticks);
    add(ticks, false, 1);
  }
  fillSegments(total);
  add(total, true, 3);
  return payloads;
}
