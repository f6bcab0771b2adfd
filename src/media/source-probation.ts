/** So many packets of one stream, over at least so long a time, make a foreign source the leg's own. */
export const probationPackets = 10;
export const probationUs = 1_000_000;
/** How many numbers may be lost from one of them to the next, or be overtaken. */
const maxStep = 5;
/** A stray source must not keep the phone from proving itself; many of them may. */
const maxCandidates = 4;

interface Candidate {
  address: string;
  port: number;
  ssrc: number;
  sequenceNumber: number;
  packets: number;
  sinceUs: number;
  lastUs: number;
}

/**
 * Sources that nobody signalled, while no other speaks: one that goes on with its stream is proven. Memory is bounded
 * whatever is sent from wherever.
 */
export class SourceProbation {
  readonly #candidates: Candidate[] = [];

  /** A better source spoke: all begin anew. */
  reset(): void {
    if (this.#candidates.length > 0) this.#candidates.length = 0;
  }

  /** @returns whether the source is proven with this packet */
  passes(address: string, port: number, atUs: number, ssrc: number, sequenceNumber: number): boolean {
    const candidate = this.#find(address, port, ssrc);
    if (candidate.packets > 0) {
      const step = (sequenceNumber - candidate.sequenceNumber) & 0xffff;
      if (step === 0 || step > 0x10000 - maxStep) return false;
      if (step > maxStep || atUs - candidate.lastUs >= probationUs) candidate.packets = 0;
    }
    if (candidate.packets === 0) candidate.sinceUs = atUs;
    candidate.packets++;
    candidate.sequenceNumber = sequenceNumber;
    candidate.lastUs = atUs;
    return candidate.packets >= probationPackets && atUs - candidate.sinceUs >= probationUs;
  }

  /** The one known, or a new one in place of the one that is silent for longest. */
  #find(address: string, port: number, ssrc: number): Candidate {
    const candidates = this.#candidates;
    const known = candidates.find(
      (each) => each.port === port && each.ssrc === ssrc && each.address === address,
    );
    if (known) return known;
    if (candidates.length === maxCandidates) {
      const silent = candidates.reduce((a, b) => (b.lastUs < a.lastUs ? b : a));
      candidates.splice(candidates.indexOf(silent), 1);
    }
    const candidate = { address, port, ssrc, sequenceNumber: 0, packets: 0, sinceUs: 0, lastUs: 0 };
    candidates.push(candidate);
    return candidate;
  }
}
