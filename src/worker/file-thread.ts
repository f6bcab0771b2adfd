import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { Secret } from '../secret.ts';
import { asCallreelError, FileDesk } from './file-desk.ts';
import type { FileCommand, FileFailure, FileReply } from './file-protocol.ts';
import type { SpoolThreadData } from './spool-thread.ts';

/** Writes recordings' files, for `file-writer`. On Linux the priority is the thread's own. */
const { masterKey, ...options } = workerData as SpoolThreadData;
const desk = new FileDesk({ ...options, clock: systemClock, masterKey: new Secret(Buffer.from(masterKey)) });

async function execute(command: FileCommand): Promise<FileFailure[]> {
  switch (command.verb) {
    case 'follow':
      desk.follow(command.order);
      return [];
    case 'step':
      return desk.step(command.recordingIds);
    case 'complete':
      await desk.complete(command.order);
      return [];
    case 'abandon':
      await desk.abandon(command.recordingId);
      return [];
  }
}

setPriority(constants.priority.PRIORITY_LOW);
parentPort?.on('message', (command: FileCommand) => {
  const { id } = command;
  execute(command)
    .then(
      (failures): FileReply => ({ id, reply: 'done', failures }),
      (error: unknown): FileReply => ({ id, reply: 'error', error: asCallreelError(error).toJSON() }),
    )
    .then((reply) => parentPort?.postMessage(reply));
});
