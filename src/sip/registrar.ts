import type { Clock } from '../clock.ts';
import type { DigestServer } from './digest-server.ts';
import type { Binding, LocationStore } from './location-store.ts';
import { headerValue, headerValues, type SipRequest } from './message.ts';
import { type NameAddress, parseNameAddress } from './name-address.ts';
import { parseDecimal } from './scan.ts';
import type { SipHeader } from './session.ts';
import type { Endpoint } from './transport.ts';
import { decodeUser, parseSipUri } from './uri.ts';

export const registrarLimits = {
  minSeconds: 60,
  maxSeconds: 3600,
  contactsPerAddress: 10,
  pathHops: 8,
} as const;

const maxInstanceCharacters = 256;

export interface RegistrarOptions {
  clock: Clock;
  digest: DigestServer;
  store: LocationStore;
  /** Hosts we are registrar for, lower case; any when absent. */
  domains?: readonly string[];
  /** Stands for every host in an address: one user, by whatever name or address of ours the phone knows us. */
  canonicalHost?: string;
}

export interface RegistrarAnswer {
  status: number;
  reason?: string;
  headers: SipHeader[];
}

interface WantedBinding {
  contact: string;
  flowId: string | undefined;
  expiresSeconds: number;
  q: number;
}

/** Internal refusal; never leaves this file. */
class Refusal extends Error {
  readonly answer: RegistrarAnswer;
  constructor(status: number, reason?: string, headers: SipHeader[] = []) {
    super(reason);
    this.answer = { status, reason, headers };
  }
}

/** Binds addresses of record to the places their phones are at (RFC 3261 section 10.3). */
export class Registrar {
  readonly #options: RegistrarOptions;

  constructor(options: RegistrarOptions) {
    this.#options = options;
  }

  /** @param source where the request came from: the way back to a phone behind a NAT */
  async handle(request: SipRequest, source: Endpoint): Promise<RegistrarAnswer> {
    try {
      checkAddresses(request);
      const user = await this.#authenticate(request);
      const aor = this.#addressOfRecord(request, user);
      const bindings = await this.#bind(request, aor, source);
      return { status: 200, headers: [...this.#contactHeaders(bindings), ...extensionHeaders(request)] };
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      throw error;
    }
  }

  /** Live bindings of an address of record such as `sip:alice@example.com`, preferred ones first. */
  async lookup(aor: string): Promise<Binding[]> {
    const key = canonicalAor(aor, this.#options.canonicalHost);
    if (key === undefined) return [];
    const nowMs = this.#options.clock.unixMs();
    const live = (await this.#options.store.find(key)).filter(({ expiresUnixMs }) => expiresUnixMs > nowMs);
    return live.sort((a, b) => b.q - a.q || b.registeredUnixMs - a.registeredUnixMs);
  }

  async #authenticate(request: SipRequest): Promise<string> {
    const { digest } = this.#options;
    const verdict = await digest.verify(request);
    if (verdict.ok) return verdict.username;
    throw new Refusal(401, undefined, digest.challenges(verdict.stale));
  }

  /** Steps 4 and 5 of section 10.3: a user binds its own address only. */
  #addressOfRecord(request: SipRequest, username: string): string {
    const aor = canonicalAor(request.to.uri, this.#options.canonicalHost);
    const to = request.to.sipUri;
    const { domains } = this.#options;
    if (aor === undefined || to === undefined) throw new Refusal(404);
    if (domains !== undefined && !domains.includes(to.host)) throw new Refusal(404);
    if (decodeUser(to.user ?? '') !== username) throw new Refusal(403);
    return aor;
  }

  /** Steps 6 and 7: all of the request or nothing of it. */
  async #bind(request: SipRequest, aor: string, source: Endpoint): Promise<readonly Binding[]> {
    const nowMs = this.#options.clock.unixMs();
    const contacts = headerValues(request, 'contact');
    const clear = contacts.includes('*');
    if (clear && (contacts.length > 1 || headerValue(request, 'expires') !== '0')) throw new Refusal(400);
    const wanted = clear ? [] : contacts.map((value) => wantedBinding(value, request));
    const { callId, cseq } = request;
    const path = pathOf(request);
    return this.#options.store.update(aor, (stored) => {
      const live = stored.filter(({ expiresUnixMs }) => expiresUnixMs > nowMs);
      const touched = clear
        ? live
        : live.filter((old) => wanted.some((binding) => isSameBinding(binding, old)));
      if (touched.some((old) => old.callId === callId && old.sequence >= cseq.sequence))
        throw new Refusal(500, 'CSeq Out Of Order');
      const added = wanted
        .filter(({ expiresSeconds }) => expiresSeconds > 0)
        .map(
          ({ contact, flowId, expiresSeconds, q }): Binding => ({
            contact,
            source,
            path,
            flowId,
            expiresUnixMs: nowMs + expiresSeconds * 1000,
            registeredUnixMs: nowMs,
            q,
            callId,
            sequence: cseq.sequence,
          }),
        );
      const next = [...live.filter((old) => !touched.includes(old)), ...added];
      if (next.length > registrarLimits.contactsPerAddress) throw new Refusal(403, 'Too Many Contacts');
      return next;
    });
  }

  #contactHeaders(bindings: readonly Binding[]): SipHeader[] {
    const nowMs = this.#options.clock.unixMs();
    return bindings.map(({ contact, expiresUnixMs, flowId }) => {
      const seconds = Math.max(Math.round((expiresUnixMs - nowMs) / 1000), 0);
      return { name: 'Contact', value: `<${contact}>;expires=${seconds}${flowId ?? ''}` };
    });
  }
}

/** What nobody could register is refused before anyone is asked for a password. */
function checkAddresses(request: SipRequest): void {
  if (request.to.sipUri === undefined) throw new Refusal(400, 'To Is No SIP Address');
  for (const value of headerValues(request, 'contact')) {
    // RFC 3261 section 20.10: a URI with a question mark stands in brackets.
    const isOpen = !value.includes('<') && value.includes('?');
    const isAddress = value === '*' || parseNameAddress(value)?.sipUri !== undefined;
    if (isOpen || !isAddress) throw new Refusal(400, 'Malformed Contact');
  }
}

function wantedBinding(value: string, request: SipRequest): WantedBinding {
  const address = parseNameAddress(value);
  if (address?.sipUri === undefined) throw new Refusal(400, 'Malformed Contact');
  const q = Number(address.parameters.get('q') ?? '1');
  return {
    contact: address.uri,
    flowId: flowIdOf(address),
    expiresSeconds: expiryOf(address, request),
    q: q >= 0 && q <= 1 ? q : 1,
  };
}

/** RFC 5626 section 6: a phone that comes back from another port replaces what it was. */
function isSameBinding(wanted: WantedBinding, old: Binding): boolean {
  return wanted.contact === old.contact || (wanted.flowId !== undefined && wanted.flowId === old.flowId);
}

/** As it stands in a Contact; undefined for a phone that speaks no RFC 5626. */
function flowIdOf({ parameters }: NameAddress): string | undefined {
  const instance = parameters.get('+sip.instance');
  const flow = parseDecimal(parameters.get('reg-id') ?? '', 2 ** 31 - 1);
  if (!instance || instance.length > maxInstanceCharacters || !flow) return undefined;
  return `;+sip.instance=${instance};reg-id=${flow}`;
}

/** RFC 3327 section 5.3. */
function pathOf(request: SipRequest): string[] {
  const path = headerValues(request, 'path');
  const sound = path.every((value) => parseNameAddress(value)?.sipUri !== undefined);
  if (path.length > registrarLimits.pathHops || !sound) throw new Refusal(400, 'Malformed Path');
  return path;
}

/** The Path as it was kept (RFC 3327 section 5.3), and that a flow is kept as one (RFC 5626 section 6). */
function extensionHeaders(request: SipRequest): SipHeader[] {
  const headers = headerValues(request, 'path').map((value) => ({ name: 'Path', value }));
  const outbound = headerValues(request, 'supported').some((option) => option.toLowerCase() === 'outbound');
  const flows = headerValues(request, 'contact').some((value) => {
    const address = parseNameAddress(value);
    return address !== undefined && flowIdOf(address) !== undefined;
  });
  if (outbound && flows) headers.push({ name: 'Require', value: 'outbound' });
  return headers;
}

/** Section 10.3 step 7: a malformed value counts as absent; too short is refused, too long is cut. */
function expiryOf(address: NameAddress, request: SipRequest): number {
  const { minSeconds, maxSeconds } = registrarLimits;
  const text = address.parameters.get('expires') ?? headerValue(request, 'expires') ?? '';
  const asked = /^\d+$/.test(text) ? (parseDecimal(text, maxSeconds) ?? maxSeconds) : maxSeconds;
  if (asked > 0 && asked < minSeconds)
    throw new Refusal(423, undefined, [{ name: 'Min-Expires', value: String(minSeconds) }]);
  return asked;
}

/** `sip:user@host`: no parameters, no port, no password, host in lower case (section 10.3 step 5). */
export function canonicalAor(uri: string, host?: string): string | undefined {
  const parsed = parseSipUri(uri);
  return parsed?.user === undefined ? undefined : `sip:${decodeUser(parsed.user)}@${host ?? parsed.host}`;
}
