import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { collectWhenQuiet } from '../quiet-collection.ts';
import { Secret } from '../secret.ts';
import { asCallreelError } from './file-desk.ts';
import { QualityDesk } from './quality-desk.ts';
import type { QualityCommand, QualityReply } from './quality-protocol.ts';
import type { SpoolThreadData } from './spool-thread.ts';

/** Measures recordings, for `quality-gauge`. On Linux the priority is the thread's own. */
const { masterKey, ...options } = workerData as SpoolThreadData;
const desk = new QualityDesk({
  ...options,
  masterKey: new Secret(Buffer.from(masterKey)),
});

type Answer = Omit<Extract<QualityReply, { reply: 'done' }>, 'id' | 'reply'>;

async function execute(command: QualityCommand): Promise<Answer> {
  switch (command.verb) {
    case 'follow':
      desk.follow(command.order);
      return {};
    case 'step':
      return { settled: desk.step(command.recordingIds) };
    case 'measure':
      return { measured: await desk.measure(command.order) };
    case 'drop':
      desk.drop(command.recordingId);
      return {};
  }
}

setPriority(constants.priority.PRIORITY_LOW);
parentPort?.on('message', (command: QualityCommand) => {
  const { id } = command;
  execute(command)
    .then(
      (answer): QualityReply => ({ id, reply: 'done', ...answer }),
      (error: unknown): QualityReply => ({ id, reply: 'error', error: asCallreelError(error).toJSON() }),
    )
    .then((reply) => parentPort?.postMessage(reply));
});
collectWhenQuiet(systemClock, { atOnce: true });
