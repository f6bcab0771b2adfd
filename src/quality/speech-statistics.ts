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
import { packNumbers, unpackNumbers } from './packed-numbers.ts';
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

/** The statistics that are being looked at: an array of numbers, and what its parts are. */
class Workspace {
  readonly state: Float64Array;
  readonly levels: LevelStatistics;
  readonly slopes: SlopeStatistics[];
  readonly falls: FallStatistics[];
  readonly modulations: ModulationStatistics[];
  readonly fine: FineStatistics;

  constructor() {
    const { stateLength } = LevelStatistics;
    this.state = new Float64Array(stateLength + groups.length * groupLength + FineStatistics.stateLength);
    let at = 0;
    const next = (length: number): Float64Array => this.state.subarray(at, (at += length));
    this.levels = new LevelStatistics(next(LevelStatistics.stateLength));
    this.slopes = groups.map(() => new SlopeStatistics(next(SlopeStatistics.stateLength)));
    this.falls = groups.map(() => new FallStatistics(next(FallStatistics.stateLength)));
    this.modulations = groups.map(() => new ModulationStatistics(next(ModulationStatistics.stateLength)));
    this.fine = new FineStatistics(next(FineStatistics.stateLength));
  }
}

/** One for all: many signals are measured along, each looked at once in ten seconds. */
let workspace: Workspace | undefined;

/**
 * What the models look at, gathered block by block. All of it is counts and sums: memory does not grow, and is a fifth
 * of theirs as they are packed meanwhile.
 */
export class SpeechStatistics {
  #packed: Uint8Array | undefined;

  copy(): SpeechStatistics {
    const copy = new SpeechStatistics();
    copy.#packed = this.#packed;
    return copy;
  }

  /** Rows with audio in them. */
  get rows(): number {
    return this.#unpacked().levels.rows;
  }

  get isSpeech(): boolean {
    return this.#unpacked().levels.isSpeech;
  }

  /**
   * @param rows `count` rows of `rowLength` level steps, as they follow one another
   * @param fineRows those of `fineBandCount` of the same time
   */
  addBlock(rows: Uint8Array, count: number, fineRows: Uint8Array, fineCount: number): void {
    const statistics = this.#unpacked();
    if (add(statistics, rows, count)) statistics.fine.addBlock(fineRows, fineCount);
    this.#packed = packNumbers(statistics.state);
  }

  features(put: FeatureSink): void {
    const { levels, slopes, falls, modulations, fine } = this.#unpacked();
    levels.features(put);
    for (const group of groups.keys()) {
      const prefix = group === 0 ? 'all' : `pair ${group}`;
      slopes[group]!.features(put, prefix);
      falls[group]!.features(put, prefix);
      modulations[group]!.features(put, prefix);
    }
    fine.features(put);
  }

  /** Valid until another one's. */
  #unpacked(): Workspace {
    workspace ??= new Workspace();
    if (this.#packed) unpackNumbers(this.#packed, workspace.state);
    else workspace.state.fill(0);
    return workspace;
  }
}

/** @returns whether it is speech, of which decays tell something */
function add({ levels, slopes, falls, modulations }: Workspace, rows: Uint8Array, count: number): boolean {
  const topBefore = levels.topDbov;
  levels.add(rows, count);
  const whole = groupLevels(rows, count, groups[0]!);
  if (count < leastRows || percentileOf(whole.toSorted(), 95) < topBefore - softBlockDb) return false;
  for (const [group, bands] of groups.entries()) {
    const levelsOfGroup = group === 0 ? whole : groupLevels(rows, count, bands);
    const sorted = levelsOfGroup.toSorted();
    const top = percentileOf(sorted, 95);
    const floor = Math.max(top - clampDb, percentileOf(sorted, 3));
    const relative = levelsOfGroup.map((level) => Math.max(level, floor) - top);
    slopes[group]!.add(relative);
    falls[group]!.add(relative);
    modulations[group]!.add(relative);
  }
  return true;
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

const noRows = new Uint8Array(0);

/** Gathers rows to blocks. */
export class RowBlocks {
  readonly #statistics: SpeechStatistics;
  #rows: Uint8Array = noRows;
  #fineRows: Uint8Array = noRows;
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
    this.#rows = withRoom(this.#rows, this.#count, rowLength, blockRows);
    this.#rows.set(levels, this.#count * rowLength);
    this.#count += 1;
    if (this.#count === blockRows) this.end();
  }

  /** Before the row of the same moment. */
  fineRow(levels: Uint8Array): void {
    this.#fineRows = withRoom(this.#fineRows, this.#fineCount, fineBandCount, blockRows / hopsPerFineRow);
    this.#fineRows.set(levels, this.#fineCount * fineBandCount);
    this.#fineCount += 1;
  }

  /** What comes next does not follow what came before. */
  end(): void {
    this.#addTo(this.#statistics);
    this.#count = 0;
    this.#fineCount = 0;
    this.#rows = noRows;
    this.#fineRows = noRows;
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

/** Room for one row more, up to `most`; of a long signal most of the time there are none. */
function withRoom(rows: Uint8Array, count: number, rowBytes: number, most: number): Uint8Array {
  if (rows.length > count * rowBytes) return rows;
  const larger = new Uint8Array(Math.min(most, Math.max(Math.ceil(most / 40), 2 * count)) * rowBytes);
  larger.set(rows);
  return larger;
}

function groupLevels(rows: Uint8Array, count: number, bands: readonly number[]): Float64Array {
  return Float64Array.from({ length: count }, (_, row) => {
    let sum = 0;
    for (const band of bands) sum += levelAt(rows, row, band);
    return sum / bands.length;
  });
}

function percentileOf(sorted: Float64Array, percent: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))] ?? Number.NaN;
}
