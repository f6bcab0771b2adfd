/** How long after the agreement that ends it a stream may still be on its way: as long as a lost 2xx comes late. */
export const inFlightUs = 2_000_000;

/**
 * Whether the negotiated direction has the peer send. A peer that goes to hold learns our answer later than we give it:
 * what its stream brings until then was said before the hold, and belongs to the call.
 */
export class ReceiveGate {
  #isOpen = false;
  #untilUs = 0;
  /** Of the last packet that was taken. */
  #ssrc = -1;

  get isOpen(): boolean {
    return this.#isOpen;
  }

  agree(receives: boolean, nowUs: number): void {
    if (this.#isOpen && !receives) this.#untilUs = nowUs + inFlightUs;
    this.#isOpen = receives;
  }

  admits(ssrc: number, arrivalUs: number): boolean {
    return this.#isOpen || (ssrc === this.#ssrc && arrivalUs <= this.#untilUs);
  }

  took(ssrc: number): void {
    this.#ssrc = ssrc;
  }
}
