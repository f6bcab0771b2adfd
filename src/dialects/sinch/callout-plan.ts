import type { CallTarget } from '../../call/connector.ts';
import type { SipHeader } from '../../sip/session.ts';
import type { Destination } from './callback-bodies.ts';
import type { Callout } from './callouts.ts';
import { SinchError } from './errors.ts';
import type { Instruction } from './instructions.ts';
import type { SinchRecordingOptions } from './recording-options.ts';
import type { Svaml } from './svaml.ts';

/** How the call of a callout is placed, and what becomes of it. */
export interface CalloutPlan {
  target: CallTarget;
  /** Undefined: the application's own number. */
  cli: string | undefined;
  headers: readonly SipHeader[];
  /** How long it may ring. */
  timeoutMs: number | undefined;
  /** Of the answered call. */
  maxDurationMs: number;
  dtmf: string | undefined;
  /** Of the call, from its answer on. */
  record: SinchRecordingOptions | undefined;
  /** `setCookie` alone. */
  cookies: readonly Instruction[];
  /** Done when it is answered; undefined: it goes on until somebody ends it. */
  document: Svaml | undefined;
}

/** Of it ICE may have two: the shorter one counts. */
type Limits = Pick<CalloutPlan, 'maxDurationMs' | 'timeoutMs' | 'dtmf' | 'headers'>;

/**
 * @param ice the answer to ICE, where there was one: whom it connects, instead of what the callout says
 * @throws SinchError 40002 where nobody is to be called, 40003 for an answer that calls nobody
 */
export function planOf(callout: Callout, ice: Svaml | undefined): CalloutPlan {
  const { cli, dtmf, maxDurationMs } = callout;
  const plain = { cli, dtmf, maxDurationMs, timeoutMs: undefined, headers: [], record: undefined };
  switch (callout.method) {
    case 'ttsCallout': {
      const say: Instruction = { name: 'say', prompts: callout.prompts };
      const document: Svaml = { instructions: [say], action: { name: 'hangup' }, warnings: [] };
      return { ...plain, target: callout.destination, cookies: [], document };
    }
    case 'conferenceCallout': {
      const { destination, greeting, conferenceId, conferenceDtmf: dtmfOptions, moh, record } = callout;
      const join = { conferenceId, dtmf: dtmfOptions, moh, suppressCallbacks: false, record };
      const document: Svaml = {
        instructions: greeting.length === 0 ? [] : [{ name: 'say', prompts: greeting }],
        action: { name: 'connectConf', ...join },
        warnings: [],
      };
      return { ...plain, target: destination, cookies: [], document };
    }
    case 'customCallout':
      if (ice) return byIce(ice, callout);
      if (!callout.destination) throw new SinchError(40002, 'customCallout: "destination" is missing');
      return { ...plain, target: callout.destination, cookies: [], document: undefined };
  }
}

type CustomCallout = Extract<Callout, { method: 'customCallout' }>;

function byIce({ instructions, action }: Svaml, callout: CustomCallout): CalloutPlan {
  const started = instructions.findLast(({ name }) => name === 'startRecording' || name === 'stopRecording');
  const called = calledBy(action, callout);
  return {
    ...called,
    record: called.record ?? (started?.name === 'startRecording' ? started.options : undefined),
    cookies: instructions.filter(({ name }) => name === 'setCookie'),
    document: undefined,
  };
}

function calledBy(
  action: Svaml['action'],
  { destination, cli, dtmf, maxDurationMs }: CustomCallout,
): Limits & Pick<CalloutPlan, 'target' | 'cli' | 'record'> {
  const whom = (target: CallTarget | undefined): CallTarget => {
    const found = target ?? destination;
    if (found) return found;
    throw new SinchError(40002, 'customCallout.ice: "number" is missing, and there is no destination');
  };
  const limits: Limits = { dtmf, maxDurationMs, timeoutMs: undefined, headers: [] };
  switch (action?.name) {
    case 'connectPstn': {
      const number = action.number?.replaceAll(/[() .-]/g, '');
      return {
        target: whom(number === undefined ? undefined : { kind: 'phone', number }),
        cli: action.cli ?? cli,
        record: action.record,
        ...{ ...limits, dtmf: action.dtmf ?? dtmf, timeoutMs: action.dialTimeoutMs },
        maxDurationMs: Math.min(maxDurationMs, action.maxDurationMs),
      };
    }
    case 'connectSip':
      return {
        target: { kind: 'phone', number: action.uri },
        cli: action.cli ?? cli,
        record: action.record,
        ...{ ...limits, headers: action.headers },
        maxDurationMs: Math.min(maxDurationMs, action.maxDurationMs),
      };
    case 'connectMxp': {
      const { username, headers, record } = action;
      const target = whom(username === undefined ? undefined : { kind: 'client', name: username });
      return { ...limits, target, cli, record, headers };
    }
    default:
      throw new SinchError(
        40003,
        `customCallout.ice: connectPstn, connectSip or connectMxp is expected, not ${action?.name ?? 'nothing'}`,
      );
  }
}

/** As callbacks name it. */
export function destinationOf(target: CallTarget): Destination {
  if (target.kind === 'client') return { type: 'username', endpoint: target.name };
  const address = target.kind === 'phone' ? target.number : target.address.uri;
  return /^sips?:/i.test(address)
    ? { type: 'sip', endpoint: address.replace(/^sip:/i, '') }
    : { type: 'number', endpoint: address };
}
