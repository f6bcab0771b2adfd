import { isObject, type Json, jsonObject } from './json.ts';
import { answer, hangup, sendDigits, sleep } from './methods/call.ts';
import { joinConference } from './methods/conference.ts';
import { connect } from './methods/connect.ts';
import { cond, execute, goto, label, returnValue, switchCase, transfer } from './methods/control.ts';
import type { Method } from './methods/method.ts';
import { play } from './methods/play.ts';
import { prompt } from './methods/prompt.ts';
import { record, recordCall, stopRecordCall } from './methods/record.ts';
import { request, userEvent } from './methods/request.ts';
import { set, unset } from './methods/variables.ts';
import { nearestName } from './nearest-name.ts';
import { type Path, ScriptError } from './script-error.ts';

export const methods: ReadonlyMap<string, Method> = new Map(
  [
    ...[
      answer,
      cond,
      connect,
      execute,
      goto,
      hangup,
      joinConference,
      label,
      play,
      prompt,
      record,
      recordCall,
    ],
    ...[request, returnValue, sendDigits, set, sleep, stopRecordCall, switchCase, transfer, unset, userEvent],
    // The text of the vendor's page on record_call calls it so (X3).
    { ...stopRecordCall, name: 'stop_call_record' },
  ].map((method) => [method.name, method]),
);

/** The vendor's others. */
export const unavailableMethods: ReadonlySet<string> = new Set([
  ...['ai', 'ai_sidecar', 'amazon_bedrock', 'denoise', 'detect_machine', 'enter_queue', 'eval', 'join_room'],
  ...[
    'live_transcribe',
    'live_translate',
    'pay',
    'receive_fax',
    'send_fax',
    'send_sms',
    'sip_refer',
    'stop_denoise',
  ],
  ...['stop_stream', 'stop_tap', 'stream', 'tap', 'transcribe', 'transcribe_stop'],
]);

export interface Step {
  method: Method;
  params: Json;
  /** Of its parameters. */
  path: Path;
}

/**
 * One method with its parameters, or its name alone.
 * @throws ScriptError
 */
export function stepOf(value: Json, path: Path): Step {
  if (typeof value === 'string') return { method: methodOf(value, path), params: jsonObject(), path };
  if (!isObject(value))
    throw new ScriptError('relay_script_element_wrong_type', 'a step is one method and its parameters', path);
  const [name, another] = Object.keys(value);
  if (name === undefined)
    throw new ScriptError('relay_script_method_missing_name', 'the step names no method', path);
  if (another !== undefined)
    throw new ScriptError(
      'relay_script_element_duplicated',
      `a step is one method: "${name.slice(0, 40)}" and "${another.slice(0, 40)}" are two`,
      [...path, another],
    );
  const at = [...path, name];
  return { method: methodOf(name, at), params: value[name]!, path: at };
}

function methodOf(name: string, path: Path): Method {
  const method = methods.get(name);
  if (method) return method;
  throw new ScriptError('relay_script_method_undefined', whatIsMissing(name), path);
}

function whatIsMissing(name: string): string {
  if (unavailableMethods.has(name)) return `the method "${name}" is not available in this version`;
  const meant = nearestName(name, methods.keys());
  return `there is no method "${name.slice(0, 60)}"${meant === undefined ? '' : `; "${meant}" is one`}`;
}
