import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { initialSequence } from './dialog.ts';
import { answerChallenge } from './digest-client.ts';
import { headerValue, headerValues, type SipResponse } from './message.ts';
import { parseNameAddress } from './name-address.ts';
import { parseDecimal } from './scan.ts';
import type { RequestDraft } from './serializer.ts';
import type { SipHeader } from './session.ts';
import type { SessionContext } from './session-context.ts';
import type { Flow } from './transport.ts';
import { encodeUser } from './uri.ts';
import type { RegisterOptions } from './user-agent-options.ts';

export interface Registration {
  /** What the registrar granted. */
  readonly expiresSeconds: number;
  /** Our Contact URI. */
  readonly contact: string;
}

/**
 * Sends one REGISTER (RFC 3261 section 10.2), again with credentials when asked for them, and once more with a longer
 * interval after a 423.
 * @throws CallreelError SIP_REFUSED or SIP_UNREACHABLE
 */
export async function register(
  context: SessionContext,
  flow: Flow,
  options: RegisterOptions,
): Promise<Registration> {
  const contact = context.contact(flow).replace('<sip:', `<sip:${encodeUser(options.contactUser)}@`);
  const identity = { callId: newId(), tag: newId(), contact };
  let sequence = initialSequence();
  let { expiresSeconds } = options;
  let authorization: SipHeader | undefined;
  for (let attempt = 0; ; attempt++) {
    const draft = registerDraft(options, identity, { sequence: sequence++, expiresSeconds, authorization });
    const response = await exchange(context, draft, flow);
    if (response.status < 300) return { expiresSeconds: granted(response, contact, expiresSeconds), contact };
    const minimum = parseDecimal(headerValue(response, 'min-expires') ?? '', 2 ** 31);
    const answer =
      authorization === undefined ? answerChallenge(response, draft, options.credentials) : undefined;
    if (answer !== undefined) authorization = answer;
    else if (response.status === 423 && minimum !== undefined) {
      expiresSeconds = minimum;
      authorization = undefined;
    } else throw refused(response);
    if (attempt >= 3) throw refused(response);
  }
}

function refused(response: SipResponse): CallreelError {
  const { status, reason } = response;
  return new CallreelError('SIP_REFUSED', `REGISTER was refused: ${status} ${reason}`, {
    where: String(status),
  });
}

function registerDraft(
  options: RegisterOptions,
  identity: { callId: string; tag: string; contact: string },
  attempt: { sequence: number; expiresSeconds: number; authorization: SipHeader | undefined },
): RequestDraft {
  return {
    method: 'REGISTER',
    uri: options.registrar,
    headers: [
      { name: 'From', value: `<${options.aor}>;tag=${identity.tag}` },
      { name: 'To', value: `<${options.aor}>` },
      { name: 'Call-ID', value: identity.callId },
      { name: 'CSeq', value: `${attempt.sequence} REGISTER` },
      { name: 'Contact', value: identity.contact },
      { name: 'Expires', value: String(attempt.expiresSeconds) },
      ...(attempt.authorization ? [attempt.authorization] : []),
    ],
  };
}

function exchange(context: SessionContext, draft: RequestDraft, flow: Flow): Promise<SipResponse> {
  return new Promise((resolve, reject) => {
    context.request(draft, flow, {
      response: (response) => {
        if (response.status >= 200) resolve(response);
      },
      failed: (cause) =>
        reject(
          new CallreelError('SIP_UNREACHABLE', `REGISTER got no answer (${cause})`, { where: draft.uri }),
        ),
    });
  });
}

/** RFC 3261 section 10.2.4: the expiry stands at our Contact, else in Expires. */
function granted(response: SipResponse, contact: string, asked: number): number {
  const uri = parseNameAddress(contact)?.uri;
  for (const value of headerValues(response, 'contact')) {
    const address = parseNameAddress(value);
    if (address?.uri !== uri) continue;
    const seconds = parseDecimal(address?.parameters.get('expires') ?? '', 2 ** 31);
    if (seconds !== undefined) return seconds;
  }
  return parseDecimal(headerValue(response, 'expires') ?? '', 2 ** 31) ?? asked;
}
