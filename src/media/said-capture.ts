import type { CapturedDigit, CapturedSenderReport, CaptureSink, Stay } from './capture-sink.ts';
import type { StreamKeyDown } from './key-presses.ts';
import type { PauseEnd } from './pause-end.ts';

/** Where what a leg's party says and does is captured: with its stay in a room, and with its call by itself. */
export class SaidCapture {
  readonly #capture: CaptureSink;
  readonly #pauseEnd: PauseEnd;
  #peerHolds = false;
  stay: Stay | undefined;
  /** For recordings of this call by itself; what it hears goes by the leg's output. */
  call: { said: Stay; heard: Stay } | undefined;
  /** What was told of the stay, of the call. */
  #toldStay = false;
  #toldCall = false;

  constructor(capture: CaptureSink, pauseEnd: PauseEnd) {
    this.#capture = capture;
    this.#pauseEnd = pauseEnd;
  }

  senderReport(report: CapturedSenderReport): void {
    if (this.#pauseEnd.hides(report.arrivalUs, report.ssrc, report.rtpTime)) return;
    if (this.stay) this.#capture.senderReport(this.stay, report);
    if (this.call) this.#capture.senderReport(this.call.said, report);
  }

  /** One that went down in a pause is for the application alone, though it came afterwards. */
  keyWentDown({ ssrc, clockRateHz, ...key }: StreamKeyDown): void {
    const { rtpTime, arrivalUs } = key;
    if (this.#pauseEnd.hides(arrivalUs, ssrc, rtpTime, clockRateHz)) return;
    this.digit({ ...key, saidUs: this.#pauseEnd.saidAt(arrivalUs, ssrc, rtpTime, clockRateHz) });
  }

  digit(digit: CapturedDigit): void {
    if (this.stay && !this.stay.muted) this.#capture.digit(this.stay, digit);
    if (this.call) this.#capture.digit(this.call.said, digit);
  }

  enter(stay: Stay, atUs: number): void {
    this.stay = stay;
    this.#toldStay = false;
    this.tellHold(atUs);
  }

  captureCall(call: { said: Stay; heard: Stay }, atUs: number): void {
    this.call = call;
    this.#toldCall = false;
    this.tellHold(atUs);
  }

  /** @param direction ours: a peer that wants to hear nothing holds the call (RFC 3264 section 8.4) */
  agree(direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive', atUs: number): void {
    this.#peerHolds = direction === 'recvonly' || direction === 'inactive';
    this.tellHold(atUs);
  }

  /** Who neither hears the room nor is heard there is held by it. */
  tellHold(atUs: number): void {
    const { stay, call } = this;
    if (stay) {
      const held = this.#peerHolds || (stay.muted === true && stay.deaf === true);
      if (held !== this.#toldStay) this.#capture.hold(stay, held, atUs);
      this.#toldStay = held;
    }
    if (!call || this.#peerHolds === this.#toldCall) return;
    this.#capture.hold(call.said, this.#peerHolds, atUs);
    this.#toldCall = this.#peerHolds;
  }
}
