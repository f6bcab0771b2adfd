import { dtmfTones } from '../audio/dtmf-tones.ts';
import { keyTiming } from '../call/key-presses.ts';
import type { Leg } from '../call/leg.ts';
import { CallreelError } from '../errors.ts';
import { keySequences } from './key-sequences.ts';
import { promptRateHz } from './prompts.ts';

/** Of a `w`. */
const pauseMs = 500;

/**
 * Presses keys towards a party, in its audio where it takes no telephone-events.
 * @throws CallreelError REQUEST_INVALID for what is no key, ahead of the first one; WORKER_LOST
 */
export async function sendKeys(leg: Leg, digits: string, signal: AbortSignal): Promise<void> {
  for (const sequence of keySequences(digits)) {
    if (signal.aborted) return;
    if (!(await pressed(leg, sequence))) await sounded(leg, sequence, signal);
  }
}

/** @returns false where the party takes no telephone-events */
async function pressed(leg: Leg, digits: string): Promise<boolean> {
  try {
    return (await leg.pressKeys(digits)) !== 'not-negotiated';
  } catch (error) {
    if (error instanceof CallreelError && error.code === 'NO_COMMON_CODEC') return false;
    throw error;
  }
}

async function sounded(leg: Leg, digits: string, signal: AbortSignal): Promise<void> {
  const playback = leg.play(dtmfTones(digits, promptRateHz, { ...keyTiming, pauseMs }), promptRateHz);
  const stop = () => playback.stop();
  signal.addEventListener('abort', stop, { once: true });
  await playback.ended;
  signal.removeEventListener('abort', stop);
  if (playback.refusal !== undefined) throw playback.refusal;
}
