/**
 * The head of a WAV file with 16-bit PCM and one or two channels. `JUNK` keeps the place of the `ds64` chunk, so that
 * a file that grows past 4 GiB turns into RF64 (EBU Tech 3306) without moving a sample, and every head of as many
 * channels has the same length.
 */
export const wavHeaderBytes = 80;

/** More than two channels need WAVE_FORMAT_EXTENSIBLE, whose `fmt ` chunk is so much longer. */
const extensionBytes = 24;
const formatPcm = 1;
const formatExtensible = 0xfffe;
/** KSDATAFORMAT_SUBTYPE_PCM behind its first two bytes, which are the format's number. */
const subFormatTail = Uint8Array.of(0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71);

/** Sizes of a 32-bit RIFF end here; a data size of all ones means "to the end of the file". */
const maxUint32 = 0xffff_ffff;
const sizeFieldsEnd = 8;
const ds64PayloadBytes = 28;

export interface WavShape {
  rateHz: number;
  channels: number;
  /** Bytes of audio that follow; undefined while nobody knows (a stream that still grows). */
  dataBytes: number | undefined;
}

export function wavHeader({ rateHz, channels, dataBytes }: WavShape): Uint8Array {
  const isExtensible = channels > 2;
  const header = new Uint8Array(wavHeaderBytes + (isExtensible ? extensionBytes : 0));
  const view = new DataView(header.buffer);
  const riffBytes = dataBytes === undefined ? maxUint32 : header.length - sizeFieldsEnd + dataBytes;
  const isLarge = riffBytes > maxUint32;
  const frameBytes = channels * 2;

  writeTag(header, 0, isLarge ? 'RF64' : 'RIFF');
  view.setUint32(4, Math.min(riffBytes, maxUint32), true);
  writeTag(header, 8, 'WAVE');

  writeTag(header, 12, isLarge ? 'ds64' : 'JUNK');
  view.setUint32(16, ds64PayloadBytes, true);
  if (isLarge && dataBytes !== undefined) {
    view.setBigUint64(20, BigInt(riffBytes), true);
    view.setBigUint64(28, BigInt(dataBytes), true);
    view.setBigUint64(36, BigInt(Math.floor(dataBytes / frameBytes)), true);
  }

  writeTag(header, 48, 'fmt ');
  view.setUint32(52, 16 + (isExtensible ? extensionBytes : 0), true);
  view.setUint16(56, isExtensible ? formatExtensible : formatPcm, true);
  view.setUint16(58, channels, true);
  view.setUint32(60, rateHz, true);
  view.setUint32(64, rateHz * frameBytes, true);
  view.setUint16(68, frameBytes, true);
  view.setUint16(70, 16, true); // bits a sample

  if (isExtensible) {
    view.setUint16(72, extensionBytes - 2, true);
    view.setUint16(74, 16, true); // valid bits a sample
    view.setUint32(76, 0, true); // no loudspeaker is meant by any channel
    view.setUint16(80, formatPcm, true);
    header.set(subFormatTail, 82);
  }

  const dataAt = header.length - sizeFieldsEnd;
  writeTag(header, dataAt, 'data');
  view.setUint32(dataAt + 4, isLarge ? maxUint32 : Math.min(dataBytes ?? maxUint32, maxUint32), true);
  return header;
}

function writeTag(bytes: Uint8Array, offset: number, tag: string): void {
  for (let k = 0; k < 4; k += 1) bytes[offset + k] = tag.charCodeAt(k);
}
