import { registerHooks } from 'node:module';
import { isMainThread, workerData } from 'node:worker_threads';
import { passTimers, replaceSystemClock, replaceTimers } from './clock.ts';
import { takeOrders } from './orders.ts';

/**
 * Loaded by `--import` into a Callreel whose calls are to last hours that pass in seconds. In the tick thread of a media
 * worker the clock is another one, and the transport (`transport.ts`), which feeds its stages with the streams that its
 * phones had begun; in the server's main thread the clock alone, whose timers fire when their time has passed in either
 * way. Everything between them, and every other thread and process, is the product's own.
 *
 * The query of this module's URL names the port of `controller.ts`.
 */
const isTickThread = typeof workerData === 'object' && workerData !== null && 'writerPort' in workerData;
const isServer = isMainThread && /\/src\/main\.ts$/.test(process.argv[1] ?? '');
const { search, searchParams } = new URL(import.meta.url);

if (isServer) {
  replaceSystemClock();
  replaceTimers();
  void takeOrders('server', Number(searchParams.get('port')), async (durationMs) => {
    passTimers(durationMs * 1000);
    return 0;
  });
}
if (isTickThread) {
  replaceSystemClock();
  const transport = new URL('./transport.ts', import.meta.url);
  transport.search = search;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.endsWith('/choose-transport.ts') && context.parentURL?.endsWith('/pipeline.ts')
        ? { url: transport.href, shortCircuit: true }
        : next(specifier, context),
  });
}
