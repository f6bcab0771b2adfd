import type { ConferenceObserver } from '../../call/conference.ts';
import type { CallTarget, ConnectRequest, ConnectResult } from '../../call/connector.ts';
import type { RecordingWishes } from '../../call/recording.ts';
import type { Clock } from '../../clock.ts';
import { assertNever, type CallreelError } from '../../errors.ts';
import type { Connect, JoinConference, Next, Prompt, Step } from '../../script/verb.ts';
import type { SipHeader } from '../../sip/session.ts';
import type { Action, ConnectConf, ConnectMxp, ConnectPstn, ConnectSip } from './actions.ts';
import type { Instruction } from './instructions.ts';
import { type AskMenu, menuSteps } from './menu-steps.ts';
import { parkSteps } from './park-steps.ts';
import type { SinchRecordingOptions } from './recording-options.ts';
import type { Svaml } from './svaml.ts';

/** What calls somebody. */
export type ConnectAction = ConnectPstn | ConnectSip | ConnectMxp;

/** What goes with calling somebody. */
export interface Connecting {
  /** The called party is asked about (ACE), and what is to be recorded begins, before both are put through. */
  answered?: ConnectRequest['answered'];
  done?(result: ConnectResult): Promise<Next>;
}

/** What a document needs of the call that it is for. */
export interface SvamlCall {
  /** Whom the caller called: where it is connected to unless the document says otherwise. */
  dialed: string;
  clock: Clock;
  /** As a recording is kept: with its destination, whose credentials are sealed by then. */
  wishesOf(
    options: SinchRecordingOptions,
    kind: 'call' | 'conference',
    conferenceId?: string,
  ): RecordingWishes;
  askMenu: AskMenu;
  /** What was said could not be recognised, whatever it was; its menu takes it for no answer. */
  notRecognized?(error: CallreelError): void;
  /** What `moh` names; undefined: there is none, and nothing is played. */
  musicOf(name: string): Prompt | undefined;
  connecting(action: ConnectAction): Connecting;
  /** Told of the conference that a party is put into. */
  observerOf(action: ConnectConf): ConferenceObserver | undefined;
}

/** Of one round, before the next begins. */
const ringMs = 6000;

/** The instructions and then the action, as neutral verbs. Cookies are no verbs: `cookiesOf`. */
export function svamlSteps({ instructions, action }: Svaml, call: SvamlCall): Step[] {
  return [...instructionSteps(instructions, call), ...(action ? actionSteps(action, call) : [])];
}

export function instructionSteps(instructions: readonly Instruction[], call: SvamlCall): Step[] {
  return instructions.flatMap((each) => stepsOf(each, call));
}

/** What `setCookie` sets, the last one of a name. */
export function cookiesOf({ instructions }: Svaml): Map<string, string> {
  return new Map(
    instructions.flatMap((each) => (each.name === 'setCookie' ? [[each.key, each.value] as const] : [])),
  );
}

function stepsOf(instruction: Instruction, call: SvamlCall): Step[] {
  switch (instruction.name) {
    case 'say':
    case 'playFiles':
      return instruction.prompts.length === 0 ? [] : [{ verb: 'play', prompts: instruction.prompts }];
    case 'sendDtmf':
      return [{ verb: 'send-digits', digits: instruction.digits }];
    case 'setCookie':
      return [];
    case 'answer':
      return [{ verb: 'answer' }];
    case 'startRecording':
      return [{ verb: 'start-recording', wishes: call.wishesOf(instruction.options, 'call') }];
    case 'stopRecording':
      return [{ verb: 'stop-recording' }];
    default:
      return assertNever(instruction, 'instruction');
  }
}

export function actionSteps(action: Action, call: SvamlCall): Step[] {
  switch (action.name) {
    case 'hangup':
      return [{ verb: 'hang-up' }];
    case 'continue':
      return recordingSteps(action.record, call);
    case 'connectPstn':
      return [pstn(action, call), { verb: 'hang-up' }];
    case 'connectSip': {
      const { uri, cli, headers, maxDurationMs } = action;
      const target: CallTarget = { kind: 'phone', number: uri };
      const connection = { target, cli, headers, maxDurationMs, ...call.connecting(action) };
      return [connect(connection), { verb: 'hang-up' }];
    }
    case 'connectMxp': {
      const { username, headers } = action;
      const target: CallTarget = { kind: 'client', name: username ?? call.dialed };
      return [connect({ target, headers, ...call.connecting(action) }), { verb: 'hang-up' }];
    }
    case 'connectConf':
      return [conference(action, call), { verb: 'hang-up' }];
    case 'runMenu':
      return [...recordingSteps(action.record, call), ...menuSteps(action, call)];
    case 'park':
      return [...recordingSteps(action.record, call), ...parkSteps(action, call.clock)];
    case 'startRecording':
      return recordingSteps(action.options, call);
    case 'stopRecording':
      return [{ verb: 'stop-recording' }];
    default:
      return assertNever(action, 'action');
  }
}

function recordingSteps(options: SinchRecordingOptions | undefined, call: SvamlCall): Step[] {
  return options ? [{ verb: 'start-recording', wishes: call.wishesOf(options, 'call') }] : [];
}

interface Connection extends Connecting {
  target: CallTarget;
  cli?: string | undefined;
  headers?: readonly SipHeader[] | undefined;
  timeoutMs?: number | undefined;
  maxDurationMs?: number | undefined;
  ringback?: readonly Prompt[] | undefined;
}

function pstn(action: ConnectPstn, call: SvamlCall): Connect & Step {
  const { number, cli, dialTimeoutMs, maxDurationMs, indications } = action;
  const target: CallTarget = { kind: 'phone', number: number?.replaceAll(/[() .-]/g, '') ?? call.dialed };
  const ringback: readonly Prompt[] | undefined =
    indications === undefined ? undefined : [{ kind: 'ring', durationMs: ringMs, country: indications }];
  const connection = { target, cli, timeoutMs: dialTimeoutMs, maxDurationMs, ringback };
  return connect({ ...connection, ...call.connecting(action) });
}

/** The caller is answered with the called party. What is recorded is the call, not the room of the two. */
function connect({
  target,
  cli,
  headers = [],
  timeoutMs,
  maxDurationMs,
  ringback,
  answered,
  done,
}: Connection): Connect & Step {
  return {
    verb: 'connect',
    groups: [[{ target }]],
    answerOnBridge: true,
    ...(cli !== undefined && { from: cli }),
    ...(headers.length > 0 && { headers }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(maxDurationMs !== undefined && { maxDurationMs }),
    ...(ringback && { ringback }),
    ...(answered && { answered }),
    ...(done && { done }),
    join: { policy: 'follow', eventCallback: undefined },
  };
}

/** Its flag records the conference, whatever instructions record of this call. */
function conference(action: ConnectConf, call: SvamlCall): JoinConference & Step {
  const { conferenceId, moh, record } = action;
  const music = moh === undefined ? undefined : call.musicOf(moh);
  const observer = call.observerOf(action);
  return {
    verb: 'join-conference',
    name: conferenceId,
    options: {
      policy: record ? 'record' : 'follow',
      leaveKey: undefined,
      eventCallback: undefined,
      ...(record && { recording: call.wishesOf(record, 'conference', conferenceId) }),
      ...(music && { waitPrompts: [music] }),
      ...(observer && { observer }),
    },
  };
}
