import type { Clock } from '../clock.ts';
import type { CaptureSink } from './capture-sink.ts';
import type { WorkerEvent } from './control.ts';
import type { SlotTime } from './leg-output.ts';

export interface MediaSessionOptions {
  legId: string;
  /** The peer has our offer: it may speak before its answer is here. */
  awaitsAnswer: boolean;
  /** Its first stay follows the answer at once. */
  joinsAtAnswer: boolean;
  clock: Clock;
  slotTime: SlotTime;
  capture: CaptureSink;
  post(event: WorkerEvent): void;
  /** The leave key was pressed: the stay is to end. */
  leaveKeyPressed(legId: string): void;
}
