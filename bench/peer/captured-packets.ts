/** A pcap file's own header, and that of each packet (pcap-savefile(5)). */
const fileHeaderBytes = 24;
const packetHeaderBytes = 16;
const lengthOffset = 8;
const magic = 0xa1b2c3d4;

/** @throws Error where it is no whole pcap file of this machine's order of bytes */
export function countCaptured(pcap: Buffer): number {
  if (pcap.length < fileHeaderBytes || pcap.readUInt32LE(0) !== magic)
    throw new Error('this is no pcap file');
  let packets = 0;
  let at = fileHeaderBytes;
  for (; at + packetHeaderBytes <= pcap.length; packets++)
    at += packetHeaderBytes + pcap.readUInt32LE(at + lengthOffset);
  if (at !== pcap.length) throw new Error('the pcap file ends within a packet');
  return packets;
}
