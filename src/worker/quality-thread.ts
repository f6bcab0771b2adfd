import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { Secret } from '../secret.ts';
import { asCallreelError } from './file-desk.ts';
import { QualityDesk } from './quality-desk.ts';
import type { MeasuredRecording, QualityCommand, QualityReply } from './quality-protocol.ts';
import type { SpoolThreadData } from './spool-thread.ts';

/** Measures recordings, for `quality-gauge`. On Linux the priority is the thread's own. */
const { masterKey, ...options } = workerData as SpoolThreadData;
const desk = new QualityDesk({
  ...options,
  clock: systemClock,
  masterKey: new Secret(Buffer.from(masterKey)),
});

async function execute(command: QualityCommand): Promise<MeasuredRecording | undefined> {
  switch (command.verb) {
    case 'follow':
      return void desk.follow(command.order);
    case 'step':
      return void desk.step(command.recordingIds);
    case 'measure':
      return await desk.measure(command.order);
    case 'drop':
      return void desk.drop(command.recordingId);
  }
}

setPriority(constants.priority.PRIORITY_LOW);
parentPort?.on('message', (command: QualityCommand) => {
  const { id } = command;
  execute(command)
    .then(
      (measured): QualityReply => ({ id, reply: 'done', measured }),
      (error: unknown): QualityReply => ({ id, reply: 'error', error: asCallreelError(error).toJSON() }),
    )
    .then((reply) => parentPort?.postMessage(reply));
});
