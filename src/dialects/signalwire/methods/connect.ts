import type { CallTarget, ConnectedPeer, ConnectResult, ConnectTo } from '../../../call/connector.ts';
import { isSaneText } from '../../../sane-input.ts';
import type { Prompt } from '../../../script/verb.ts';
import { callTypeOf } from '../call-scope.ts';
import { isObject, type JsonObject, jsonObject } from '../json.ts';
import {
  flag,
  group,
  ineffective,
  invalid,
  type Kind,
  list,
  number,
  oneOf,
  optional,
  required,
  text,
  unavailable,
  url,
  type Values,
  withDefault,
} from '../parameters.ts';
import { spoken } from '../playable.ts';
import { type Path, ScriptError } from '../script-error.ts';
import { branch, runBranch } from './branch.ts';
import { maxSeconds } from './call.ts';
import { failed, type Given, method, perform, type Run } from './method.ts';
import { playables } from './play.ts';

const defaultTimeoutSeconds = 60;
const defaultMaxDurationSeconds = 14_400;
const maxDestinations = 50;

/** A number, a SIP URI, or who is registered here by a resource address. */
const destination: Kind<CallTarget> = {
  read(value, path) {
    const given = typeof value === 'object' ? '' : String(value).trim();
    const to = isSaneText(given) ? given : '';
    if (/^\+?\d{2,20}$/.test(to) || /^(?:sips?|tel):[^\s\0]{1,500}$/i.test(to))
      return { kind: 'phone', number: to };
    const name = /^\/private\/([\w.-]{1,100})$/.exec(to)?.[1];
    if (name !== undefined) return { kind: 'client', name };
    if (/^(?:queue|stream|call|\/public\/)/.test(to))
      return invalid("queues, streams and rooms can't be connected to in this version", path);
    return invalid('a number (+15552345678), a SIP URI or /private/NAME is expected', path);
  },
};

const headers = list(
  group({
    name: required(text({ maxLength: 100, form: /^[!#$%&'*+.^_`|~\w-]+$/, expected: "a header's name is" })),
    value: required(text({ maxLength: 2000, form: /^[^\r\n\0]*$/, expected: 'one line is' })),
  }),
  { maxItems: 50 },
);
const caller = text({ maxLength: 200, form: /^[^\r\n\0]+$/, expected: 'a number or SIP URI is' });
const seconds = number({ min: 1, max: maxSeconds, whole: true });
const confirmed = unavailable("called parties can't be asked to confirm in this version");
const queued = unavailable('there are no queues in this version');
const streamed = unavailable('calls can not be connected to streams in this version');
const stateEvents = ineffective('the called leg has no events of its own in this version');

/** SRTP is a setting of the server: to demand it of one call and not get it would be worse than to be told so. */
const encryption: Kind<'optional' | 'forbidden'> = {
  read(value, path) {
    if (value === 'mandatory')
      return invalid('encryption is demanded by the setting rtp.srtp, for all calls', path);
    return oneOf('optional', 'forbidden').read(value, path);
  },
};

/** Of one destination or of all. */
const manner = {
  from: optional(caller),
  headers: optional(headers),
  from_name: ineffective("the called party sees the caller's number"),
  username: ineffective('trunks authenticate with their own credentials'),
  password: ineffective('trunks authenticate with their own credentials'),
  codecs: ineffective('the order of codecs is a setting of the server (rtp.codecs)'),
  encryption: optional(encryption),
  webrtc_media: ineffective('there is no WebRTC in this version'),
  session_timeout: ineffective('session timers are a setting of the server (sip.sessionExpiresSeconds)'),
  call_state_url: stateEvents,
  call_state_events: stateEvents,
  confirm: confirmed,
  confirm_timeout: ineffective("called parties can't be asked to confirm in this version"),
};
const device = { ...manner, to: required(destination), timeout: optional(seconds) };
const devices = list(group(device), { maxItems: maxDestinations, minItems: 1 });

/** A list of URIs, or an object like that of `play`. */
const ringback: Kind<readonly (Prompt | undefined)[]> = {
  read(value, path) {
    if (!isObject(value)) return playables.read(value, path);
    const { url: single, urls } = value;
    return playables.read(urls ?? [single ?? ''], [...path, urls ? 'urls' : 'url']);
  },
};

export const connect = method({
  name: 'connect',
  parameters: {
    ...manner,
    to: optional(destination),
    serial: optional(devices),
    parallel: optional(devices),
    serial_parallel: optional(list(devices, { maxItems: maxDestinations, minItems: 1 })),
    timeout: withDefault(seconds, defaultTimeoutSeconds),
    max_duration: withDefault(seconds, defaultMaxDurationSeconds),
    answer_on_bridge: withDefault(flag, false),
    ringback: optional(ringback),
    result: optional(branch),
    status_url: optional(url),
    execute_after_queue: queued,
    transfer_after_bridge: unavailable('the called party can not run a script in this version'),
    authorization_bearer_token: streamed,
    codec: streamed,
    custom_parameters: streamed,
    name: streamed,
    realtime: streamed,
    status_url_method: streamed,
  },
  shorthand: (to) => (typeof to === 'string' ? { to } : undefined),
  combine: oneDestination,
  async run(values, run, path) {
    const status = statusTo(values.status_url, run);
    status('connecting');
    let peer: ConnectedPeer | undefined;
    const connected = await perform(
      run,
      {
        verb: 'connect',
        groups: groupsOf(values),
        ...(values.from !== undefined && { from: values.from }),
        ...(values.headers && { headers: values.headers }),
        ...(values.ringback && { ringback: spoken(values.ringback, noVoice, run) }),
        timeoutMs: values.timeout * 1000,
        maxDurationMs: values.max_duration * 1000,
        answerOnBridge: values.answer_on_bridge,
        connected: (answered) => {
          peer = answered;
          status('connected', { peer });
        },
        join: { policy: 'follow', eventCallback: undefined },
      },
      path,
    ).catch((error: unknown) => {
      // The caller hung up, or another document took this one's place.
      if (peer) status('disconnected', { peer });
      else status('failed', { reason: 'cancel' });
      throw error;
    });
    const outcome = connected?.outcome ?? 'failed';
    const wrong = whatIsWrong[connected?.reason ?? ''];
    if (wrong !== undefined) failed(run, path, new Error(wrong));
    const reason = connected?.outcome === 'connected' ? 'none' : failedReason(connected);
    run.variables.setAll({ connect_result: outcome, connect_failed_reason: reason, return_value: outcome });
    if (outcome === 'connected') status('disconnected', { peer });
    else status('failed', { reason });
    return await runBranch(values.result, [...path, 'result'], run);
  },
});

const noVoice = { say_voice: undefined, say_language: undefined };
const manners = ['to', 'serial', 'parallel', 'serial_parallel'];

function oneDestination(given: Given, path: Path): void {
  const found = manners.filter(given);
  if (found.length > 1)
    throw new ScriptError(
      'relay_script_method_parameter_conflict',
      `${found.join(' and ')} exclude each other`,
      path,
    );
  if (found.length === 0)
    throw new ScriptError(
      'relay_script_method_parameter_missing',
      `one of ${manners.join(', ')} is missing`,
      path,
    );
}

type Device = Values<typeof device>;

interface Destinations {
  to: CallTarget | undefined;
  serial: readonly Device[] | undefined;
  parallel: readonly Device[] | undefined;
  serial_parallel: readonly (readonly Device[])[] | undefined;
}

function groupsOf({ to, serial, parallel, serial_parallel }: Destinations): ConnectTo[][] {
  if (to) return [[{ target: to }]];
  if (serial) return serial.map((each) => [calledAs(each)]);
  if (parallel) return [parallel.map(calledAs)];
  return (serial_parallel ?? []).map((each) => each.map(calledAs));
}

function calledAs({ to: target, from, headers: own, timeout }: Device): ConnectTo {
  return {
    target,
    ...(from !== undefined && { from }),
    ...(own && { headers: own }),
    ...(timeout !== undefined && { timeoutMs: timeout * 1000 }),
  };
}

/** The vendor's word for why nobody was reached. */
const vendorReasons: Readonly<Record<string, string>> = {
  busy: 'busy',
  'no-answer': 'noAnswer',
  declined: 'decline',
  cancelled: 'cancel',
  'not-found': 'notFound',
};

/** What the vendor has no word for, and no other try can change. */
const whatIsWrong: Readonly<Record<string, string>> = {
  'outbound-forbidden': 'no dial permission allows to call this; `callreel dial allow` gives one',
  'no-trunk': 'no trunk leads there; `callreel trunk add` adds one',
  'number-invalid': 'this is not a telephone number in the form of E.164',
};

function failedReason(result: ConnectResult | undefined): string {
  return vendorReasons[result?.reason ?? ''] ?? 'error';
}

type ConnectState = 'connecting' | 'connected' | 'failed' | 'disconnected';
type TellStatus = (
  state: ConnectState,
  about?: { peer?: ConnectedPeer | undefined; reason?: string | undefined },
) => void;

/** A failure is told to whoever is told of the call, too. */
function statusTo(statusUrl: string | undefined, { host }: Run): TellStatus {
  return (state, { peer, reason } = {}) => {
    const params = jsonObject([
      ['segment_id', host.call.segment_id],
      ['connect_state', state],
    ]);
    if (reason !== undefined) params.failed_reason = reason;
    if (peer) params.peer = peerOf(peer, host.call.node_id);
    if (statusUrl !== undefined) host.status(statusUrl, connectEvent, params);
    if (state === 'failed') host.event(connectEvent, params, statusUrl);
  };
}

const connectEvent = 'calling.call.connect';

function peerOf({ connectionId, from, to, trunkId }: ConnectedPeer, nodeId: string): JsonObject {
  const numbers = jsonObject([
    ['from_number', from],
    ['to_number', to],
  ]);
  const device = jsonObject([
    ['type', callTypeOf({ trunkId })],
    ['params', numbers],
  ]);
  return jsonObject([
    ['call_id', connectionId],
    ['node_id', nodeId],
    ['device', device],
  ]);
}
