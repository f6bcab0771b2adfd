import { resample } from '../audio/resample.ts';
import type { Decoder } from '../codec/codec.ts';
import { RtpPacketView, RtpParser } from '../rtp/packet.ts';
import type { RtpTimestamp } from '../rtp/sequence.ts';
import { ExtendedTimestamp } from '../rtp/sequence.ts';
import { TelephoneEventReceiver } from '../rtp/telephone-event.ts';
import { type LineCodec, lineCodecOfPayloadType, lineRateHz } from './line-codec.ts';

export interface ReceivedPacket {
  ssrc: number;
  sequenceNumber: number;
  rtpTime: number;
  payloadType: number;
  marker: boolean;
  payload: Uint8Array;
  /** Monotonic microseconds. */
  arrivalUs: number;
}

interface PlacedPacket {
  position: number;
  samples: Int16Array;
}

/** A stream that jumps further than this is a new stream under an old name. */
const maxJumpSeconds = 600;
const maxPackets = 1_000_000;

/**
 * What a phone heard: every packet as it came, and the audio placed by its RTP time. No jitter buffer: nothing is
 * late for a test that looks afterwards.
 */
export class PhoneReceiver {
  readonly packets: ReceivedPacket[] = [];
  /** Keys in the order of their end. */
  digits = '';
  /** Datagrams that were no RTP. */
  strangers = 0;
  /** As negotiated for this call. */
  telephoneEventPayloadType: number | undefined;
  /** The usual one where it is not set. */
  opusPayloadType: number | undefined;
  readonly #parser = new RtpParser();
  readonly #view = new RtpPacketView();
  readonly #events = new TelephoneEventReceiver(lineRateHz, (press) => {
    this.digits += press.digit;
  });

  receive(data: Uint8Array, arrivalUs: number): void {
    if (!this.#parser.parse(data, this.#view)) {
      this.strangers++;
      return;
    }
    if (this.packets.length >= maxPackets) return;
    const view = this.#view;
    const payload = view.payload().slice();
    this.packets.push({
      ssrc: view.ssrc,
      sequenceNumber: view.sequenceNumber,
      rtpTime: view.timestamp,
      payloadType: view.payloadType,
      marker: view.marker,
      payload,
      arrivalUs,
    });
    if (view.payloadType === this.telephoneEventPayloadType)
      this.#events.receive(payload, view.timestamp, arrivalUs);
  }

  /** From the first audio packet to the end of the last; silence where nothing came. */
  samples(rateHz = lineRateHz): Int16Array {
    return assembleSamples(this.packets, rateHz, this.opusPayloadType);
  }
}

type TimedPacket = Omit<ReceivedPacket, 'marker'>;

/** The audio of a packet log on its own timeline, silence where no packet is. */
export function assembleSamples(
  packets: readonly TimedPacket[],
  rateHz = lineRateHz,
  opusPayloadType?: number,
): Int16Array {
  const spoken = packets.flatMap((packet) => {
    const codec = lineCodecOfPayloadType(packet.payloadType, opusPayloadType);
    return codec ? [{ packet, codec }] : [];
  });
  const codecRateHz = Math.max(lineRateHz, ...spoken.map(({ codec }) => codec.rateHz));
  const placed = placePackets(spoken, codecRateHz);
  const start = placed.reduce((least, { position }) => Math.min(least, position), 0);
  const end = placed.reduce((most, { position, samples }) => Math.max(most, position + samples.length), 0);
  const assembled = new Int16Array(end - start);
  for (const { position, samples } of placed) assembled.set(samples, position - start);
  return codecRateHz === rateHz ? assembled : resample(assembled, codecRateHz, rateHz);
}

/** By RTP time within a stream; a new stream begins where it arrived, never before the end of the one before. */
function placePackets(
  spoken: readonly { packet: TimedPacket; codec: LineCodec }[],
  rateHz: number,
): PlacedPacket[] {
  const placed: PlacedPacket[] = [];
  let stream: { ssrc: number; clock: ExtendedTimestamp; origin: number } | undefined;
  let decoder: { codec: LineCodec; decoder: Decoder } | undefined;
  let last = 0;
  let end = 0;
  let firstUs: number | undefined;
  const buffer = new Int16Array(rateHz);
  for (const { packet, codec } of spoken) {
    if (decoder?.codec !== codec) decoder = { codec, decoder: codec.decoder() };
    const own = buffer.slice(0, decoder.decoder.decode(packet.payload, buffer));
    const samples = codec.rateHz === rateHz ? own : resample(own, codec.rateHz, rateHz);
    const perTick = rateHz / codec.clockRateHz;
    const rtpTime = packet.rtpTime as RtpTimestamp;
    let position =
      stream?.ssrc === packet.ssrc ? stream.origin + stream.clock.extend(rtpTime) * perTick : undefined;
    if (!stream || position === undefined || Math.abs(position - last) > maxJumpSeconds * rateHz) {
      const sinceFirstUs = packet.arrivalUs - (firstUs ??= packet.arrivalUs);
      position = Math.max(end, Math.round((sinceFirstUs * rateHz) / 1e6));
      const clock = new ExtendedTimestamp();
      stream = { ssrc: packet.ssrc, clock, origin: position - clock.extend(rtpTime) * perTick };
    }
    placed.push({ position, samples });
    last = position;
    end = Math.max(end, position + samples.length);
  }
  return placed;
}
