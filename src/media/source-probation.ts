/** So many packets of one stream, over at least so long a time, make a foreign source the leg's own. */
export const probationPackets = 10;
export const probationUs = 1_000_000;
/** How many numbers may be lost from one of them to the next, or be overtaken. */
const maxStep = 5;
/** A stray source must not keep the phone from proving itself; many of them may. */
const maxCandidates = 4;
/** A phone that begins anew may send so many packets between the last ones of its old stream. */
const maxBeside = 3;

export interface Proof {
  packets: number;
  us: number;
  /** Instead of `us` for a source that talked while the leg's own did. */
  rivalUs: number;
  /**
   * One that began later and goes on is waited for: what talks already when a call begins is rather left over from
   * another one.
   */
  prefersLatest?: boolean;
}

export interface Candidate {
  address: string;
  port: number;
  ssrc: number;
  sequenceNumber: number;
  packets: number;
  /** Between two packets of the leg's own source, so often. */
  beside: number;
  firstUs: number;
  sinceUs: number;
  lastUs: number;
}

/**
 * Sources that nobody signalled, while no other speaks: one that goes on with its stream is proven. Memory is bounded
 * whatever is sent from wherever.
 */
export class SourceProbation {
  readonly #proof: Proof;
  readonly #candidates: Candidate[] = [];

  constructor(proof: Proof = { packets: probationPackets, us: probationUs, rivalUs: probationUs }) {
    this.#proof = proof;
  }

  /** A better source spoke: all begin anew. */
  reset(): void {
    for (const candidate of this.#candidates) {
      if (candidate.packets > 0) candidate.beside++;
      candidate.packets = 0;
    }
  }

  forget(): void {
    this.#candidates.length = 0;
  }

  /** @returns whether the source is proven with this packet */
  passes(address: string, port: number, atUs: number, ssrc: number, sequenceNumber: number): boolean {
    const candidate = this.#find(address, port, ssrc, atUs);
    if (candidate.packets > 0) {
      const step = (sequenceNumber - candidate.sequenceNumber) & 0xffff;
      if (step === 0 || step > 0x10000 - maxStep) return false;
      if (step > maxStep || atUs - candidate.lastUs >= probationUs) candidate.packets = 0;
    }
    if (candidate.packets === 0) candidate.sinceUs = atUs;
    candidate.packets++;
    candidate.sequenceNumber = sequenceNumber;
    candidate.lastUs = atUs;
    const { packets, us, rivalUs } = this.#proof;
    const neededUs = candidate.beside > maxBeside ? rivalUs : us;
    if (candidate.packets < packets || atUs - candidate.sinceUs < neededUs) return false;
    return !(this.#proof.prefersLatest && this.#hasLater(candidate));
  }

  /** Of those that are not proven, the one to believe where one must be, if any began before. */
  bestOfThoseSince(latestUs: number): Candidate | undefined {
    const candidates = this.#candidates;
    if (!candidates.some(({ firstUs }) => firstUs <= latestUs)) return undefined;
    return candidates.reduce((a, b) => (b.packets > a.packets ? b : a));
  }

  #hasLater({ firstUs, lastUs }: Candidate): boolean {
    const { us } = this.#proof;
    return this.#candidates.some(
      (other) => other.firstUs > firstUs && other.packets > 0 && lastUs - other.lastUs < us,
    );
  }

  /** The one known, or a new one in place of the one that is silent for longest. */
  #find(address: string, port: number, ssrc: number, firstUs: number): Candidate {
    const candidates = this.#candidates;
    const known = candidates.find(
      (each) => each.port === port && each.ssrc === ssrc && each.address === address,
    );
    if (known) return known;
    if (candidates.length === maxCandidates) {
      const silent = candidates.reduce((a, b) => (b.lastUs < a.lastUs ? b : a));
      candidates.splice(candidates.indexOf(silent), 1);
    }
    const numbers = { ssrc, sequenceNumber: 0, packets: 0, beside: 0 };
    const candidate = { address, port, ...numbers, firstUs, sinceUs: firstUs, lastUs: firstUs };
    candidates.push(candidate);
    return candidate;
  }
}
