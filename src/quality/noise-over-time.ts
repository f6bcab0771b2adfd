import type { Floor } from './level-statistics.ts';

/** Blocks whose softest moments lie so near to one another are alike. */
const alikeDb = 3;
/** By so much a mean level has to differ from what is said of all together, to be heard at all, and to be heard alone. */
const heardDb = { first: 5, alone: 9 };
/** Noise is no more above what its softest moments are like. */
const mostAboveDb = 5;

/** Of a block: what its noise is, and what that of all blocks before was, in dBov; undefined where nobody speaks. */
export interface BlockNoise {
  own(): number | undefined;
  before(): number | undefined;
}

/**
 * The noise of a recording, where it changes: its mean power, each block weighing the time it stands for, which is half
 * of what was passed over before and behind it. What all blocks together say is what the quietest of them were like.
 *
 *     blocks that are alike -> a stretch -> one level, its seconds -> sums
 *
 * As long as all are alike there is one stretch, and nobody is asked for a level.
 */
export class NoiseOverTime {
  /** Of the stretch that goes on: the floor of its first block, its noise where it is known, its length. */
  #floor: Floor | undefined;
  #noiseDbov: number | undefined;
  #seconds = 0;
  /** Of those before. */
  #pastSeconds = 0;
  #pastPower = 0;
  /** Passed over since the last block. */
  #passedSeconds = 0;

  copy(): NoiseOverTime {
    const copy = new NoiseOverTime();
    copy.#floor = this.#floor;
    copy.#noiseDbov = this.#noiseDbov;
    copy.#seconds = this.#seconds;
    copy.#pastSeconds = this.#pastSeconds;
    copy.#pastPower = this.#pastPower;
    copy.#passedSeconds = this.#passedSeconds;
    return copy;
  }

  passOver(seconds: number): void {
    this.#passedSeconds += seconds;
  }

  /** What was passed over since the last block says nothing of noise: it is known that nobody spoke there. */
  forgetPassed(): void {
    this.#passedSeconds = 0;
  }

  /** The next block, whose softest moments are like that. */
  add(seconds: number, floor: Floor, noise: BlockNoise): void {
    if (!this.#floor) this.#floor = floor;
    else if (areAlike(this.#floor, floor)) {
      this.#seconds += this.#passedSeconds;
      this.#learn(floor, noise);
    } else {
      const noiseDbov = noiseAt(floor, noise.own());
      if (noiseDbov === undefined) {
        this.passOver(seconds);
        return;
      }
      this.#seconds += this.#passedSeconds / 2;
      this.#endStretch(noise);
      this.#seconds = this.#passedSeconds / 2;
      this.#floor = floor;
      this.#noiseDbov = noiseDbov;
    }
    this.#seconds += seconds;
    this.#passedSeconds = 0;
  }

  /**
   * @param pooledDbov the noise of all blocks together
   * @returns that, or the mean where it is far from it
   */
  levelDbov(pooledDbov: number): number {
    if (this.#pastSeconds === 0 || this.#noiseDbov === undefined) return pooledDbov;
    const power = this.#pastPower + this.#seconds * powerOf(this.#noiseDbov);
    const meanDbov = 10 * Math.log10(power / (this.#pastSeconds + this.#seconds));
    const share = heardShare(Math.abs(meanDbov - pooledDbov));
    return share === 0 ? pooledDbov : pooledDbov + share * (meanDbov - pooledDbov);
  }

  /** Of a stretch of which it was only known what its noise is not above: what a block that is alike says. */
  #learn(floor: Floor, noise: BlockNoise): void {
    if (this.#floor!.isNoise) return;
    if (!floor.isNoise && floor.dbov >= this.#floor!.dbov) return;
    this.#floor = floor;
    if (this.#noiseDbov !== undefined) this.#noiseDbov = noiseAt(floor, noise.own()) ?? this.#noiseDbov;
  }

  #endStretch(noise: BlockNoise): void {
    const noiseDbov = this.#noiseDbov ?? noiseAt(this.#floor!, noise.before());
    if (noiseDbov !== undefined) {
      this.#pastSeconds += this.#seconds;
      this.#pastPower += this.#seconds * powerOf(noiseDbov);
    }
  }
}

/** As far as it is known. */
function areAlike(before: Floor, floor: Floor): boolean {
  const isUp = floor.isNoise && floor.dbov > before.dbov + alikeDb;
  const isDown = before.isNoise && floor.dbov < before.dbov - alikeDb;
  return !isUp && !isDown;
}

/** What is said of a noise, within what its floor allows. */
function noiseAt({ dbov, isNoise }: Floor, saidDbov: number | undefined): number | undefined {
  return saidDbov === undefined ? undefined : Math.min(saidDbov, isNoise ? dbov + mostAboveDb : dbov);
}

function powerOf(dbov: number): number {
  return 10 ** (dbov / 10);
}

/** 0..1, without a step. */
function heardShare(byDb: number): number {
  const { first, alone } = heardDb;
  const share = Math.max(0, Math.min(1, (byDb - first) / (alone - first)));
  return share * share * (3 - 2 * share);
}
