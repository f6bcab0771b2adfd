import { isIP } from 'node:net';
import type { Config } from './config.ts';
import { advertisedHost, localPeers } from './sip/advertised-host.ts';
import { localHost } from './sip/local-host.ts';
import type { ListenAddress } from './sip/transport-layer.ts';

type SipConfig = Config['sip'];

const usualTlsPort = 5061;

/** Every socket that signalling listens on. */
export function listenAddresses(sip: SipConfig): ListenAddress[] {
  const interfaces = sip.interfaces ?? [{ host: sip.host, advertisedHost: sip.advertisedHost }];
  return interfaces.flatMap((entry) => {
    const { host, transports = sip.transports, port = sip.port } = { ...sip, ...entry };
    const tlsPort = entry.tlsPort ?? sip.tlsPort ?? (port === 0 ? 0 : usualTlsPort);
    return transports.map((transport) => ({
      transport,
      host,
      port: transport === 'tls' ? tlsPort : port,
      advertisedHost: entry.advertisedHost,
    }));
  });
}

/** The host that stands for this server in addresses of record. */
export function outsideHost(sip: SipConfig): string {
  const { host, advertisedHost: outside } = sip.interfaces?.[0] ?? sip;
  return outside ?? localHost(host, '');
}

/**
 * Where a peer is told to send its media: to our own address where it is near, else to what stands for the interface
 * that leads to it, else to `rtp.advertisedHost`.
 * @param config its `sip` and `rtp` sections
 */
export function mediaAddressFor({ sip, rtp }: Pick<Config, 'sip' | 'rtp'>): (peerAddress: string) => string {
  const isLocal = localPeers(sip.localNetworks);
  const { host } = rtp;
  return (peerAddress) => {
    const own = localHost(host, peerAddress);
    const entry = sip.interfaces?.find((one) => one.host === own);
    const outside = entry?.advertisedHost;
    const stands = outside !== undefined && isIP(outside) !== 0 ? outside : rtp.advertisedHost;
    return advertisedHost({ host, advertisedHost: stands }, peerAddress, isLocal);
  };
}
