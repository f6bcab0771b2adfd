import type { Clock } from '../clock.ts';
import type { ConnectionGate } from './transport.ts';

/** What one source address may do; a request of a dialog, an ACK and a CANCEL free what others hold and are not counted. */
export interface SourceLimitOptions {
  /** New requests outside dialogs; twice as many may come at once. */
  readonly requestsPerSecond: number;
  /** INVITEs that have had no final answer. */
  readonly unansweredInvites: number;
  readonly connections: number;
}

/** Lets 100 calls a second of one address pass, with every request repeated and half of the calls ringing for long. */
export const defaultSourceLimits: SourceLimitOptions = {
  requestsPerSecond: 300,
  unansweredInvites: 1000,
  connections: 100,
};

export type SourceExcess = 'requests' | 'unanswered INVITEs';

interface Source {
  requests: number;
  messages: number;
  refusals: number;
  filledUs: number;
  invites: number;
  connections: number;
}

/** Known peers: our own networks, trunks. A flood of theirs is a fault to be seen, not an attack. */
const trustedFactor = 10;
/** Messages of any kind for each new request that is allowed: more are not even read. */
const messagesPerRequest = 10;
/** 503s a second to one source: more would make us a mirror for whoever forges its address. */
const refusalsPerSecond = 10;
const burstSeconds = 2;
const maxConnections = 4096;
const maxSources = 10_000;

/** Token buckets by source address, in a table of bounded size. */
export class SourceLimits implements ConnectionGate {
  readonly #clock: Clock;
  readonly #limits: SourceLimitOptions;
  readonly #trusted: (address: string) => boolean;
  /** The one heard last stands last. */
  readonly #sources = new Map<string, Source>();
  #connections = 0;

  constructor(clock: Clock, limits: SourceLimitOptions, trusted: (address: string) => boolean) {
    this.#clock = clock;
    this.#limits = limits;
    this.#trusted = trusted;
  }

  get size(): number {
    return this.#sources.size;
  }

  /** Whether a message of any kind is read at all. */
  takesMessage(address: string): boolean {
    const source = this.#refilled(address);
    if (source.messages < 1) return false;
    source.messages--;
    return true;
  }

  /** Why a new request outside dialogs is one too many; a request that is not is counted. */
  excess(address: string, isInvite: boolean): SourceExcess | undefined {
    const source = this.#refilled(address);
    if (source.requests < 1) return 'requests';
    const limit = this.#limits.unansweredInvites * this.#factor(address);
    if (isInvite && source.invites >= limit) return 'unanswered INVITEs';
    source.requests--;
    return undefined;
  }

  /** Whether a request that is one too many is told so; otherwise it is dropped. */
  mayRefuse(address: string): boolean {
    const source = this.#refilled(address);
    if (source.refusals < 1) return false;
    source.refusals--;
    return true;
  }

  inviteOpened(address: string): void {
    this.#source(address).invites++;
  }

  /** It has had its final answer. */
  inviteClosed(address: string): void {
    const source = this.#sources.get(address);
    if (source !== undefined && source.invites > 0) source.invites--;
  }

  opened(address: string): boolean {
    const source = this.#refilled(address);
    const limit = this.#limits.connections * this.#factor(address);
    if (this.#connections >= maxConnections || source.connections >= limit) return false;
    this.#connections++;
    source.connections++;
    return true;
  }

  closed(address: string): void {
    this.#connections--;
    const source = this.#sources.get(address);
    if (source !== undefined && source.connections > 0) source.connections--;
  }

  #factor(address: string): number {
    return this.#trusted(address) ? trustedFactor : 1;
  }

  #refilled(address: string): Source {
    const source = this.#source(address);
    const nowUs = this.#clock.monotonicUs();
    const seconds = (nowUs - source.filledUs) / 1e6;
    if (seconds <= 0) return source;
    source.filledUs = nowUs;
    const perSecond = this.#limits.requestsPerSecond * this.#factor(address);
    source.requests = refill(source.requests, seconds, perSecond);
    source.messages = refill(source.messages, seconds, perSecond * messagesPerRequest);
    source.refusals = refill(source.refusals, seconds, refusalsPerSecond);
    return source;
  }

  #source(address: string): Source {
    let source = this.#sources.get(address);
    if (source === undefined) {
      this.#makeRoom();
      const full = this.#limits.requestsPerSecond * burstSeconds * this.#factor(address);
      source = {
        requests: full,
        messages: full * messagesPerRequest,
        refusals: refusalsPerSecond * burstSeconds,
        filledUs: this.#clock.monotonicUs(),
        invites: 0,
        connections: 0,
      };
    } else this.#sources.delete(address);
    this.#sources.set(address, source);
    return source;
  }

  /** The one not heard for longest goes, unless it holds something. Forged addresses push out only each other. */
  #makeRoom(): void {
    if (this.#sources.size < maxSources) return;
    let looked = 0;
    for (const [address, { invites, connections }] of this.#sources) {
      if ((invites === 0 && connections === 0) || ++looked === 100) {
        this.#sources.delete(address);
        return;
      }
    }
  }
}

function refill(tokens: number, seconds: number, perSecond: number): number {
  return Math.min(tokens + seconds * perSecond, perSecond * burstSeconds);
}
