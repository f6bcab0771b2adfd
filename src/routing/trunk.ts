import { openSecret } from '../auth/sealed-secret.ts';
import type { Trunk as TrunkRow } from '../database/schema.ts';
import type { Secret } from '../secret.ts';

/** What it costs to reach the numbers that begin with `prefix` (`+` alone: all). */
export interface TrunkRoute {
  prefix: string;
  cost: number;
}

/** A SIP peer that calls go out by and come in from. */
export interface Trunk {
  trunkId: string;
  name: string;
  host: string;
  port: number | undefined;
  transport: 'udp' | 'tcp';
  username: string | undefined;
  sealedPassword: string | undefined;
  /** Shown to the called party instead of the caller's own number. */
  fromNumber: string | undefined;
  routes: readonly TrunkRoute[];
  sourceNetworks: readonly string[];
}

export function trunkOf(row: TrunkRow): Trunk {
  return {
    ...row,
    port: row.port ?? undefined,
    username: row.username ?? undefined,
    sealedPassword: row.sealedPassword ?? undefined,
    fromNumber: row.fromNumber ?? undefined,
  };
}

/** What the sealed password is bound to. */
export function trunkSecretContext(trunkId: string): string {
  return `trunk ${trunkId}`;
}

/**
 * What to answer a challenge of the trunk with.
 * @throws CallreelError SPOOL_KEY_MISSING when the password was sealed by another master key
 */
export function trunkCredentials(
  { trunkId, username, sealedPassword }: Trunk,
  masterKey: Secret<Buffer>,
): { username: string; password: Secret } | undefined {
  if (username === undefined || sealedPassword === undefined) return undefined;
  return { username, password: openSecret(masterKey, trunkSecretContext(trunkId), sealedPassword) };
}

/** Where the trunk is asked for a number: `sip:+15558881188@sip.example.com:5062;transport=tcp`. */
export function trunkUri({ host, port, transport }: Trunk, number: string): string {
  const literal = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  const portPart = port === undefined ? '' : `:${port}`;
  return `sip:${number}@${literal}${portPart}${transport === 'tcp' ? ';transport=tcp' : ''}`;
}
