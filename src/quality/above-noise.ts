import { kernel } from './kernel.ts';

/**
 * The noise of one band, whose levels are steps of 0.5 dB, in dBov: what is left where it is quietest for 160 ms, in one
 * in twenty of such spans.
 */
export function noiseLevel(steps: Uint8Array): number {
  kernel().fineRows.set(steps);
  return kernel().run.noiseLevel(steps.length);
}

/** What the loudest reaches, but 3 in a hundred, in dBov. */
export function topLevel(steps: Uint8Array): number {
  kernel().fineRows.set(steps);
  return kernel().run.topLevel(steps.length);
}
