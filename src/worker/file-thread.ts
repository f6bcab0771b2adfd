import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { collectWhenQuiet } from '../quiet-collection.ts';
import { Secret } from '../secret.ts';
import { asCallreelError, FileDesk } from './file-desk.ts';
import type { FileCommand, FileReply, FileStep } from './file-protocol.ts';
import type { SpoolThreadData } from './spool-thread.ts';

/** Writes recordings' files, for `file-writer`. On Linux the priority is the thread's own. */
const { masterKey, ...options } = workerData as SpoolThreadData;
const desk = new FileDesk({ ...options, clock: systemClock, masterKey: new Secret(Buffer.from(masterKey)) });

async function execute(command: FileCommand): Promise<FileStep | undefined> {
  switch (command.verb) {
    case 'follow':
      return void desk.follow(command.order);
    case 'step': {
      const { recordingIds } = command;
      return { failures: desk.step(recordingIds), channels: desk.channels(recordingIds) };
    }
    case 'complete':
      return void (await desk.complete(command.order));
    case 'abandon':
      return void (await desk.abandon(command.recordingId));
  }
}

setPriority(constants.priority.PRIORITY_LOW);
parentPort?.on('message', (command: FileCommand) => {
  const { id } = command;
  execute(command)
    .then(
      (step): FileReply => ({ id, reply: 'done', ...(step && { step }) }),
      (error: unknown): FileReply => ({ id, reply: 'error', error: asCallreelError(error).toJSON() }),
    )
    .then((reply) => parentPort?.postMessage(reply));
});
collectWhenQuiet(systemClock, { atOnce: true });
