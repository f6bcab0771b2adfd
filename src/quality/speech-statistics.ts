import {
  BandLevels,
  bandCount,
  fineBandCount,
  hopsPerFineRow,
  hopsPerSecond,
  rowLength,
} from './band-levels.ts';
import { FallStatistics } from './fall-statistics.ts';
import type { FeatureSink } from './feature-sink.ts';
import { FineStatistics } from './fine-statistics.ts';
import { LevelStatistics, levelAt } from './level-statistics.ts';
import { ModulationStatistics } from './modulation-statistics.ts';
import { SlopeStatistics } from './slope-statistics.ts';

/** What is looked at together: everything, and bands in pairs. */
const groups: readonly (readonly number[])[] = [[bandCount], [1, 2], [3, 4], [5, 6], [7, 8]];
const groupLength =
  SlopeStatistics.stateLength + FallStatistics.stateLength + ModulationStatistics.stateLength;
/** A block so much softer than speech was before is no speech: only its levels count. */
const softBlockDb = 25;
const clampDb = 45;
/** Fewer rows than this tell nothing of decays. */
const leastRows = 50;

/**
 * What the models look at, gathered block by block. All of it is counts and sums in one array of fixed length: memory
 * does not grow, and a copy is one copy of an array.
 */
export class SpeechStatistics {
  static readonly stateLength =
    LevelStatistics.stateLength + groups.length * groupLength + FineStatistics.stateLength;
  readonly #state: Float64Array;
  readonly #levels: LevelStatistics;
  readonly #slopes: SlopeStatistics[];
  readonly #falls: FallStatistics[];
  readonly #modulations: ModulationStatistics[];
  readonly #fine: FineStatistics;

  constructor(state = new Float64Array(SpeechStatistics.stateLength)) {
    this.#state = state;
    let at = 0;
    const next = (length: number): Float64Array => state.subarray(at, (at += length));
    this.#levels = new LevelStatistics(next(LevelStatistics.stateLength));
    this.#slopes = groups.map(() => new SlopeStatistics(next(SlopeStatistics.stateLength)));
    this.#falls = groups.map(() => new FallStatistics(next(FallStatistics.stateLength)));
    this.#modulations = groups.map(() => new ModulationStatistics(next(ModulationStatistics.stateLength)));
    this.#fine = new FineStatistics(next(FineStatistics.stateLength));
  }

  copy(): SpeechStatistics {
    return new SpeechStatistics(this.#state.slice());
  }

  /** Rows with audio in them. */
  get rows(): number {
    return this.#levels.rows;
  }

  get isSpeech(): boolean {
    return this.#levels.isSpeech;
  }

  /**
   * @param rows `count` rows of `rowLength` level steps, as they follow one another
   * @param fineRows those of `fineBandCount` of the same time
   */
  addBlock(rows: Uint8Array, count: number, fineRows: Uint8Array, fineCount: number): void {
    const topBefore = this.#levels.topDbov;
    this.#levels.add(rows, count);
    const whole = groupLevels(rows, count, groups[0]!);
    if (count < leastRows || percentileOf(whole, 95) < topBefore - softBlockDb) return;
    for (const [group, bands] of groups.entries()) {
      const levels = group === 0 ? whole : groupLevels(rows, count, bands);
      const top = percentileOf(levels, 95);
      const floor = Math.max(top - clampDb, percentileOf(levels, 3));
      const relative = levels.map((level) => Math.max(level, floor) - top);
      this.#slopes[group]!.add(relative);
      this.#falls[group]!.add(relative);
      this.#modulations[group]!.add(relative);
    }
    this.#fine.addBlock(fineRows, fineCount);
  }

  features(put: FeatureSink): void {
    this.#levels.features(put);
    for (const group of groups.keys()) {
      const prefix = group === 0 ? 'all' : `pair ${group}`;
      this.#slopes[group]!.features(put, prefix);
      this.#falls[group]!.features(put, prefix);
      this.#modulations[group]!.features(put, prefix);
    }
    this.#fine.features(put);
  }
}

/** Rows that are looked at together: their loudest are the speech, their softest the noise. */
export const blockRows = 10 * hopsPerSecond;

/** Of a whole signal at 8 kHz. */
export function statisticsOf(samples: Int16Array): SpeechStatistics {
  const statistics = new SpeechStatistics();
  const blocks = new RowBlocks(statistics);
  new BandLevels(blocks).push(samples, 0, samples.length);
  blocks.end();
  return statistics;
}

/** Gathers rows to blocks. */
export class RowBlocks {
  readonly #statistics: SpeechStatistics;
  readonly #rows = new Uint8Array(blockRows * rowLength);
  readonly #fineRows = new Uint8Array(Math.ceil(blockRows / hopsPerFineRow) * fineBandCount);
  #count = 0;
  #fineCount = 0;
  #blocks = 0;

  constructor(statistics: SpeechStatistics) {
    this.#statistics = statistics;
  }

  /** How many were gathered. */
  get blocks(): number {
    return this.#blocks;
  }

  /** The statistics without the rows that make no block yet; they grow. */
  get gathered(): SpeechStatistics {
    return this.#statistics;
  }

  row(levels: Uint8Array): void {
    this.#rows.set(levels, this.#count * rowLength);
    this.#count += 1;
    if (this.#count === blockRows) this.end();
  }

  /** Before the row of the same moment. */
  fineRow(levels: Uint8Array): void {
    this.#fineRows.set(levels, this.#fineCount * fineBandCount);
    this.#fineCount += 1;
  }

  /** What comes next does not follow what came before. */
  end(): void {
    this.#addTo(this.#statistics);
    this.#count = 0;
    this.#fineCount = 0;
    this.#blocks += 1;
  }

  /** The statistics with the rows that make no block yet; both stay as they are. */
  soFar(): SpeechStatistics {
    const copy = this.#statistics.copy();
    this.#addTo(copy);
    return copy;
  }

  #addTo(statistics: SpeechStatistics): void {
    statistics.addBlock(this.#rows, this.#count, this.#fineRows, this.#fineCount);
  }
}

function groupLevels(rows: Uint8Array, count: number, bands: readonly number[]): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => {
    let sum = 0;
    for (const band of bands) sum += levelAt(rows, row, band);
    return sum / bands.length;
  });
}

function percentileOf(levels: Float64Array, percent: number): number {
  const sorted = levels.toSorted();
  return sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))] ?? Number.NaN;
}
