import { randomInt } from 'node:crypto';
import type { Clock, Timer } from '../clock.ts';
import type { Flow } from './transport.ts';

/** RFC 5626 section 4.4.2: shorter than the 30 s for which NATs keep a binding at least. */
const minMs = 24_000;
const maxMs = 29_000;

/** Four bytes that every SIP server skips; STUN would want a server that knows it. */
const keepAlive = Buffer.from('\r\n\r\n');

/** Keeps the way through a NAT open where a registrar calls us back by it. Connections keep themselves alive. */
export class FlowKeeper {
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The flow in place of the one before. */
  keep(flow: Flow): void {
    this.stop();
    if (!flow.reliable) this.#later(flow);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #later(flow: Flow): void {
    this.#timer = this.#clock.after(randomInt(minMs, maxMs), () => {
      flow.send(keepAlive);
      this.#later(flow);
    });
  }
}
