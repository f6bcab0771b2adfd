import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../src/clock.ts';
import type { CampaignOptions, CampaignReport } from './campaign.ts';
import { Coverage } from './coverage.ts';
import { Engine } from './engine.ts';
import { type FuzzTarget, targets } from './target.ts';
import { type Watch, watchOn } from './watch.ts';

/** Parts of a run; what is alive is measured behind each. */
const parts = { long: 20, short: 4 };

async function campaign(
  options: CampaignOptions,
  inputs: readonly Uint8Array[],
  watch: Watch,
): Promise<CampaignReport> {
  const { module, covers } = targets[options.target] ?? { module: options.module!, covers: [] };
  const coverage = new Coverage(covers);
  const { createTarget }: { createTarget(): FuzzTarget | Promise<FuzzTarget> } = await import(module);
  const target = await createTarget();
  const engine = new Engine(target, coverage, {
    seed: options.seed,
    steersByCost: options.seconds !== undefined,
    begins: (input) => {
      watch.bytes.set(input.subarray(0, watch.bytes.length));
      watch.length[0] = input.length;
      Atomics.add(watch.count, 0, 1);
    },
  });
  const startUs = systemClock.monotonicUs();
  const elapsed = () => (systemClock.monotonicUs() - startUs) / 1e6;
  const done = () =>
    options.seconds === undefined
      ? (engine.executions - seeded) / Math.max(options.executions ?? 0, 1)
      : elapsed() / options.seconds;

  let seeded = 0;
  for (const input of [...target.seeds(), ...inputs]) await engine.seed(input);
  seeded = engine.executions;
  let grown = 0;
  const all = options.seconds === undefined ? parts.short : parts.long;
  for (let part = 1; part <= all; part++) {
    while (done() < part / all) await engine.step();
    grown = await engine.settle(part <= all / 4);
  }
  const { findings, executions, slowest, kept } = engine;
  const report = {
    ...{ target: options.target, findings, executions, slowest, kept: kept.length, seconds: elapsed() },
    ...{ grown, coverage: coverage.files(), missed: coverage.missed() },
    distilled: options.distils ? await engine.distilled() : [],
  };
  await target.close?.();
  return report;
}

if (parentPort !== null) {
  const { options, inputs, shared } = workerData;
  parentPort.postMessage(await campaign(options, inputs, watchOn(shared)));
}
