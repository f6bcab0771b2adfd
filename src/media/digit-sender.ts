import { CallreelError } from '../errors.ts';
import { addToTimestamp, toRtpTimestamp } from '../rtp/sequence.ts';
import { keyPressPayloads, type TelephoneEventPayload } from '../rtp/telephone-event.ts';
import { slotMs } from './codec-table.ts';
import type { DigitsEnd, DigitsSend, NegotiatedTelephoneEvent, WorkerEvent } from './control.ts';
import type { RtpSender } from './rtp-sender.ts';

/** What a `w` in a sequence of keys waits for. */
const pauseMs = 500;
const maxQueuedSequences = 16;

interface Sequence {
  readonly command: DigitsSend;
  /** Symbols begun. */
  next: number;
}

/** Presses keys towards one leg (RFC 4733), slot by slot. */
export class DigitSender {
  readonly #legId: string;
  readonly #post: (event: WorkerEvent) => void;
  readonly #sequences: Sequence[] = [];
  #format: NegotiatedTelephoneEvent | undefined;
  /** The key that is down: its packets, the next one, and since when. */
  #packets: TelephoneEventPayload[] = [];
  #nextPacket = 0;
  #downMs = 0;
  #downTime = toRtpTimestamp(0);
  readonly #header = { marker: false, payloadType: 0, sequenceNumber: 0, timestamp: 0, ssrc: 0 };
  /** Until the next key. */
  #waitMs = 0;

  constructor(legId: string, post: (event: WorkerEvent) => void) {
    this.#legId = legId;
    this.#post = post;
  }

  get active(): boolean {
    return this.#sequences.length > 0;
  }

  /** The gap behind the last key is not over. */
  get isPausing(): boolean {
    return this.#waitMs > 0;
  }

  /** Without a format, what was still to be sent never will be. */
  setFormat(format: NegotiatedTelephoneEvent | undefined): void {
    this.#format = format;
    if (!format) this.#endAll('not-negotiated');
  }

  /** @throws CallreelError NO_COMMON_CODEC without telephone events on this leg, REQUEST_INVALID for too many */
  send(command: DigitsSend): void {
    if (!this.#format)
      throw new CallreelError('NO_COMMON_CODEC', 'the leg takes no telephone events', {
        where: command.legId,
      });
    if (this.#sequences.length === maxQueuedSequences)
      throw new CallreelError('REQUEST_INVALID', 'too many keys wait to be sent', {
        where: command.digitsId,
      });
    this.#sequences.push({ command, next: 0 });
  }

  close(): void {
    this.#endAll('leg-closed');
  }

  /** One slot in which the leg can be sent something. @returns whether a key is down, so that nothing else is sent */
  slot(sender: RtpSender, address: string, port: number): boolean {
    if (this.#waitMs > 0) {
      this.#waitMs -= slotMs;
      return false;
    }
    if (this.#packets.length === 0 && !this.#nextKey()) return false;
    if (this.#downMs === 0) {
      sender.flush(address, port);
      this.#downTime = sender.nextTimestamp;
    }
    this.#downMs += slotMs;
    for (let packet = this.#packets[this.#nextPacket]; packet; packet = this.#packets[this.#nextPacket]) {
      if (packet.offsetMs > this.#downMs) return true;
      this.#header.marker = packet.marker;
      this.#header.timestamp = addToTimestamp(this.#downTime, packet.segmentTicks);
      this.#header.sequenceNumber = sender.nextSequenceNumber;
      sender.sendPacket(this.#header, packet.payload, 0, address, port);
      this.#nextPacket++;
    }
    this.#keyUp();
    return true;
  }

  /** Takes the symbols up to the next key. @returns false when there is none yet */
  #nextKey(): boolean {
    for (let sequence = this.#sequences[0]; sequence; sequence = this.#sequences[0]) {
      const { digits, durationMs } = sequence.command;
      const symbol = digits[sequence.next++];
      if (symbol === undefined) this.#end('finished');
      else if (symbol === 'w') {
        this.#waitMs = pauseMs - slotMs;
        return false;
      } else {
        this.#keyDown(symbol, durationMs);
        return true;
      }
    }
    return false;
  }

  #keyDown(digit: string, durationMs: number): void {
    const { payloadType, clockRateHz, sendPayloadType = payloadType } = this.#format!;
    this.#packets = keyPressPayloads(digit, { durationMs, ptimeMs: slotMs, clockRateHz });
    this.#nextPacket = 0;
    this.#downMs = 0;
    this.#header.payloadType = sendPayloadType;
  }

  #keyUp(): void {
    const { command, next } = this.#sequences[0]!;
    this.#packets = [];
    this.#waitMs = command.gapMs;
    if (next === command.digits.length) this.#end('finished');
  }

  #endAll(reason: DigitsEnd): void {
    while (this.#sequences.length > 0) this.#end(reason);
    this.#packets = [];
    this.#waitMs = 0;
  }

  #end(reason: DigitsEnd): void {
    const { command, next } = this.#sequences.shift()!;
    const begun = command.digits.slice(0, next);
    const sent = (this.#packets.length > 0 ? begun.slice(0, -1) : begun).replaceAll('w', '');
    this.#post({ event: 'digits.ended', legId: this.#legId, digitsId: command.digitsId, reason, sent });
  }
}
