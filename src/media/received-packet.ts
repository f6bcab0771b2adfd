import type { CodecName } from '../codec/codec.ts';
import type { RtpPacketView } from '../rtp/packet.ts';
import { toRtpTimestamp, toSequenceNumber } from '../rtp/sequence.ts';
import type { CapturedPacket } from './capture-sink.ts';
import type { BufferedPacket } from './packet-slots.ts';
import type { ReceiveFormat } from './receive-formats.ts';
import type { RelayedPacket } from './relay.ts';

/** The packet that is being dealt with, as everybody takes it; one object for all of them. */
export class ReceivedPacket implements CapturedPacket, BufferedPacket, RelayedPacket {
  codec: CodecName = 'PCMU';
  payloadType = 0;
  /** Of the audio that came last: comfort noise between it has the same. */
  clockRateHz = 8000;
  ssrc = 0;
  sequenceNumber = toSequenceNumber(0);
  rtpTime = toRtpTimestamp(0);
  arrivalUs = 0;
  saidUs = 0;
  payload: Uint8Array = new Uint8Array(0);
  marker = false;

  /** @param clockRateHz of the leg's audio that came last */
  fill(view: RtpPacketView, arrivalUs: number, clockRateHz: number): void {
    this.clockRateHz = clockRateHz;
    this.ssrc = view.ssrc;
    this.sequenceNumber = view.sequenceNumber;
    this.rtpTime = view.timestamp;
    this.arrivalUs = arrivalUs;
    this.marker = view.marker;
    this.payload = view.payload();
  }

  /** It is audio, or comfort noise. */
  hasFormat({ codec, payloadType, clockRateHz, decoder }: ReceiveFormat): void {
    this.codec = codec;
    this.payloadType = payloadType;
    if (decoder) this.clockRateHz = clockRateHz;
  }
}
