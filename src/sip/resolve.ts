import { isIP } from 'node:net';
import { CallreelError } from '../errors.ts';
import type { Endpoint, TransportName } from './transport.ts';
import { parseSipUri } from './uri.ts';

/** Where a numeric URI points; undefined for names, foreign schemes and transports we do not speak. */
export function numericEndpoint(uri: string, transport?: TransportName): Endpoint | undefined {
  const parsed = parseSipUri(uri);
  if (parsed === undefined || parsed.scheme !== 'sip') return undefined;
  const named = parsed.parameters.get('transport')?.toLowerCase();
  if (named !== undefined && named !== 'udp' && named !== 'tcp') return undefined;
  const host = parsed.parameters.get('maddr') ?? parsed.host;
  const address = host === 'localhost' ? '127.0.0.1' : host;
  if (isIP(address) === 0) return undefined;
  return { transport: transport ?? named ?? 'udp', address, port: parsed.port ?? 5060 };
}

/**
 * Finds where to send a request (RFC 3263).
 * @throws CallreelError REQUEST_INVALID for a host that is no numeric address
 */
export async function resolve(uri: string, transport?: TransportName): Promise<Endpoint> {
  const endpoint = numericEndpoint(uri, transport);
  if (endpoint === undefined)
    throw new CallreelError('REQUEST_INVALID', 'the SIP URI must name a numeric address', { where: uri });
  return endpoint;
}
