import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from './transport.ts';
import { StreamTransport, type StreamTransportOptions } from './transport-stream.ts';

/** SIP over TCP (RFC 3261 section 18). */
export class TcpTransport extends StreamTransport {
  readonly name = 'tcp';
  protected readonly readyEvent = 'connect';
  protected readonly server: Server;

  constructor(options: StreamTransportOptions) {
    super(options);
    this.server = createServer({ noDelay: true }, (socket) => {
      if (this.admit(socket)) this.established(socket);
    });
  }

  protected dial({ address, port }: Endpoint): Socket {
    return connect({ host: address, port, noDelay: true });
  }
}
