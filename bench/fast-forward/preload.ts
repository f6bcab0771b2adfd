import { registerHooks } from 'node:module';
import { workerData } from 'node:worker_threads';
import { replaceSystemClock } from './clock.ts';

/**
 * Loaded by `--import` into a Callreel whose media workers are to record hours in seconds. Only the tick thread of a
 * media worker is changed: its clock, and its transport (`transport.ts`), which feeds its stages with the streams that
 * its phones had begun. Everything between them, and every other thread and process, is the product's own.
 *
 * The query of this module's URL names the port of `controller.ts`.
 */
const isTickThread = typeof workerData === 'object' && workerData !== null && 'writerPort' in workerData;

if (isTickThread) {
  replaceSystemClock();
  const transport = new URL('./transport.ts', import.meta.url);
  transport.search = new URL(import.meta.url).search;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.endsWith('/transport-dgram.ts') && context.parentURL?.endsWith('/pipeline.ts')
        ? { url: transport.href, shortCircuit: true }
        : next(specifier, context),
  });
}
