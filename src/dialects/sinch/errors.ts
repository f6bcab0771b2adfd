import type { CallreelError } from '../../errors.ts';

/** The vendor's codes of what a request, or an answer to a callback, may get wrong. */
export const sinchErrorCodes = [40001, 40002, 40003, 40108, 40301, 40400, 50000] as const;
export type SinchErrorCode = (typeof sinchErrorCodes)[number];

interface CatalogueEntry {
  /** Of HTTP. */
  readonly status: number;
  readonly message: string;
  readonly todo: string;
}

export const sinchCatalogue: Readonly<Record<SinchErrorCode, CatalogueEntry>> = {
  40001: { status: 400, message: 'Parameter validation failed', todo: 'Correct the value.' },
  40002: { status: 400, message: 'Missing parameter', todo: 'Add the parameter.' },
  40003: {
    status: 400,
    message: 'Invalid request',
    todo: 'Leave it out, or use what docs/dialects/sinch.md lists.',
  },
  40108: {
    status: 401,
    message: 'Invalid credentials',
    todo: 'Send the key and the secret of an application, as Basic or signed.',
  },
  40301: {
    status: 403,
    message: 'Invalid authorization scheme',
    todo: 'Use the scheme "Application" with a signature, or Basic.',
  },
  40400: {
    status: 404,
    message: 'Resource not found',
    todo: 'Check the identifier; the call may have ended long ago.',
  },
  50000: {
    status: 500,
    message: 'Internal error',
    todo: 'Report it with the log lines of that moment.',
  },
};

/** What the vendor's clients read from an answer that is not 2xx. */
export interface SinchErrorBody {
  errorCode: SinchErrorCode;
  message: string;
  /** Finds the request in the log. */
  reference: string;
}

/** A request that is refused, in the vendor's terms. It stays within this folder. */
export class SinchError extends Error {
  readonly code: SinchErrorCode;
  /** Of HTTP. */
  readonly status: number;

  constructor(code: SinchErrorCode, message?: string, status: number = sinchCatalogue[code].status) {
    super(message ?? sinchCatalogue[code].message);
    this.name = 'SinchError';
    this.code = code;
    this.status = status;
  }

  body(reference: string): SinchErrorBody {
    return { errorCode: this.code, message: this.message, reference };
  }
}

/**
 * An error of ours as the vendor would tell it; of our own faults nothing but that there was one, or that it may be over
 * soon: of that the vendor has a status of HTTP alone.
 */
export function sinchErrorOf({ status, blame, message, where = '' }: CallreelError): SinchError {
  if (status === 401) return new SinchError(40108);
  if (status === 403) return new SinchError(40301, message);
  if (status === 404 || status === 410) return new SinchError(40400, message);
  if (blame === 'ours')
    return status === 503 ? new SinchError(50000, 'Service unavailable', status) : new SinchError(50000);
  const parameter = where.replace(/^body\.?/, '');
  if (/ received undefined$| is required$/.test(message))
    return new SinchError(40002, `Missing parameter: ${parameter || 'body'}`);
  if (status === 409) return new SinchError(40003, message);
  return new SinchError(40001, parameter === '' ? message : `${parameter}: ${message}`);
}
