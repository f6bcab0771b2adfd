import { startCallreel } from './callreel.ts';
import { loadConfig } from './config.ts';
import { createLogger } from './logger.ts';

const config = loadConfig();
const log = createLogger(config.log.level);
const callreel = await startCallreel(config, { log });
log.info({ sip: callreel.sip, http: callreel.publicUrl, dataDir: config.dataDir }, 'Callreel takes calls');
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void callreel.stop());
