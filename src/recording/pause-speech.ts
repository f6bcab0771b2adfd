import type { CapturedPacket } from '../media/capture-sink.ts';

type Timed = Pick<CapturedPacket, 'ssrc' | 'clockRateHz' | 'rtpTime' | 'arrivalUs'>;

/** So long after the end of a pause a packet of it may still be on its way. */
const longestDelayUs = 1_000_000;

/**
 * Tells what was said while nothing was to be recorded and comes afterwards: a packet that the network held up is
 * known by its RTP time, held against the fastest packet of the pause.
 */
export class PauseSpeech {
  #fastest: Timed | undefined;
  #endUs = 0;

  /** A packet of the pause, in the order of arrival. */
  note(packet: Timed): void {
    const fastest = this.#fastest;
    const lagUs = fastest && sameStream(fastest, packet) ? lag(packet, fastest) : Number.POSITIVE_INFINITY;
    // A sender whose RTP clock stood still meanwhile is measured anew.
    if (lagUs > 0 && lagUs <= longestDelayUs) return;
    const { ssrc, clockRateHz, rtpTime, arrivalUs } = packet;
    this.#fastest = { ssrc, clockRateHz, rtpTime, arrivalUs };
  }

  /** The pause is over. */
  end(atUs: number): void {
    this.#endUs = atUs;
  }

  /** Of a packet that came after the pause. */
  has(packet: Timed): boolean {
    const fastest = this.#fastest;
    if (!fastest) return false;
    const lagUs = sameStream(fastest, packet) ? lag(packet, fastest) : Number.POSITIVE_INFINITY;
    if (packet.arrivalUs - this.#endUs <= longestDelayUs && lagUs <= longestDelayUs)
      return packet.arrivalUs - lagUs < this.#endUs;
    this.#fastest = undefined;
    return false;
  }
}

function sameStream(a: Timed, b: Timed): boolean {
  return a.ssrc === b.ssrc && a.clockRateHz === b.clockRateHz;
}

/** How much longer than the reference the packet was on its way, in microseconds. */
function lag(packet: Timed, reference: Timed): number {
  const ticks = (packet.rtpTime - reference.rtpTime) | 0;
  return packet.arrivalUs - reference.arrivalUs - (ticks * 1_000_000) / packet.clockRateHz;
}
