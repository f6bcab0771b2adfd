/** Frames between the arrival of a stream's first packet and its playout; the margin for jitter. */
export const initialDelayFrames = 2;
/** Bound of the delay, and of what counts as the same stretch of RTP time. */
export const maxDelayFrames = 25;
/** Length of one observation of the arrivals' margin. */
const windowFrames = 128;
/** A window with fewer packets says nothing. */
const minWindowPackets = 16;
/** A correction waits this long for a quiet moment. */
const correctionPatienceFrames = 25;
const quietPeak = 300;

/**
 * Keeps a jitter buffer's delay as short as its packets allow. It looks at the margin between each packet's arrival
 * and its turn. In a quiet moment the delay grows by one frame when the worst packet of a window came just in time,
 * and shrinks by one when even the worst came earlier than needed; two late packets make it grow at once. A sender
 * whose clock is faster or slower than ours moves the margin in the same way, so drift needs nothing of its own.
 */
export class PlayoutDelay {
  readonly #frameTicks: number;
  #windowAge = 0;
  #packets = 0;
  #latePackets = 0;
  #minMargin = 0;
  #maxMargin = 0;
  #correction: 'none' | 'grow' | 'shrink' = 'none';
  #correctionAge = 0;
  #holdNext = false;

  constructor(frameTicks: number) {
    this.#frameTicks = frameTicks;
  }

  /** Playout starts over. */
  reset(): void {
    this.#correction = 'none';
    this.#holdNext = false;
    this.#openWindow();
  }

  /** A packet came so many units of RTP time before its turn; negative: after. */
  observe(marginTicks: number): void {
    if (this.#packets === 0 || marginTicks < this.#minMargin) this.#minMargin = marginTicks;
    if (this.#packets === 0 || marginTicks > this.#maxMargin) this.#maxMargin = marginTicks;
    this.#packets++;
    if (marginTicks >= 0 || ++this.#latePackets < 2 || !this.#mayGrow()) return;
    this.#holdNext = true;
    this.#openWindow();
  }

  /** How many frames are taken, as packets come in time, before it may change anything. */
  get evenFrames(): number {
    return this.#correction === 'none' && !this.#holdNext ? windowFrames - 1 - this.#windowAge : 0;
  }

  /** So many frames were taken of those, and so many packets came between these margins. */
  wentOn(frames: number, packets: number, minMargin: number, maxMargin: number): void {
    this.#windowAge += frames;
    if (packets === 0) return;
    const isFirst = this.#packets === 0;
    this.#minMargin = isFirst ? minMargin : Math.min(minMargin, this.#minMargin);
    this.#maxMargin = isFirst ? maxMargin : Math.max(maxMargin, this.#maxMargin);
    this.#packets += packets;
  }

  /** Asked before every frame: whether this slot gets none, so that the delay grows by one. */
  holdsFrame(): boolean {
    const holds = this.#holdNext;
    this.#holdNext = false;
    if (!holds && ++this.#windowAge >= windowFrames) this.#closeWindow();
    return holds;
  }

  /** Told of every frame: whether it is to be left out for the next one, so that the delay shrinks by one. */
  dropsFrame(frame: Int16Array, voiced: boolean): boolean {
    if (this.#correction === 'none') return false;
    const opportune = !voiced || this.#correctionAge++ >= correctionPatienceFrames || isQuiet(frame);
    if (!opportune) return false;
    const drops = this.#correction === 'shrink';
    this.#holdNext = !drops;
    this.#correction = 'none';
    return drops;
  }

  #closeWindow(): void {
    if (this.#packets >= minWindowPackets) {
      if (this.#minMargin < this.#frameTicks / 2) this.#correct(this.#mayGrow() ? 'grow' : 'none');
      else if (this.#minMargin >= (initialDelayFrames + 1) * this.#frameTicks) this.#correct('shrink');
    }
    this.#openWindow();
  }

  #correct(correction: 'none' | 'grow' | 'shrink'): void {
    this.#correction = correction;
    this.#correctionAge = 0;
  }

  #mayGrow(): boolean {
    return this.#maxMargin < maxDelayFrames * this.#frameTicks;
  }

  #openWindow(): void {
    this.#windowAge = 0;
    this.#packets = 0;
    this.#latePackets = 0;
    this.#minMargin = 0;
    this.#maxMargin = 0;
  }
}

function isQuiet(frame: Int16Array): boolean {
  for (const sample of frame) if (sample > quietPeak || sample < -quietPeak) return false;
  return true;
}
