import type { Fields } from './fields.ts';
import { givenRecordingOptions } from './instructions.ts';
import type { RecordingRules, SinchRecordingOptions } from './recording-options.ts';

/** Of one participant. */
export interface ParticipantCommand {
  command: 'mute' | 'unmute' | 'onhold' | 'resume';
  /** What it hears on hold. */
  moh: string | undefined;
}

/** Of the conference itself; ours: the vendor speaks of its Conference API and names no request. */
export type ConferenceCommand =
  | { command: 'startRecording'; options: SinchRecordingOptions }
  | { command: 'stopRecording' };

/** The body of `PATCH /calling/v1/conferences/id/{id}/{callId}` */
export function readParticipantCommand(fields: Fields): ParticipantCommand | undefined {
  const command = commandIn(fields, ['mute', 'unmute', 'onhold', 'resume']);
  const moh = fields.text('moh', { max: 64 })?.toLowerCase();
  return command && { command, moh };
}

/** The body of `PATCH /calling/v1/conferences/id/{id}` */
export function readConferenceCommand(
  fields: Fields,
  rules: RecordingRules = {},
): ConferenceCommand | undefined {
  const command = commandIn(fields, ['startRecording', 'stopRecording']);
  if (command !== 'startRecording') return command && { command };
  const options = givenRecordingOptions(fields, rules);
  return options && { command, options };
}

function commandIn<const T extends string>(fields: Fields, commands: readonly T[]): T | undefined {
  if (!fields.has('command')) fields.missing('command');
  return fields.oneOf('command', commands);
}
