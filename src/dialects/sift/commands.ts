import { z } from 'zod';
import type { CallTarget } from '../../call/connector.ts';
import type { RecordingPolicy } from '../../media/control.ts';
import type { Connect, Step } from '../../script/verb.ts';
import type { Ask } from './ask.ts';
import { callbackUrl, maxTextCharacters } from './fields.ts';
import { gatherSchemas } from './gathers.ts';
import { boundProcessors, processors } from './processors.ts';

/** A feature that a routine asks for and this version does not have; told to the event callback. */
export interface NotYet {
  feature: string;
  message: string;
}

const soundUrl = z.url({ protocol: /^https?$/, error: 'expected an http or https URL' });
const flag = z.boolean().nullish();

/** What the three commands that begin a conversation share; both spellings of each name (docs/dialects/sift.md, X17). */
const conversation = {
  do_record: flag,
  event_callback: callbackUrl,
  on_event: callbackUrl,
  live_talk_times: flag,
  live_talk_time: flag,
  live_transcripts: flag,
  live_transcription: flag,
  live_topics: flag,
  live_emotion: flag,
  live_scan: z.array(z.unknown()).nullish(),
  processors,
};

interface ConversationParameters {
  do_record?: boolean | null | undefined;
  event_callback?: string | undefined;
  on_event?: string | undefined;
  processors: string[];
  [name: `live_${string}`]: unknown;
}

function policyOf(doRecord: boolean | null | undefined): RecordingPolicy {
  if (doRecord == null) return 'follow';
  return doRecord ? 'record' : 'never';
}

function notYet(command: ConversationParameters): NotYet[] {
  const wanted = Object.entries(command).filter(
    ([name, value]) =>
      name.startsWith('live_') && Boolean(value) && !(Array.isArray(value) && value.length === 0),
  );
  return wanted.map(([feature]) => ({ feature, message: `${feature} is not available in this version yet` }));
}

function conversationOptions(command: ConversationParameters, policy: RecordingPolicy) {
  // They are ignored without `do_record`, as the vendor says.
  const { transcribes, missing } = boundProcessors(policy === 'record' ? command.processors : []);
  const unbound = missing.map((name) => ({
    feature: 'processors',
    message: `the processor ${name} is not available in this version`,
  }));
  return {
    policy,
    eventCallback: command.event_callback ?? command.on_event,
    warnings: [...notYet(command), ...unbound],
    ...(transcribes && { recording: { transcription: {} } }),
  };
}

/** The caller's own phone rings until the called party answers. */
function connect(target: CallTarget, join: Connect['join']): Step {
  return { verb: 'connect', groups: [[{ target }]], answerOnBridge: true, join };
}

/**
 * The schema of one command each, giving the neutral verb and what to ask when it has ended.
 * @param asking who asks for the routine that is being parsed
 */
export function commandSchemas(asking: () => Ask) {
  const done = (url: string | undefined) => {
    const ask = asking();
    return url === undefined ? {} : { done: () => ask(url, {}) };
  };

  const say = z
    .object({
      name: z.literal('Say'),
      text: z.string().max(maxTextCharacters),
      voice: z.string().nullish(),
      on_done: callbackUrl,
    })
    .transform(
      ({ text, voice, on_done }): Step => ({
        verb: 'play',
        prompts: [{ kind: 'text', text, ...(voice ? { voice } : {}) }],
        ...done(on_done),
      }),
    );

  const play = z.object({ name: z.literal('Play'), sound_url: soundUrl, on_done: callbackUrl }).transform(
    ({ sound_url, on_done }): Step => ({
      verb: 'play',
      prompts: [{ kind: 'url', url: sound_url }],
      ...done(on_done),
    }),
  );

  const joinConference = z
    .object({
      name: z.literal('JoinConference'),
      conference_name: z.string().min(1).max(200),
      leave_key: z
        .string()
        .regex(/^[0-9*#A-D]$/, 'one of 0-9 * # A-D')
        .nullish(),
      ...conversation,
    })
    .transform(
      (command): Step => ({
        verb: 'join-conference',
        name: command.conference_name,
        options: {
          ...conversationOptions(command, policyOf(command.do_record)),
          leaveKey: command.leave_key ?? undefined,
        },
      }),
    );

  const callPhone = z
    .object({ name: z.literal('CallPhone'), phone_number: z.string().min(1).max(256), ...conversation })
    .transform(
      (command): Step =>
        connect(
          { kind: 'phone', number: command.phone_number },
          conversationOptions(command, policyOf(command.do_record)),
        ),
    );

  // Recorded unless told otherwise, unlike the other two.
  const callClient = z
    .object({ name: z.literal('CallClient'), client_name: z.string().min(1).max(200), ...conversation })
    .transform(
      (command): Step =>
        connect(
          { kind: 'client', name: command.client_name },
          conversationOptions(command, policyOf(command.do_record ?? true)),
        ),
    );

  const hangUp = z.object({ name: z.literal('HangUp') }).transform((): Step => ({ verb: 'hang-up' }));

  return [say, play, ...gatherSchemas(asking), joinConference, callPhone, callClient, hangUp] as const;
}
