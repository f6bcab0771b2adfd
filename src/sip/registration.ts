import { CallreelError } from '../errors.ts';
import { newId } from '../ids.ts';
import { initialSequence } from './dialog.ts';
import type { ClientCredentials } from './digest-client.ts';
import { DigestSession } from './digest-session.ts';
import { headerValue, headerValues, type SipResponse } from './message.ts';
import { parseNameAddress } from './name-address.ts';
import { parseDecimal } from './scan.ts';
import type { RequestDraft } from './serializer.ts';
import type { SessionContext } from './session-context.ts';
import type { Flow } from './transport.ts';
import { encodeUser } from './uri.ts';

export interface RegistrationOptions {
  /** Request-URI, such as `sip:127.0.0.1:5060`. */
  readonly registrar: string;
  /** Address of record, such as `sip:alice@example.com`. */
  readonly aor: string;
  readonly credentials?: ClientCredentials | undefined;
  /** User part of our Contact. */
  readonly contactUser: string;
}

export interface Registration {
  /** What the registrar granted. */
  readonly expiresSeconds: number;
  /** Our Contact URI. */
  readonly contact: string;
  /** Route of the calls that go out by this registrar (RFC 3608), as it stands in Route headers. */
  readonly serviceRoute: readonly string[];
}

/** More would be a registrar that plays with us. */
const maxAttempts = 4;
const maxServiceRoutes = 8;

/**
 * One contact of ours at one registrar: every REGISTER of it has the same Call-ID and the next CSeq (RFC 3261 section
 * 10.2.4), and carries the credentials of the last challenge.
 */
export class RegistrationClient {
  readonly #context: SessionContext;
  readonly #options: RegistrationOptions;
  readonly #flow: () => Promise<Flow>;
  readonly #callId = newId();
  readonly #tag = newId();
  readonly #digest: DigestSession;
  #sequence = initialSequence();

  /** @param flow finds the registrar anew for each registration: its address may have changed */
  constructor(context: SessionContext, options: RegistrationOptions, flow: () => Promise<Flow>) {
    this.#context = context;
    this.#options = options;
    this.#flow = flow;
    this.#digest = new DigestSession(options.credentials);
  }

  /**
   * Registers, with credentials when asked for them, and with a longer interval after a 423.
   * @param wantedSeconds 0 removes the binding
   * @throws CallreelError SIP_REFUSED with the status in `where`, SIP_UNREACHABLE
   */
  async register(wantedSeconds: number): Promise<Registration> {
    const flow = await this.#flow();
    const { contactUser } = this.#options;
    const contact = this.#context.contact(flow).replace(/<(sips?):/, `<$1:${encodeUser(contactUser)}@`);
    let expiresSeconds = wantedSeconds;
    let challenges = 0;
    for (let attempt = 1; ; attempt++) {
      const response = await exchange(this.#context, this.#draft(contact, expiresSeconds), flow);
      if (response.status < 300) return granted(response, contact, expiresSeconds);
      const challenge = this.#digest.challenged(response);
      // The first one may find an old nonce; after it only one that says that it is about the nonce.
      const answerable = challenge !== undefined && (++challenges === 1 || challenge.stale);
      const minimum = minimumOf(response);
      if (attempt >= maxAttempts || (!answerable && minimum === undefined)) throw refused(response);
      expiresSeconds = Math.max(expiresSeconds, minimum ?? 0);
    }
  }

  #draft(contact: string, expiresSeconds: number): RequestDraft {
    const { registrar, aor } = this.#options;
    const line = { method: 'REGISTER', uri: registrar };
    const authorization = this.#digest.authorize(line);
    const headers = [
      { name: 'From', value: `<${aor}>;tag=${this.#tag}` },
      { name: 'To', value: `<${aor}>` },
      { name: 'Call-ID', value: this.#callId },
      { name: 'CSeq', value: `${this.#sequence++} REGISTER` },
      { name: 'Contact', value: contact },
      { name: 'Expires', value: String(expiresSeconds) },
      ...(authorization ? [authorization] : []),
    ];
    return { ...line, headers };
  }
}

/** RFC 3261 section 10.2.8: only a 423 that names a longer interval is worth another try. */
function minimumOf(response: SipResponse): number | undefined {
  if (response.status !== 423) return undefined;
  return parseDecimal(headerValue(response, 'min-expires') ?? '', 2 ** 31);
}

function refused(response: SipResponse): CallreelError {
  const { status, reason } = response;
  return new CallreelError('SIP_REFUSED', `REGISTER was refused: ${status} ${reason}`, {
    where: String(status),
  });
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

function granted(response: SipResponse, contact: string, askedSeconds: number): Registration {
  const uri = parseNameAddress(contact)?.uri ?? contact;
  const serviceRoute = headerValues(response, 'service-route').slice(0, maxServiceRoutes);
  return { expiresSeconds: grantedSeconds(response, uri, askedSeconds), contact: uri, serviceRoute };
}

/** RFC 3261 section 10.2.4: the expiry stands at our Contact, else in Expires. */
function grantedSeconds(response: SipResponse, uri: string, askedSeconds: number): number {
  for (const value of headerValues(response, 'contact')) {
    const address = parseNameAddress(value);
    if (address?.uri !== uri) continue;
    const seconds = parseDecimal(address.parameters.get('expires') ?? '', 2 ** 31);
    if (seconds !== undefined) return seconds;
  }
  return parseDecimal(headerValue(response, 'expires') ?? '', 2 ** 31) ?? askedSeconds;
}
