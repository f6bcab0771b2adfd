import { decodeUlaw } from '../../src/codec/g711.ts';

export const packetSamples = 160;

/** Mu-law, the same each time: of each packet of each party another one, and never silence. */
export function wordsOf(party: number, packet: number): Uint8Array {
  const words = new Uint8Array(packetSamples);
  let state = (Math.imul(party + 1, 0x9e3779b1) ^ Math.imul(packet + 1, 0x85ebca6b)) >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const byte = state & 0xff;
    words[i] = (byte & 0x7f) === 0x7f ? byte ^ 1 : byte;
  }
  return words;
}

/** @returns what is wrong with the channel of a party that said so many packets without a pause; undefined: nothing */
export function wrongIn(channel: Int16Array, party: number, packets: number): string | undefined {
  const begin = channel.findIndex((sample) => sample !== 0);
  if (begin < 0) return 'it is silent';
  const end = channel.findLastIndex((sample) => sample !== 0) + 1;
  if (end - begin !== packets * packetSamples)
    return `${end - begin} samples were recorded of ${packets * packetSamples}`;
  const said = new Int16Array(packetSamples);
  for (let packet = 0; packet < packets; packet++) {
    decodeUlaw(wordsOf(party, packet), said);
    const at = begin + packet * packetSamples;
    if (said.some((sample, i) => sample !== channel[at + i])) return `packet ${packet} is another one`;
  }
  return undefined;
}
