/** Configurations from here on are CELT alone, which has no redundancy (RFC 6716 section 3.1). */
const firstCeltConfig = 16;
/** Frames of SILK in a packet's frame, by the last two bits of its configuration; those of hybrid ones are one. */
const silkFrames = [1, 1, 2, 3] as const;
const firstHybridConfig = 12;

/**
 * Whether an Opus packet holds the audio before it once more, for a decoder that lost that (RFC 6716 section 4.2.4):
 * the bits that say so stand unmixed at the beginning of its first frame, behind one for each SILK frame. Malformed
 * packets hold none.
 */
export function holdsRedundancy(payload: Uint8Array): boolean {
  const toc = payload[0];
  if (toc === undefined) return false;
  const config = toc >> 3;
  if (config >= firstCeltConfig) return false;
  const frame = payload[firstFrameAt(payload)];
  if (frame === undefined) return false;
  const frames = config < firstHybridConfig ? silkFrames[config & 3]! : 1;
  const isStereo = (toc & 4) !== 0;
  const middle = (frame >> (7 - frames)) & 1;
  const side = isStereo ? (frame >> (6 - 2 * frames)) & 1 : 0;
  return middle === 1 || side === 1;
}

/** RFC 6716 section 3.2. */
function firstFrameAt(payload: Uint8Array): number {
  const code = payload[0]! & 3;
  if (code < 2) return 1;
  if (code === 2) return 1 + lengthBytes(payload, 1);
  const count = payload[1] ?? 0;
  let at = 2;
  if ((count & 0x40) !== 0) {
    while (payload[at] === 255) at++;
    at++;
  }
  const isVariable = (count & 0x80) !== 0;
  for (let frame = 1; isVariable && frame < (count & 0x3f); frame++) at += lengthBytes(payload, at);
  return at;
}

function lengthBytes(payload: Uint8Array, at: number): number {
  return (payload[at] ?? 0) >= 252 ? 2 : 1;
}
