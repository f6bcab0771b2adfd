import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { listenAddresses } from './listen-addresses.ts';
import type { Logger } from './logger.ts';
import { DigestServer } from './sip/digest-server.ts';
import { Networks } from './sip/ip-address.ts';
import { MemoryLocationStore } from './sip/location-store.ts';
import type { MessageTap } from './sip/message-tap.ts';
import { DnsResolver } from './sip/name-resolver.ts';
import { Registrar } from './sip/registrar.ts';
import type { CallAdmission } from './sip/request-server.ts';
import type { SipSession } from './sip/session.ts';
import { standardSessionTimer } from './sip/session-expires.ts';
import { UserAgent } from './sip/user-agent.ts';
import { loadTls, watchIdentity } from './sip-certificate.ts';

const product = 'Callreel';

export interface SignallingOptions {
  clock: Clock;
  log: Logger;
  onInvite(session: SipSession): void;
  tap?: MessageTap;
  admission: CallAdmission;
}

export interface Signalling {
  userAgent: UserAgent;
  registrar: Registrar;
  /** Ends what the stack does beside calls; after its own `close`. */
  close(): void;
}

/**
 * The SIP stack as the configuration wants it: listeners, and a registrar for the users it names.
 * @throws CallreelError CONFIG_INVALID for a certificate that cannot be used
 */
export function createSignalling(
  { dataDir, sip: config }: Pick<Config, 'dataDir' | 'sip'>,
  { clock, log, onInvite, tap, admission }: SignallingOptions,
): Signalling {
  const passwords = new Map(config.users.map(({ username, password }) => [username, password]));
  const digest = new DigestServer({
    clock,
    realm: config.realm,
    algorithms: config.digestAlgorithms,
    password: (username) => passwords.get(username),
  });
  const registrar = new Registrar({
    clock,
    digest,
    store: new MemoryLocationStore(),
    canonicalHost: config.realm,
  });
  const listen = listenAddresses(config);
  const secure = listen.some(({ transport }) => transport === 'tls');
  const trusted = new Networks(config.limits.trusted);
  const userAgent = new UserAgent({
    clock,
    log: (level, message, fields) => log[level](fields, message),
    listen,
    localNetworks: config.localNetworks,
    tls: secure ? loadTls({ dataDir, sip: config }, clock) : undefined,
    resolver: new DnsResolver({ clock, servers: config.dnsServers }),
    limits: config.limits,
    trusted: (address) => trusted.has(address),
    product,
    sessionTimer: { ...standardSessionTimer, expiresSeconds: config.sessionExpiresSeconds },
    onInvite,
    admission,
    tap,
    registrar,
  });
  const close = secure
    ? watchIdentity(config.tls, { clock, log }, (identity) => userAgent.renew(identity))
    : () => {};
  return { userAgent, registrar, close };
}
