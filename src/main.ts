import { join } from 'node:path';
import { boundOldGeneration } from './old-generation.ts';
import { boundYoungGeneration, letYoungGenerationsGrow } from './young-generation.ts';

// Ahead of the rest: what reading it in leaves behind would make the young generation large for good.
boundOldGeneration();
boundYoungGeneration();
const { startCallreel } = await import('./callreel.ts');
const { systemClock } = await import('./clock.ts');
const { loadConfig } = await import('./config.ts');
const { returnFreedMemory } = await import('./freed-memory.ts');
const { createLogger } = await import('./logger.ts');
const { collectWhenQuiet } = await import('./quiet-collection.ts');
const { lowerHelperThreads } = await import('./thread-priority.ts');

lowerHelperThreads();
const config = loadConfig();
const log = createLogger(config.log.level);
const callreel = await startCallreel(config, { log });
letYoungGenerationsGrow();
log.info(
  {
    sip: callreel.sip,
    http: callreel.publicUrl,
    accountId: callreel.credentials.accountId,
    tokenFile: config.authToken ? 'none: it is configured' : join(config.dataDir, 'auth-token'),
    dataDir: config.dataDir,
  },
  'Callreel takes calls',
);
collectWhenQuiet(systemClock);
returnFreedMemory(systemClock);
let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.on(signal, async () => {
    // A service manager may signal the whole process group, so that one stop comes as two.
    if (stopping) return;
    stopping = true;
    // Whole, it ends by itself, having nothing left to do; otherwise something outside holds it.
    if (!(await callreel.stop())) process.exit(1);
    for (const each of ['SIGTERM', 'SIGINT'] as const) process.removeAllListeners(each);
  });
