import { CallreelError } from '../errors.ts';
import { parseSipUri } from '../sip/uri.ts';
import { normaliseNumber } from './e164.ts';
import type { Trunk } from './trunk.ts';

/** `+` and digits for numbers, `sip:` and a host name for SIP URIs; `+` and `sip:` alone stand for all of them. */
export interface DialPermission {
  prefix: string;
  allow: boolean;
}

export interface DialPlan {
  trunks: readonly Trunk[];
  permissions: readonly DialPermission[];
  /** Whose national numbers may be dialled as such. */
  country?: string | undefined;
}

export type OutboundRoute =
  /** Try the trunks in this order; at least one. */
  { kind: 'number'; number: string; trunks: Trunk[] } | { kind: 'sip-uri'; uri: string };

const maxShownLength = 200;

/**
 * How to reach a number or a SIP URI. Nothing may be dialled that no permission allows, and the longest permission
 * that fits decides. Of the trunks that reach a number, each by its longest prefix, the cheaper comes first, then
 * the one with the higher priority, then the one that names the number more closely, then by name.
 * @throws CallreelError NUMBER_INVALID, OUTBOUND_FORBIDDEN, NO_TRUNK
 */
export function routeOutbound(target: string, plan: DialPlan): OutboundRoute {
  if (/^sips?:/i.test(target)) return routeUri(target, plan);
  const number = normaliseNumber(target, plan.country);
  if (!isAllowed(plan.permissions, (prefix) => number.startsWith(prefix))) throw forbidden(number);
  const reaching = plan.trunks.flatMap((trunk) => {
    const route = longest(trunk.routes.filter(({ prefix }) => number.startsWith(prefix)));
    return route ? [{ trunk, route }] : [];
  });
  if (reaching.length === 0)
    throw new CallreelError('NO_TRUNK', 'no trunk reaches this number', { where: number });
  const trunks = reaching
    .toSorted(
      (a, b) =>
        a.route.cost - b.route.cost ||
        b.trunk.priority - a.trunk.priority ||
        b.route.prefix.length - a.route.prefix.length ||
        (a.trunk.name < b.trunk.name ? -1 : 1),
    )
    .map(({ trunk }) => trunk);
  return { kind: 'number', number, trunks };
}

function routeUri(uri: string, { permissions }: DialPlan): OutboundRoute {
  const parsed = parseSipUri(uri);
  // `maddr` and headers would lead the call to a host that nobody asked permission for.
  if (!parsed || parsed.parameters.has('maddr') || parsed.headers !== undefined)
    throw new CallreelError('NUMBER_INVALID', 'this is not a SIP URI that can be called', {
      where: uri.slice(0, maxShownLength),
    });
  const { host } = parsed;
  const fits = (prefix: string) => prefix === 'sip:' || prefix === `sip:${host}`;
  if (!isAllowed(permissions, fits)) throw forbidden(`sip:${host}`);
  return { kind: 'sip-uri', uri };
}

function isAllowed(permissions: readonly DialPermission[], fits: (prefix: string) => boolean): boolean {
  return longest(permissions.filter(({ prefix }) => fits(prefix)))?.allow ?? false;
}

function longest<Item extends { prefix: string }>(items: readonly Item[]): Item | undefined {
  return items.toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
}

function forbidden(where: string): CallreelError {
  return new CallreelError('OUTBOUND_FORBIDDEN', 'no dial permission allows to call this', { where });
}
