/** Tells once for every silence that a peer that sent before sends nothing for as long as was agreed. */
export class Inactivity {
  readonly #report: (silentMs: number) => void;
  #timeoutMs: number | undefined;
  /** Arrival of the last packet, or since when one is due; undefined: from the next slot on. */
  #lastPacketUs: number | undefined;
  #isReported = false;

  constructor(report: (silentMs: number) => void) {
    this.#report = report;
  }

  /** @param timeoutMs undefined: never */
  agree(timeoutMs: number | undefined): void {
    this.#timeoutMs = timeoutMs;
  }

  /** Nothing was due so far. */
  beginAnew(): void {
    this.#lastPacketUs = undefined;
  }

  alive(arrivalUs: number): void {
    this.#lastPacketUs = arrivalUs;
    this.#isReported = false;
  }

  /** No sooner there is anything to tell, monotonic microseconds; `slot` was called since the last packet. */
  get dueUs(): number {
    if (this.#timeoutMs === undefined || this.#isReported) return Number.POSITIVE_INFINITY;
    return (this.#lastPacketUs ?? 0) + this.#timeoutMs * 1000;
  }

  /** Once a slot. @param isDue whether the peer is to send, and did before */
  slot(nowUs: number, isDue: boolean): void {
    this.#lastPacketUs ??= nowUs;
    if (this.#timeoutMs === undefined || !isDue) return;
    const silentMs = Math.floor((nowUs - this.#lastPacketUs) / 1000);
    if (this.#isReported || silentMs < this.#timeoutMs) return;
    this.#isReported = true;
    this.#report(silentMs);
  }
}
