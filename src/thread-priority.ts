import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** They get a tenth of a processor that somebody else wants. */
const helperNice = 10;
/** Of the media loop: ten times as much of a processor as who has no other priority. */
const mediaNice = -10;
/** As Node names them; Linux keeps 15 bytes of a thread's name. */
const helperName = 'node-V8Worker';

/**
 * V8's helper threads, which compile and collect for all threads of this process, stand back for who does what a call
 * waits for: many calls that begin or end at once run code that is compiled just then. On Linux each thread has its own
 * priority; elsewhere nothing is done.
 */
export function lowerHelperThreads(): void {
  if (process.platform !== 'linux') return;
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      const name = readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim();
      if (name === helperName) setPriority(Number(thread), helperNice);
    } catch {
      // It has ended, or may not be touched: then it goes on as it is.
    }
  }
}

/**
 * The calling thread, on which every packet is handled, goes ahead of what else wants a processor, where the system lets
 * us: root does, CAP_SYS_NICE and RLIMIT_NICE. What is late there is heard by everybody who is relayed.
 */
export function raiseMediaThread(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(mediaNice);
  } catch {
    // It goes on as it is.
  }
}
