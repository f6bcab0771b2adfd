import type { RtpPacketView } from '../rtp/packet.ts';
import { type KeyDown, TelephoneEventReceiver } from '../rtp/telephone-event.ts';
import { InbandDigits } from './inband-digits.ts';
import type { Playout } from './playout.ts';

/** By event code (RFC 4733 section 3.2). */
const eventKeys = '0123456789*#ABCD';

/** Of one of the peer's streams. */
export interface StreamKeyDown extends KeyDown {
  ssrc: number;
  clockRateHz: number;
}

export interface KeyPressesOptions {
  /** Monotonic microseconds. */
  nowUs(): number;
  /** A key went down, by the first packet of its telephone event. */
  wentDown(key: StreamKeyDown): void;
  /** One that is heard in the audio: its place is known by when it was played. */
  heardDown(key: Omit<KeyDown, 'rtpTime'>): void;
  /** Either of them, once. */
  cameUp(digit: string, durationMs: number): void;
}

/** The keys that a leg's party presses: as telephone events, or in the audio where none were agreed. */
export class KeyPresses {
  readonly #options: KeyPressesOptions;
  readonly #events = new TelephoneEventReceiver(
    8000,
    ({ digit, durationMs }) => this.#options.cameUp(digit, durationMs),
    (key) => this.#options.wentDown({ ...key, ssrc: this.#ssrc, clockRateHz: this.#clockRateHz }),
  );
  #inband: InbandDigits | undefined;
  /** Of the events. */
  #ssrc = 0;
  #clockRateHz = 8000;
  /** Event code of the key that is for us alone. */
  #leaveEvent = -1;

  constructor(options: KeyPressesOptions) {
    this.#options = options;
  }

  /** Whether keys are listened for in the audio. */
  get hearsAudio(): boolean {
    return this.#inband !== undefined;
  }

  /** A key is down by its telephone event, as far as is known. */
  get isDown(): boolean {
    return this.#events.isDown;
  }

  agree(hasEvents: boolean): void {
    if (hasEvents) this.#inband = undefined;
    else
      this.#inband ??= new InbandDigits({
        wentDown: (digit, arrivalUs) => this.#options.heardDown({ digit, arrivalUs }),
        cameUp: (digit, durationMs) => this.#options.cameUp(digit, durationMs),
      });
  }

  useLeaveKey(digit: string | undefined): void {
    this.#leaveEvent = digit === undefined ? -1 : eventKeys.indexOf(digit);
  }

  /** Whether this packet of a telephone event is of the leave key: nobody else hears it. */
  isLeaveKey({ data, payloadBytes, payloadOffset }: RtpPacketView): boolean {
    return payloadBytes > 0 && data[payloadOffset] === this.#leaveEvent;
  }

  /** A packet of a telephone event. */
  receive(packet: RtpPacketView, clockRateHz: number, arrivalUs: number): void {
    if (packet.ssrc !== this.#ssrc) this.#events.end();
    this.#ssrc = packet.ssrc;
    this.#events.useClock(clockRateHz);
    this.#clockRateHz = clockRateHz;
    this.#events.receive(packet.payload(), packet.timestamp, arrivalUs);
  }

  /** Once a slot, with what it brought. */
  hear(playout: Playout): void {
    this.#inband?.hear(playout, this.#options.nowUs());
  }

  /** What was played so far is forgotten; a key that goes on sounding went down before. */
  cut(): void {
    this.#inband?.cut(this.#options.nowUs());
  }

  expire(nowUs: number): void {
    this.#events.expire(nowUs);
  }
}
