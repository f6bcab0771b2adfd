import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Logger } from './logger.ts';
import { DigestServer } from './sip/digest-server.ts';
import { MemoryLocationStore } from './sip/location-store.ts';
import { Registrar } from './sip/registrar.ts';
import type { SipSession } from './sip/session.ts';
import { UserAgent } from './sip/user-agent.ts';

const product = 'Callreel';

export interface SignallingOptions {
  clock: Clock;
  log: Logger;
  onInvite(session: SipSession): void;
}

export interface Signalling {
  userAgent: UserAgent;
  registrar: Registrar;
}

/** The SIP stack as the configuration wants it: listeners, and a registrar for the users it names. */
export function createSignalling(
  config: Config['sip'],
  { clock, log, onInvite }: SignallingOptions,
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
  const userAgent = new UserAgent({
    clock,
    log: (level, message, fields) => log[level](fields, message),
    listen: config.transports.map((transport) => ({ transport, host: config.host, port: config.port })),
    advertisedHost: config.advertisedHost,
    product,
    onInvite,
    registrar,
  });
  return { userAgent, registrar };
}
