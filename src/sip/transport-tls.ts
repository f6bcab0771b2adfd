import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import {
  checkServerIdentity,
  connect,
  createServer,
  type PeerCertificate,
  type TLSSocket,
  type Server as TlsServer,
} from 'node:tls';
import type { Secret } from '../secret.ts';
import type { Endpoint } from './transport.ts';
import { StreamTransport, type StreamTransportOptions } from './transport-stream.ts';

/** A certificate with its chain, and the key to it; PEM. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: Secret;
}

export interface TlsOptions {
  readonly identity: TlsIdentity;
  /** Who may vouch for peers we call, PEM; the public authorities that Node knows when not given. */
  readonly ca?: string;
  /** False calls peers whose certificate proves nothing. */
  readonly verify?: boolean;
}

const handshakeMs = 8_000;
const minVersion = 'TLSv1.2';

/** SIP over TLS (RFC 3261 section 26, RFC 5922): who calls us needs no certificate, whom we call does. */
export class TlsTransport extends StreamTransport {
  readonly name = 'tls';
  protected readonly readyEvent = 'secureConnect';
  protected readonly server: Server;
  readonly #server: TlsServer;
  readonly #tls: TlsOptions;

  /** @throws Error for a certificate or a key that cannot be read or do not belong together */
  constructor(options: StreamTransportOptions, tls: TlsOptions) {
    super(options);
    this.#tls = tls;
    const { identity } = tls;
    this.#server = createServer(
      {
        cert: identity.cert,
        key: identity.key.reveal(),
        minVersion,
        noDelay: true,
        handshakeTimeout: handshakeMs,
      },
      (socket) => this.established(socket),
    );
    this.#server.on('connection', (socket: Socket) => this.admit(socket));
    // Scanners and broken handshakes: the socket is closed by then, and there is nobody to answer.
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.server = this.#server;
  }

  /** New connections are made with this certificate. @throws Error as the constructor */
  renew({ cert, key }: TlsIdentity): void {
    this.#server.setSecureContext({ cert, key: key.reveal(), minVersion });
  }

  protected dial(endpoint: Endpoint): Socket {
    const socket = connectTo(endpoint, this.#tls);
    socket.setNoDelay(true);
    return socket;
  }
}

/**
 * What is wrong with the certificate of a peer that could not be called: a code of OpenSSL or Node, as
 * `DEPTH_ZERO_SELF_SIGNED_CERT`. Undefined where nothing is, or where no handshake came about. Never rejects.
 */
export async function certificateFault(
  endpoint: Endpoint,
  { ca }: Pick<TlsOptions, 'ca'> = {},
): Promise<string | undefined> {
  const socket = connectTo({ ...endpoint, verify: false }, { ca });
  socket.setTimeout(handshakeMs, () => socket.destroy(new Error('no handshake')));
  try {
    await once(socket, 'secureConnect');
    // Types say Error; it is the error's code.
    return socket.authorized ? undefined : String(socket.authorizationError);
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

function connectTo(
  { address, port, serverName, verify }: Endpoint,
  tls: Pick<TlsOptions, 'ca' | 'verify'>,
): TLSSocket {
  return connect({
    host: address,
    port,
    ca: tls.ca,
    minVersion,
    rejectUnauthorized: verify ?? tls.verify ?? true,
    // SNI names hosts, never addresses (RFC 6066 section 3).
    servername: serverName ?? '',
    checkServerIdentity: (host, certificate) => checkIdentity(serverName ?? host, address, certificate),
  });
}

/**
 * RFC 5922 section 7.1: a `sip:` URI of exactly the domain, else a DNS name or an address. Wildcards are taken, as
 * carriers use them and HTTPS does, although section 7.2 forbids them.
 */
function checkIdentity(
  name: string | undefined,
  address: string,
  certificate: PeerCertificate,
): Error | undefined {
  const wanted = (name || address).toLowerCase();
  const alternatives = certificate.subjectaltname?.split(', ') ?? [];
  if (alternatives.some((entry) => entry.toLowerCase() === `uri:sip:${wanted}`)) return undefined;
  return checkServerIdentity(wanted, certificate);
}
