/**
 * One master key at work: turns packets into protected ones and back, in place (RFC 3711 section 3.1). Knows nothing
 * of order, replay and rollover. A packet that is not authentic stays as it was.
 */
export interface SrtpTransform {
  /** Whether the packet names this key; always where keys have no identifiers. */
  isMeant(packet: Uint8Array): boolean;
  /**
   * @param packet has room behind `bytes` for `maxSrtpOverheadBytes`
   * @param payloadOffset from here on it is encrypted
   * @returns the bytes of the protected packet
   */
  protectRtp(packet: Uint8Array, bytes: number, payloadOffset: number, roc: number): number;
  /** @returns the bytes of the plain packet, -1 when it is not authentic */
  unprotectRtp(packet: Uint8Array, payloadOffset: number, roc: number): number;
  /** @returns as `protectRtp` */
  protectRtcp(packet: Uint8Array, bytes: number, index: number): number;
  /** @returns as `unprotectRtp` */
  unprotectRtcp(packet: Uint8Array): number;
  /** The index of a protected RTCP packet, -1 when it is too short to have one. */
  rtcpIndex(packet: Uint8Array): number;
}

/** Answers of an attempt to open a packet, where it gave no bytes. */
export const notAuthentic = -1;
export const replayed = -2;
export const malformed = -3;

/** Where the payload of an RTP packet begins (RFC 3550 section 5.1), -1 for what is no RTP packet. */
export function rtpPayloadOffset(packet: Uint8Array): number {
  if (packet.length < 12 || packet[0]! >> 6 !== 2) return -1;
  let offset = 12 + 4 * (packet[0]! & 0x0f);
  if (packet[0]! & 0x10) {
    if (offset + 4 > packet.length) return -1;
    offset += 4 + 4 * ((packet[offset + 2]! << 8) | packet[offset + 3]!);
  }
  return offset > packet.length ? -1 : offset;
}
