import { kernel } from './kernel.ts';

/** Where G.711 ends: 32,124 in µ-law, 32,256 in A-law. Linear samples are clipped above it too. */
const ceiling = 32_100;
/** A peak touches the ceiling; what stays there is cut off. */
const leastRun = 3;
/** Where one touches it, all of these are looked at one by one. */
const samplesAtOnce = 4000;

/** How much of a signal is cut off at full scale: samples in runs of three and more that stay there. */
export class Clipping {
  #samples = 0;
  #clipped = 0;
  /** The run that goes on; its sign tells the side. */
  #run = 0;

  push(samples: Int16Array, start: number, end: number): void {
    this.#samples += end - start;
    for (let at = start; at < end; at += samplesAtOnce) {
      const to = Math.min(end, at + samplesAtOnce);
      // Nothing of it touches the ceiling, as a rule.
      if (kernel().run.greatest(kernel().putSamples(samples, at, to)) < ceiling) this.#run = 0;
      else this.#pushSingly(samples, at, to);
    }
  }

  #pushSingly(samples: Int16Array, start: number, end: number): void {
    let run = this.#run;
    for (let i = start; i < end; i++) {
      const sample = samples[i]!;
      if (sample >= ceiling) run = run > 0 ? run + 1 : 1;
      else if (sample <= -ceiling) run = run < 0 ? run - 1 : -1;
      else run = 0;
      const length = Math.abs(run);
      if (length >= leastRun) this.#clipped += length === leastRun ? leastRun : 1;
    }
    this.#run = run;
  }

  /** 0..1 */
  get share(): number {
    return this.#samples === 0 ? 0 : this.#clipped / this.#samples;
  }
}
