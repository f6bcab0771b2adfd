import type { Foundation } from './foundation.ts';
import { contactUserOf, registrarUri, type Trunk, trunkAor, trunkCredentials } from './routing/trunk.ts';
import { TrunkRegistrations } from './routing/trunk-registrations.ts';
import type { KeepRegisteredOptions, UserAgent } from './sip/user-agent.ts';

/** Brings trunks and the SIP stack together: who is registered where. */
export function trunkRegistrations(
  { clock, log, credentials, dialPlans, masterKey }: Foundation,
  userAgent: UserAgent,
): TrunkRegistrations {
  return new TrunkRegistrations({
    clock,
    log,
    list: () => dialPlans.trunks(credentials.accountId),
    keep: (trunk, changed) =>
      userAgent.keepRegistered({
        ...registration(trunk),
        credentials: trunkCredentials(trunk, masterKey),
        changed,
      }),
  });
}

function registration(trunk: Trunk): KeepRegisteredOptions {
  return {
    registrar: registrarUri(trunk),
    aor: trunkAor(trunk),
    contactUser: contactUserOf(trunk),
    ...trunkWay(trunk),
  };
}

/** How every request of the trunk goes out. */
export function trunkWay({ transport, outboundProxy, options }: Trunk) {
  return {
    transport,
    ...(outboundProxy && { nextHop: { address: outboundProxy.host, port: outboundProxy.port } }),
    ...(options.tlsVerify === undefined ? {} : { tlsVerify: options.tlsVerify }),
  };
}
