import { createHash } from 'node:crypto';

/** The names that the vendor's bodies carry, the same for as long as the account is. */
export interface SignalwireIdentity {
  /** Our account. */
  projectId: string;
  spaceId: string;
  /** This installation's node. */
  nodeId: string;
}

export function identityOf(accountId: string, node: string): SignalwireIdentity {
  return {
    projectId: accountId,
    spaceId: uuidOf(`space ${accountId}`),
    nodeId: `${uuidOf(`node ${accountId} ${node}`)}@${node}`,
  };
}

/** RFC 9562 version 8, of the text alone. */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(`callreel signalwire ${text}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x80;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
