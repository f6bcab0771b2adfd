import { appCommands } from './app.ts';
import { callCommands } from './call.ts';
import { callsCommands } from './calls.ts';
import type { Command } from './command.ts';
import { deliveryCommands } from './deliveries.ts';
import { dialCommands } from './dial.ts';
import { doctorCommands } from './doctor.ts';
import { eventCommands } from './events.ts';
import { numberCommands } from './number.ts';
import { recordingCommands } from './recordings.ts';
import { scriptCommands } from './script.ts';
import { secretCommands } from './secret.ts';
import { serveCommands } from './serve.ts';
import { spoolCommands } from './spool.ts';
import { transcriptCommands } from './transcripts.ts';
import { trunkCommands } from './trunk.ts';

/** In the order of `callreel --help`. */
export const commands: readonly Command[] = [
  ...serveCommands,
  ...doctorCommands,
  ...callCommands,
  ...appCommands,
  ...numberCommands,
  ...trunkCommands,
  ...dialCommands,
  ...callsCommands,
  ...recordingCommands,
  ...transcriptCommands,
  ...deliveryCommands,
  ...eventCommands,
  ...secretCommands,
  ...scriptCommands,
  ...spoolCommands,
];
