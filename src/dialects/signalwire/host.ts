import type { Clock } from '../../clock.ts';
import type { Verb, VerbResults } from '../../script/verb.ts';
import type { JsonObject } from './json.ts';

/** `${call.*}`, read only, as the vendor's document request has it. */
export interface CallScope {
  call_id: string;
  node_id: string;
  segment_id: string;
  call_state: string;
  direction: 'inbound' | 'outbound';
  type: 'sip' | 'phone' | 'webrtc';
  from: string;
  to: string;
  from_number?: string;
  to_number?: string;
  headers: readonly { name: string; value: string }[];
  project_id: string;
  space_id: string;
  sip_data?: Record<string, unknown>;
}

/** What goes with a request for a document, beside `call`. */
export interface FetchRequest {
  vars: JsonObject;
  envs: JsonObject;
  params: JsonObject;
}

/** What the method `request` sends. */
export interface HttpRequest {
  /** http or https, perhaps with `user:password@`. */
  url: string;
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  headers: readonly { name: string; value: string }[];
  body: string | undefined;
  /** undefined: the host's own. */
  timeoutMs: number | undefined;
  connectTimeoutMs: number | undefined;
}

export interface HttpAnswer {
  status: number;
  headers: readonly { name: string; value: string }[];
  /** May be cut off behind `maxBodyCharacters` (request.ts). */
  body: string;
}

/** What a script needs of the world: a live leg, and HTTP. */
export interface SwmlHost {
  /**
   * Does one verb to its end.
   * @throws CallreelError what the verb could not do
   */
  perform<V extends Verb>(verb: V): Promise<VerbResults[V['verb']]>;
  /**
   * Fetches a document for `execute` or `transfer` by a signed POST of `{call, vars, envs, params}`.
   * @returns the body as text (JSON or YAML), or an object
   * @throws CallreelError CALLBACK_FAILED, CALLBACK_FORBIDDEN
   */
  fetchDocument(url: string, request: FetchRequest): Promise<unknown>;
  /**
   * The method `request`; unsigned. Any status is an answer.
   * @throws CallreelError where there is none
   */
  request(request: HttpRequest): Promise<HttpAnswer>;
  /** Where the recording's file is, from its start on (W15, W27). */
  recordingUrl(recordingId: string, format: 'wav' | 'mp3' | 'mp4'): string;
  /** `user_event`, `calling.script.warning`. Never waits. */
  event(name: string, params: JsonObject): void;
  /** An advisory POST to a `status_url` of the document; `params` without `call_id` and `node_id`. Never waits. */
  status(url: string, eventType: string, params: JsonObject): void;
  /** Whether the speech engine has this voice; one that it has not is stood in for. */
  hasVoice?(voice: string): boolean;
  readonly call: CallScope;
  /** `${envs.*}`, read only. */
  readonly envs?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Aborted when the call ended. */
  readonly ended: AbortSignal;
}

export type SwmlEndReason =
  /** The document, or `return` in its main section, came to its end. */
  | 'finished'
  /** The method `hangup`. */
  | 'hung-up'
  | 'call-ended'
  /** Something in the document, or a limit; `error` says what. */
  | 'failed';

export interface SwmlEnd {
  reason: SwmlEndReason;
  error?: { code: string; message: string; path: string; line: number; column: number };
}
