import type { FastifyError, FastifyInstance } from 'fastify';
import { CallreelError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';

/** Where the vendor explains its codes. */
const codesUrl = 'https://signalwire.com/docs/apis/error-codes';

/** The two forms in which the vendor says what is wrong with a request: of the calling API, of the REST of RELAY. */
export type ErrorForm = 'calling' | 'relay-rest';

interface Refusal {
  message: string;
  attribute: string | undefined;
  isMissing: boolean;
}

const plain: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  410: 'Not Found',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};

/** Errors of these routes as the vendor's clients know them: 401 and 404 by one word, what is wrong in a list. */
export function vendorErrors(app: FastifyInstance, form: ErrorForm, log: Logger): void {
  app.setErrorHandler<FastifyError>((cause, request, reply) => {
    const { status, refusal } = classify(cause);
    if (status >= 500) log.error({ error: cause, path: request.routeOptions.url }, 'a request failed');
    if (status === 401) void reply.header('www-authenticate', 'Basic realm="callreel"');
    if (refusal === undefined) return reply.code(status).send({ error: plain[status] ?? 'Error' });
    return reply
      .code(422)
      .send({ errors: [form === 'calling' ? callingError(refusal) : restError(refusal)] });
  });
}

interface Classified {
  status: number;
  refusal?: Refusal;
}

function classify(cause: FastifyError): Classified {
  if (cause instanceof CallreelError) return classifyOurs(cause);
  if (cause.validation) {
    const [first] = cause.validation;
    const path = (first?.instancePath ?? '').split('/').filter(Boolean);
    const attribute = (path[0] === 'params' ? path.slice(1) : path).join('.') || undefined;
    return { status: 422, refusal: refusalOf(first?.message ?? cause.message, attribute) };
  }
  if ((cause.statusCode ?? 500) < 500) return { status: 422, refusal: refusalOf(cause.message) };
  return { status: 500 };
}

function classifyOurs({ code, status, blame, message, where = '' }: CallreelError): Classified {
  if (code === 'LINK_INVALID' || code === 'LINK_EXPIRED') return { status: 403 };
  if (status === 401) return { status };
  // Gone, or erased: the vendor's objects are not there any more.
  if (status === 404 || status === 410) return { status: 404 };
  // What another server refused is told as what is wrong with the request: its URL or its number.
  if (blame === 'destination') return { status: 422, refusal: refusalOf(message) };
  if (status >= 500) return { status };
  const [, attribute, place] = /^body\.(?:params\.)?(\S+)(?: (.+))?$/.exec(where) ?? [];
  return { status: 422, refusal: refusalOf(place ? `${message} (${place})` : message, attribute) };
}

function refusalOf(message: string, attribute?: string): Refusal {
  const isMissing = / received undefined$| is required$/.test(message);
  return { message: isMissing ? 'is required' : message, attribute, isMissing };
}

function callingError({ message, attribute, isMissing }: Refusal): Record<string, unknown> {
  return {
    type: 'validation_error',
    code: isMissing ? 'missing_required_parameter' : 'invalid_parameter',
    message,
    attribute: attribute ?? null,
    url: codesUrl,
  };
}

function restError({ message, attribute }: Refusal): Record<string, unknown> {
  return {
    detail: attribute === undefined ? message : `${attribute}: ${message}`,
    status: '422',
    title: 'Invalid Attribute',
    code: '422',
  };
}
