import { meanSquareToDbov } from '../audio/level.ts';

/** Levels are compared slot by slot. */
const slotUs = 100_000;
/** Softer than this nobody speaks on a telephone line, */
const leastDbov = -58;
/** and no less above the softest tenth of the last four seconds. */
const marginDb = 6;
const floorSlots = 40;
const floorShare = 0.1;
/** Speech begins where so many of so many slots are loud: a click is one. */
const loudSlots = 2;
const onsetSlots = 4;
/** So much before and behind it belongs to it: its noise is there. */
const marginSlots = 10;
/** What is shorter is a pause within it. */
const pauseSlots = 15;
/** What is measured at once. */
const mostSlots = 100;
/** So much may be looked at in vain, and a sixth of the time that passes. */
const creditSlots = 600;
const creditShare = 1 / 6;
/** Decibels from -127 dBov up. */
const bins = 128;
const quietest = 1 - bins;

export interface FoundSpan {
  fromUs: number;
  toUs: number;
}

/**
 * Looks for speech in nothing but levels: where it is louder than it was for a while, somebody may have spoken. What is
 * found is to be measured; where noise comes and goes, ever less of it.
 */
export class SpeechSearch {
  /** Levels of the last slots, and how many there are of each. */
  readonly #levels = new Uint8Array(floorSlots);
  readonly #counts = new Uint8Array(bins);
  #slots = 0;
  /** Which of the last slots were loud; the newest is bit 0. */
  #loud = 0;
  #credit = creditSlots;
  #found: FoundSpan[] = [];
  /** Of the slot that is open: where it ends, and what is in it. */
  #slotEndUs = 0;
  #sum = 0;
  #packets = 0;
  // Of the stretch that is listened to.
  #fromUs = 0;
  #heardFromUs = -1;
  #lastLoudUs = 0;

  /** What is heard from here on does not follow what was heard before. */
  begin(fromUs: number): void {
    this.#fromUs = fromUs;
    this.#slotEndUs = fromUs + slotUs;
    this.#heardFromUs = -1;
    this.#loud = 0;
    this.#sum = 0;
    this.#packets = 0;
  }

  /** The next packet: when it arrived, and the mean square of its samples. */
  hear(arrivalUs: number, meanSquare: number): void {
    while (arrivalUs >= this.#slotEndUs) this.#endSlot();
    this.#sum += meanSquare;
    this.#packets += 1;
  }

  /** @returns where somebody may have spoken since `begin`, in order, without overlap */
  end(untilUs: number): FoundSpan[] {
    while (this.#slotEndUs <= untilUs) this.#endSlot();
    this.#endSpan(untilUs);
    const found = this.#found;
    this.#found = [];
    return found;
  }

  #endSlot(): void {
    const endUs = this.#slotEndUs;
    const isLoud = this.#isLoud(this.#packets > 0 ? this.#sum / this.#packets : 0);
    this.#slotEndUs += slotUs;
    this.#sum = 0;
    this.#packets = 0;
    this.#credit = Math.min(creditSlots, this.#credit + creditShare);
    this.#loud = ((this.#loud << 1) | (isLoud ? 1 : 0)) & ((1 << onsetSlots) - 1);
    if (isLoud) this.#lastLoudUs = endUs;
    if (this.#heardFromUs < 0) {
      if (ones(this.#loud) < loudSlots) return;
      this.#heardFromUs = Math.max(this.#fromUs, endUs - (onsetSlots + marginSlots) * slotUs);
    }
    const isLong = endUs - this.#heardFromUs >= mostSlots * slotUs;
    if (isLong || endUs - this.#lastLoudUs >= pauseSlots * slotUs) this.#endSpan(endUs);
  }

  #endSpan(nowUs: number): void {
    const fromUs = this.#heardFromUs;
    if (fromUs < 0) return;
    const toUs = Math.min(nowUs, this.#lastLoudUs + marginSlots * slotUs);
    this.#heardFromUs = -1;
    this.#loud = 0;
    this.#fromUs = toUs;
    const slots = (toUs - fromUs) / slotUs;
    if (slots > this.#credit) return;
    this.#credit -= slots;
    this.#found.push({ fromUs, toUs });
  }

  #isLoud(meanSquare: number): boolean {
    const level = Math.min(bins - 1, Math.round(meanSquareToDbov(meanSquare)) - quietest);
    const at = this.#slots % floorSlots;
    if (this.#slots >= floorSlots) this.#counts[this.#levels[at]!]! -= 1;
    this.#slots += 1;
    this.#levels[at] = level;
    this.#counts[level]! += 1;
    return level + quietest > leastDbov && level >= this.#floor() + marginDb;
  }

  #floor(): number {
    const wanted = floorShare * Math.min(this.#slots, floorSlots);
    let level = 0;
    for (let below = this.#counts[0]!; below < wanted; ) below += this.#counts[++level]!;
    return level;
  }
}

function ones(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
