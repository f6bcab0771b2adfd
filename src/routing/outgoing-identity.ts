import { quote } from '../sip/scan.ts';
import type { SipHeader } from '../sip/session.ts';
import { encodeUser } from '../sip/uri.ts';
import { formatNumber } from './number-format.ts';
import type { Trunk } from './trunk.ts';

/** Whom the called party is to see. */
export interface Caller {
  /** E.164 number, user part or SIP URI. */
  party: string;
  displayName?: string | undefined;
  /** Keeps the number from the called party. */
  anonymous?: boolean | undefined;
}

/** RFC 3323 section 4.1.1.3. */
export const anonymousFrom = '"Anonymous" <sip:anonymous@anonymous.invalid>';

const isUri = (text: string) => /^sips?:/i.test(text);

/** Without a trunk: the party as it is, at our host. */
export function directFrom({ party, displayName, anonymous }: Caller, host: string): string {
  if (anonymous === true || party === 'anonymous') return anonymousFrom;
  return named(displayName, isUri(party) ? party : `sip:${encodeUser(party)}@${bracketed(host)}`);
}

/**
 * From and the identity headers of a call that goes out by a trunk. A caller that is to stay unknown is asserted to the
 * trunk all the same, with the wish that it keep it to itself (RFC 3325, sections 9.1 and 9.3).
 */
export function trunkIdentity(trunk: Trunk, caller: Caller): { from: string; headers: SipHeader[] } {
  const { fromNumber, host, options } = trunk;
  const { fromUser, fromDomain = host, callerId = 'from', privacy = 'asked' } = options;
  const party = fromNumber ?? caller.party;
  const unknown = party === 'anonymous';
  const hidden = privacy === 'always' || (privacy === 'asked' && (caller.anonymous === true || unknown));
  const domain = bracketed(fromDomain);
  const own = isUri(party) ? party : `sip:${encodeUser(inTrunkForm(trunk, party))}@${domain}`;
  const asserted = named(caller.displayName, own);
  const shown =
    fromUser === undefined ? asserted : named(caller.displayName, `sip:${encodeUser(fromUser)}@${domain}`);
  const headers: SipHeader[] = [];
  if (callerId === 'remote-party-id' && !unknown)
    headers.push({
      name: 'Remote-Party-ID',
      value: `${asserted};party=calling;screen=yes;privacy=${hidden ? 'full' : 'off'}`,
    });
  else if ((callerId === 'p-asserted-identity' || hidden) && !unknown)
    headers.push({ name: 'P-Asserted-Identity', value: asserted });
  if (hidden) headers.push({ name: 'Privacy', value: 'id' });
  return { from: hidden || unknown ? anonymousFrom : shown, headers };
}

function inTrunkForm({ options }: Trunk, number: string): string {
  const { numberForm = 'plus', country } = options;
  return formatNumber(number, { form: numberForm, country });
}

function named(displayName: string | undefined, uri: string): string {
  return displayName === undefined || displayName === '' ? `<${uri}>` : `${quote(displayName)} <${uri}>`;
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
