import { writeUint32 } from '../big-endian.ts';
import type { Decoder } from '../codec/codec.ts';
import { type LawTables, lawTables } from '../codec/g711.ts';
import { rtpHeaderBytes } from '../rtp/packet.ts';
import type { SequenceNumber } from '../rtp/sequence.ts';
import type { TransportPort } from '../rtp/transport.ts';
import type { NegotiatedCodec } from './control.ts';
import type { LentFrames } from './jitter-buffer.ts';
import type { LegOutput } from './leg-output.ts';
import { heldPackets } from './loss-concealment.ts';
import { keptPayloads, PayloadRows, slotPayloadBytes } from './payload-rows.ts';
import type { Playout } from './playout.ts';
import type { ReceiveFormat } from './receive-formats.ts';
import type { MixParty, RoomMix } from './room-mix.ts';

/** Of all legs. */
const rows = new PayloadRows();
/** Those that were taken last are needed once the jitter buffer has them back. */
const mostWaiting = keptPayloads - heldPackets;
const packetBytes = rtpHeaderBytes + slotPayloadBytes;
const slotTicks = slotPayloadBytes;
/** Four bytes that are decoded to 0, but for their sign; the A-law has none. */
const ulawZeros = { word: -1, bits: 0x7f7f7f7f };
const sentHeader = { marker: false, payloadType: 0, sequenceNumber: 0, timestamp: 0, ssrc: 0 };

/**
 * What a leg of G.711 brings to a mix and is sent of it, as long as each slot is a packet that goes on with the one
 * before, in and out: payloads wait here, are added to the sum from where they lie, and what is left without them is
 * encoded into the packet that is sent. Jitter buffer and sender are told afterwards.
 */
export class MixedPath implements LentFrames {
  isOpen = false;
  /** What it brings and takes is one payload, as these have it. */
  #said: LawTables = lawTables.ulaw;
  #sent: LawTables = lawTables.ulaw;
  #row = 0;
  /** Of those that came, those that were taken and all. */
  packets = 0;
  frames = 0;
  total = 0;
  minAhead = 0;
  maxAhead = 0;
  /** How many more may be taken. */
  #framesLeft = 0;
  #port: TransportPort | undefined;
  #address = '';
  #remotePort = 0;
  #payloadType = 0;
  /** Of the next packet; time and SSRC as signed numbers. */
  #sequenceNumber = 0;
  #time = 0;
  #ssrc = 0;
  #isHeard = false;
  /** What it said in this slot is silence. */
  #isSilent = false;
  /** Slots that the sender was not told of. */
  #untold = 0;
  #decoder: Decoder | undefined;
  readonly #playout: Playout;
  readonly #output: LegOutput;

  constructor(playout: Playout, output: LegOutput) {
    this.#playout = playout;
    this.#output = output;
  }

  /** @param last the newest packet @returns whether what goes on from here may be taken */
  open({ decoder, ...format }: ReceiveFormat, last: SequenceNumber): boolean {
    const said = tablesOf(format);
    const ahead = this.#output.slotsAhead();
    const sent = ahead && tablesOf(ahead.format);
    if (!decoder || !said || !ahead || !sent) return false;
    this.#row = rows.takeRow();
    this.packets = this.frames = this.total = this.minAhead = this.maxAhead = this.#untold = 0;
    this.#framesLeft = this.#playout.lend({ ...format, decoder }, last, mostWaiting, (payload) =>
      rows.bytes.set(payload, rows.placeOf(this.#row, this.total++)),
    );
    this.#isHeard = this.#output.heard !== undefined;
    this.#decoder = decoder;
    this.#said = said;
    this.#sent = sent;
    this.#port = ahead.port;
    this.#address = ahead.address;
    this.#remotePort = ahead.remotePort;
    this.#payloadType = ahead.payloadType;
    this.#sequenceNumber = ahead.sequenceNumber;
    this.#time = ahead.timestamp | 0;
    this.#ssrc = ahead.ssrc | 0;
    this.isOpen = this.#framesLeft > 0;
    if (!this.isOpen) rows.giveBack(this.#row);
    return this.isOpen;
  }

  /** There is a place for a packet. */
  get takes(): boolean {
    return this.total - this.frames < mostWaiting;
  }

  /** A datagram that goes on with the last one. */
  put(datagram: Uint8Array): void {
    const ahead = this.total - this.frames;
    if (this.packets === 0 || ahead < this.minAhead) this.minAhead = ahead;
    if (this.packets === 0 || ahead > this.maxAhead) this.maxAhead = ahead;
    rows.bytes.set(datagram, rows.placeOf(this.#row, this.total) - rtpHeaderBytes);
    this.packets++;
    this.total++;
  }

  /** Adds what the leg says in the next slot. @returns false: it is to be had the long way, behind `close` */
  addTo(mix: RoomMix, party: MixParty): boolean {
    if (this.frames === this.total || this.#framesLeft === 0) return false;
    const at = rows.placeOf(this.#row, this.frames);
    this.#isSilent = this.#said === lawTables.ulaw && rows.holdsOnly(ulawZeros.word, ulawZeros.bits, at);
    if (this.#isSilent) mix.addSilence(party);
    else mix.addEncoded(party, this.#said, rows.bytes, at);
    this.frames++;
    this.#framesLeft--;
    return true;
  }

  /** Sends what the leg hears in the slot that it was added to. */
  send(mix: RoomMix): void {
    const port = this.#port!;
    const out = port.reserve(packetBytes);
    const sequenceNumber = this.#sequenceNumber;
    out[0] = 0x80;
    out[1] = this.#payloadType;
    out[2] = sequenceNumber >>> 8;
    out[3] = sequenceNumber;
    writeUint32(out, 4, this.#time);
    writeUint32(out, 8, this.#ssrc);
    const at = rows.placeOf(this.#row, this.frames - 1);
    if (this.#isSilent) out.set(mix.encodedForSilent(this.#sent), rtpHeaderBytes);
    else mix.encodeFor(this.#said, rows.bytes, at, this.#sent, out, rtpHeaderBytes);
    port.commit(packetBytes, this.#address, this.#remotePort);
    if (this.#isHeard) this.#tellHeard(out);
    this.#sequenceNumber = (sequenceNumber + 1) & 0xffff;
    this.#time = (this.#time + slotTicks) | 0;
    this.#untold++;
  }

  /** What the leg hears is recorded. */
  #tellHeard(datagram: Uint8Array): void {
    sentHeader.payloadType = this.#payloadType;
    sentHeader.sequenceNumber = this.#sequenceNumber;
    sentHeader.timestamp = this.#time >>> 0;
    sentHeader.ssrc = this.#ssrc >>> 0;
    this.#output.slotSent(sentHeader, datagram.subarray(rtpHeaderBytes, packetBytes));
  }

  /** Tells of what was sent. */
  tell(): void {
    if (this.#untold > 0) this.#output.slotsWentOn(this.#untold, slotPayloadBytes);
    this.#untold = 0;
  }

  /** Behind `tell`. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#playout.takeBack(this);
    rows.giveBack(this.#row);
    this.#port = undefined;
  }

  get decoder(): Decoder {
    return this.#decoder!;
  }

  payload(index: number): Uint8Array {
    const at = rows.placeOf(this.#row, index);
    return rows.bytes.subarray(at, at + slotPayloadBytes);
  }
}

/** Undefined for what is not G.711 with a byte for each sample at 8 kHz. */
function tablesOf({
  codec,
  clockRateHz,
}: Pick<NegotiatedCodec, 'codec' | 'clockRateHz'>): LawTables | undefined {
  if (clockRateHz !== 8000) return undefined;
  return codec === 'PCMU' ? lawTables.ulaw : codec === 'PCMA' ? lawTables.alaw : undefined;
}
