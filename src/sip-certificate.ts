import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { keptSecret } from './auth/kept-secret.ts';
import type { Clock, Timer } from './clock.ts';
import type { Config } from './config.ts';
import { CallreelError } from './errors.ts';
import { listenAddresses } from './listen-addresses.ts';
import type { Logger } from './logger.ts';
import { Secret } from './secret.ts';
import { isWildcard } from './sip/ip-address.ts';
import { makeSelfSigned } from './sip/self-signed.ts';
import type { TlsIdentity, TlsOptions } from './sip/transport-tls.ts';

const selfSignedFile = 'sip-tls.pem';
const lookAgainMs = 30_000;

type TlsConfig = Config['sip']['tls'];

/**
 * The certificate that SIP over TLS shows, and who may vouch for others: the operator's files, or one made at the first
 * start and kept in the data directory.
 * @throws CallreelError CONFIG_INVALID
 */
export function loadTls(config: Pick<Config, 'dataDir' | 'sip'>, clock: Clock): TlsOptions {
  const { caFile, verify } = config.sip.tls;
  return {
    identity: readIdentity(config.sip.tls) ?? selfSigned(config, clock),
    ca: caFile === undefined ? undefined : readPem(caFile, 'sip.tls.caFile'),
    verify,
  };
}

/**
 * What the operator's files hold; undefined without them.
 * @throws CallreelError CONFIG_INVALID for what is no certificate and its key
 */
export function readIdentity({ certFile, keyFile }: TlsConfig): TlsIdentity | undefined {
  if (certFile === undefined || keyFile === undefined) return undefined;
  const cert = readPem(certFile, 'sip.tls.certFile');
  const key = new Secret(readPem(keyFile, 'sip.tls.keyFile'));
  try {
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key.reveal()))) return { cert, key };
  } catch (cause) {
    throw new CallreelError('CONFIG_INVALID', `${certFile} or ${keyFile} is no PEM that can be read`, {
      where: 'sip.tls.certFile',
      cause,
    });
  }
  throw new CallreelError('CONFIG_INVALID', `${keyFile} is not the key of ${certFile}`, {
    where: 'sip.tls.keyFile',
  });
}

/** Looks at the operator's files now and then, and tells of a new certificate. @returns ends that */
export function watchIdentity(
  tls: TlsConfig,
  { clock, log }: { clock: Clock; log: Logger },
  renew: (identity: TlsIdentity) => void,
): () => void {
  let known = safely(() => readIdentity(tls)?.cert);
  let complained = false;
  let timer: Timer;
  const look = () => {
    try {
      const found = readIdentity(tls);
      if (found !== undefined && found.cert !== known) {
        renew(found);
        known = found.cert;
        log.info({ certFile: tls.certFile }, 'SIP over TLS shows a new certificate');
      }
      complained = false;
    } catch (error) {
      // Certificate and key are two files: whoever replaces them may be between the two.
      if (!complained) log.warn({ error }, 'the new certificate for SIP cannot be used; the old one stays');
      complained = true;
    }
    timer = clock.after(lookAgainMs, look);
  };
  if (tls.certFile === undefined) return () => {};
  timer = clock.after(lookAgainMs, look);
  return () => timer.cancel();
}

function selfSigned(config: Pick<Config, 'dataDir' | 'sip'>, clock: Clock): TlsIdentity {
  const pem = keptSecret(config.dataDir, selfSignedFile, () => {
    const { cert, key } = makeSelfSigned(namesOf(config.sip), new Date(clock.unixMs()));
    return cert + key;
  }).reveal();
  const keyStart = pem.indexOf('-----BEGIN PRIVATE KEY-----');
  return { cert: pem.slice(0, keyStart), key: new Secret(pem.slice(keyStart)) };
}

/** What peers may call us by; the first is the one that people read. */
function namesOf(sip: Config['sip']): string[] {
  const hosts = listenAddresses(sip).flatMap(({ host, advertisedHost }) => [advertisedHost, host]);
  const known = hosts.filter((host): host is string => host !== undefined && !isWildcard(host));
  return [...new Set([hostname() || 'callreel', ...known, 'localhost', '127.0.0.1', '::1'])];
}

function readPem(file: string, where: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CallreelError('CONFIG_INVALID', `${file} cannot be read`, { where, cause });
  }
}

function safely<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
