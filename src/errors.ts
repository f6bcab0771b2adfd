/**
 * The catalogue of errors. A code is never reused. `blame` says whose mistake it is: the caller's (bad input),
 * the destination's (a URL, bucket or peer that does not do its part) or ours. `todo` says what to do about it.
 */
export type Blame = 'caller' | 'destination' | 'ours';

interface CatalogueEntry {
  readonly blame: Blame;
  /** HTTP status when the error answers a request. */
  readonly status: number;
  readonly todo: string;
}

export const catalogue = {
  // Configuration and start
  CONFIG_INVALID: {
    blame: 'caller',
    status: 500,
    todo: 'Correct the named setting; `callreel serve --print-config` shows all of them.',
  },
  CONFIG_UNREADABLE: {
    blame: 'caller',
    status: 500,
    todo: 'Check the path and the YAML syntax at the named line.',
  },
  PORT_TAKEN: {
    blame: 'caller',
    status: 500,
    todo: 'Stop the other program or set the named setting to another port (0 picks a free one).',
  },
  DATABASE_UNAVAILABLE: {
    blame: 'ours',
    status: 503,
    todo: 'See that PostgreSQL runs and that DATABASE_URL is right; Callreel retries by itself.',
  },
  POSTGRES_START_FAILED: {
    blame: 'ours',
    status: 503,
    todo: 'Read the named PostgreSQL log; a full disk and missing rights are the usual causes.',
  },
  DATA_DIR_IN_USE: {
    blame: 'caller',
    status: 500,
    todo: 'Stop the other Callreel or give this one its own `dataDir`.',
  },
  PLATFORM_UNSUPPORTED: {
    blame: 'caller',
    status: 500,
    todo: 'Run on linux-x64 or linux-arm64, or set DATABASE_URL to a PostgreSQL server.',
  },
  // Requests
  UNAUTHORIZED: {
    blame: 'caller',
    status: 401,
    todo: 'Send HTTP Basic authentication with the account id and the auth token.',
  },
  NOT_FOUND: { blame: 'caller', status: 404, todo: 'Check the identifier; it may have been erased.' },
  REQUEST_INVALID: { blame: 'caller', status: 400, todo: 'Correct the named field.' },
  CONFLICT: {
    blame: 'caller',
    status: 409,
    todo: 'Look at the current state and try again if it still makes sense.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    blame: 'caller',
    status: 422,
    todo: 'Give every new request a key of its own, and repeat a request with the very same body.',
  },
  IDEMPOTENCY_KEY_IN_USE: {
    blame: 'caller',
    status: 409,
    todo: 'The first request with this key is still under way: repeat it after the seconds of Retry-After.',
  },
  RECORDING_ERASED: {
    blame: 'caller',
    status: 410,
    todo: 'Nothing: it was erased on request and cannot be brought back.',
  },
  LINK_INVALID: {
    blame: 'caller',
    status: 403,
    todo: 'Ask the API for the object again: it gives a fresh link.',
  },
  LINK_EXPIRED: {
    blame: 'caller',
    status: 410,
    todo: 'Ask the API for the object again: it gives a fresh link.',
  },
  INTERNAL: {
    blame: 'ours',
    status: 500,
    todo: 'Report it with the log lines of that moment.',
  },
  DRAINING: {
    blame: 'ours',
    status: 503,
    todo: 'This node is shutting down; send the request to another one or later.',
  },
  OVERLOADED: {
    blame: 'ours',
    status: 503,
    todo: 'Send the request to another node, or again after the seconds of Retry-After; docs/capacity.md says what to look at.',
  },
  // Signalling
  SIP_MESSAGE_INVALID: { blame: 'caller', status: 400, todo: 'Correct the named header of the SIP message.' },
  SIP_REFUSED: {
    blame: 'destination',
    status: 502,
    todo: 'The SIP peer refused the request with the named status; check the address and the credentials.',
  },
  SIP_UNREACHABLE: {
    blame: 'destination',
    status: 502,
    todo: 'Check the address and the transport of the SIP peer and that it answers.',
  },
  SIP_HOST_UNKNOWN: {
    blame: 'destination',
    status: 502,
    todo: 'Check the host name and its DNS records (NAPTR, SRV, A, AAAA), and `sip.dnsServers` where it is set.',
  },
  SIP_CERTIFICATE_UNTRUSTED: {
    blame: 'destination',
    status: 502,
    todo: 'Name the authority that vouches for the peer: `--ca FILE` (PEM). `--insecure` takes any certificate.',
  },
  SDP_INVALID: { blame: 'caller', status: 400, todo: 'Correct the named line of the session description.' },
  NO_COMMON_CODEC: { blame: 'caller', status: 488, todo: 'Offer one of the codecs in `rtp.codecs`.' },
  MEDIA_TRANSPORT_UNSUPPORTED: {
    blame: 'caller',
    status: 488,
    todo: 'Offer RTP/AVP, or RTP/SAVP with a=crypto (SDES), as `rtp.srtp` has it; DTLS-SRTP is not taken.',
  },
  CODEC_UNSUPPORTED: { blame: 'caller', status: 488, todo: 'Leave the named codec out of the offer.' },
  STATE_INVALID: {
    blame: 'ours',
    status: 500,
    todo: 'Please report it: the named state machine met an event it does not list.',
  },
  // Numbers and trunks
  NUMBER_INVALID: {
    blame: 'caller',
    status: 400,
    todo: 'Write the number as + and country code and number (+15558881188), or give a SIP URI.',
  },
  OUTBOUND_FORBIDDEN: {
    blame: 'caller',
    status: 403,
    todo: 'Allow it if it is meant: `callreel dial allow PREFIX`. Nothing may be dialled until then.',
  },
  NO_TRUNK: {
    blame: 'caller',
    status: 422,
    todo: 'Add a trunk with a route for this prefix: `callreel trunk add`.',
  },
  DIAL_FAILED: {
    blame: 'destination',
    status: 502,
    todo: 'The named party was busy, did not answer, or its trunk refused; the status says which.',
  },
  CALL_ENDED: {
    blame: 'caller',
    status: 409,
    todo: 'Nothing: the party hung up, or the call was ended, before this was done.',
  },
  CONFERENCE_FULL: {
    blame: 'caller',
    status: 409,
    todo: 'Raise `max_participants`, or wait until somebody leaves.',
  },
  TOO_MANY_RECORDINGS: {
    blame: 'caller',
    status: 409,
    todo: 'Stop recordings that are not needed, or let one recording go on through pauses.',
  },
  INBOUND_FORBIDDEN: {
    blame: 'caller',
    status: 403,
    todo: 'Add the network to `sip.allowCallsFrom`, or to the `source_networks` of its trunk.',
  },
  // Command line
  USAGE: { blame: 'caller', status: 400, todo: 'Read `callreel COMMAND --help`.' },
  FILE_UNUSABLE: {
    blame: 'caller',
    status: 400,
    todo: 'Check the path, the rights and the room on the disk.',
  },
  SERVER_UNREACHABLE: {
    blame: 'caller',
    status: 503,
    todo: 'Start it with `callreel serve`, run this where its configuration is, or name it with --url.',
  },
  // Callbacks and documents
  CALLBACK_FAILED: {
    blame: 'destination',
    status: 502,
    todo: 'See that the callback URL answers 200 with a JSON routine in time.',
  },
  CALLBACK_FORBIDDEN: {
    blame: 'caller',
    status: 403,
    todo: 'The URL points at a private address; add its network to `callbacks.allow`.',
  },
  DOCUMENT_INVALID: { blame: 'caller', status: 400, todo: 'Correct the named place of the document.' },
  // Media and recording
  PORTS_EXHAUSTED: { blame: 'ours', status: 503, todo: 'Widen `rtp.ports` or wait for calls to end.' },
  PROMPTS_EXHAUSTED: {
    blame: 'ours',
    status: 503,
    todo: 'Play shorter prompts, the same one to many calls, or wait for calls to end.',
  },
  LISTENERS_EXHAUSTED: {
    blame: 'ours',
    status: 503,
    todo: 'Have fewer calls wait for a spoken answer at once, or start more media workers.',
  },
  WORKER_LOST: {
    blame: 'ours',
    status: 503,
    todo: 'The calls of that worker were ended and their recordings kept; see the log for the cause.',
  },
  RENDER_FAILED: {
    blame: 'ours',
    status: 500,
    todo: 'Ask again; the recording itself is untouched. Report it if it stays.',
  },
  SPOOL_CORRUPT: {
    blame: 'ours',
    status: 500,
    todo: 'Keep the file and report it; everything before the named position is intact.',
  },
  SPOOL_KEY_MISSING: {
    blame: 'caller',
    status: 500,
    todo: 'Restore the master key file this recording was made with.',
  },
  // Prompts
  AUDIO_INVALID: {
    blame: 'caller',
    status: 400,
    todo: 'Give a WAV file with PCM, floating-point or G.711 audio, or an MP3 file.',
  },
  AUDIO_UNREACHABLE: {
    blame: 'destination',
    status: 502,
    todo: 'See that the URL itself (redirects are not followed) answers 200 with the whole file in time.',
  },
  AUDIO_EXHAUSTED: {
    blame: 'ours',
    status: 503,
    todo: 'Raise `playback.maxTotalBytes`, or play shorter files; one file for many calls counts once.',
  },
  AUDIO_TOO_LONG: {
    blame: 'caller',
    status: 413,
    todo: 'Give a shorter file; endless streams cannot be played.',
  },
  SPEECH_FAILED: {
    blame: 'destination',
    status: 502,
    todo: 'Check `speech.url` or `speech.command`: the named speech engine gave no audio.',
  },
  SPEECH_TEXT_TOO_LONG: {
    blame: 'caller',
    status: 400,
    todo: 'Divide the text over several commands.',
  },
  // Transcripts: UNAVAILABLE and ENGINE_LOST may go better another time, the others will not
  TRANSCRIPTION_LOCALE_UNSUPPORTED: {
    blame: 'caller',
    status: 422,
    todo: 'Ask for a language that the speech-to-text engine serves, or configure another engine.',
  },
  TRANSCRIPTION_UNAVAILABLE: {
    blame: 'destination',
    status: 503,
    todo: 'Nothing if it passes: it is tried again. Otherwise see that what is named answers.',
  },
  TRANSCRIPTION_REFUSED: {
    blame: 'destination',
    status: 502,
    todo: 'Correct what the speech-to-text server complains of: its address, its key or the name of the model.',
  },
  TRANSCRIPTION_ENGINE_LOST: {
    blame: 'ours',
    status: 503,
    todo: 'Nothing if it passes: it is tried again. Otherwise see that the machine has memory and time for it.',
  },
  TRANSCRIPTION_MODEL_BROKEN: {
    blame: 'caller',
    status: 500,
    todo: 'Give the files of a model that the engine reads; those it fetched itself can be deleted.',
  },
  // Destinations of recordings
  DESTINATION_INVALID: {
    blame: 'caller',
    status: 400,
    todo: 'Correct the named part of the destination; docs/destinations.md has every form.',
  },
  DESTINATION_FORBIDDEN: {
    blame: 'caller',
    status: 403,
    todo: 'Name a place that the operator of this server allows recordings to be written to.',
  },
  DESTINATION_REFUSED: {
    blame: 'destination',
    status: 502,
    todo: 'Correct what the storage complains of: the credentials, the right to write, or the name of the place.',
  },
  DESTINATION_UNAVAILABLE: {
    blame: 'destination',
    status: 503,
    todo: 'Nothing if it passes: it is tried again. Otherwise see that the storage answers and has room.',
  },
  DESTINATION_UPLOAD_LOST: {
    blame: 'destination',
    status: 502,
    todo: 'Nothing: the upload begins anew. See that nobody else aborts uploads or writes to the same name.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;

export interface ErrorDetails {
  /** Where it is wrong: a line, a field path, a header name, a byte position. Never a secret. */
  where?: string;
  cause?: unknown;
}

/** The only error class that crosses a folder border. `message` says what is wrong in this case. */
export class CallreelError extends Error {
  readonly code: ErrorCode;
  readonly blame: Blame;
  readonly status: number;
  readonly todo: string;
  readonly where: string | undefined;

  constructor(code: ErrorCode, message: string, { where, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    const entry = catalogue[code];
    this.name = 'CallreelError';
    this.code = code;
    this.blame = entry.blame;
    this.status = entry.status;
    this.todo = entry.todo;
    this.where = where;
  }

  /** The shape every API answer and log line uses. */
  toJSON(): { code: ErrorCode; message: string; where?: string; blame: Blame; todo: string } {
    return {
      code: this.code,
      message: this.message,
      ...(this.where === undefined ? {} : { where: this.where }),
      blame: this.blame,
      todo: this.todo,
    };
  }
}

/**
 * What was thrown, as one of ours: INTERNAL where it is none.
 * @param message for whom the error's own may not be meant: a stranger
 */
export function asCallreelError(error: unknown, message?: string): CallreelError {
  if (error instanceof CallreelError) return error;
  const own = error instanceof Error ? error.message : String(error);
  return new CallreelError('INTERNAL', message ?? own, { cause: error });
}

/** Exhaustiveness for unions: compiles only when every member was handled. */
export function assertNever(value: never, what: string): never {
  throw new TypeError(`unhandled ${what}: ${JSON.stringify(value)}`);
}
