import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../clock.ts';
import { Secret } from '../secret.ts';
import { EncodeDesk } from './encode-desk.ts';
import type { EncodeCommand, EncodeReply } from './encode-protocol.ts';
import { asCallreelError } from './file-desk.ts';
import type { SpoolThreadData } from './spool-thread.ts';

/** Encodes files along with their recordings, for `along-encoder`. On Linux the priority is the thread's own. */
const { masterKey, ...options } = workerData as SpoolThreadData;
const desk = new EncodeDesk({
  ...options,
  clock: systemClock,
  masterKey: new Secret(Buffer.from(masterKey)),
});

function execute(command: EncodeCommand): Uint8Array<ArrayBuffer> | undefined {
  switch (command.verb) {
    case 'follow':
      return void desk.follow(command.order);
    case 'step':
      return void desk.step(command.recordingIds);
    case 'take':
      return desk.take(command.recordingId);
    case 'drop':
      return void desk.drop(command.recordingId);
  }
}

function answer(command: EncodeCommand): EncodeReply {
  const { id } = command;
  try {
    return { id, reply: 'done', file: execute(command) };
  } catch (error) {
    return { id, reply: 'error', error: asCallreelError(error).toJSON() };
  }
}

setPriority(constants.priority.PRIORITY_LOW);
parentPort?.on('message', (command: EncodeCommand) => {
  const reply = answer(command);
  const moved = reply.reply === 'done' && reply.file ? [reply.file.buffer] : [];
  parentPort?.postMessage(reply, moved);
});
