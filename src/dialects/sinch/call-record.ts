import type { SipEnd } from '../../sip/session.ts';
import { type CallEnd, partyEnd } from './call-end.ts';
import type { CalledBack, DisconnectedCall } from './callback-bodies.ts';
import type { Subject } from './callbacks.ts';
import { cookiesOf } from './steps.ts';
import type { Svaml } from './svaml.ts';

const maxCookieBytes = 1024;

/** What is known of a call that its callbacks tell. */
export class CallRecord {
  readonly subject: Subject;
  readonly #cookies = new Map<string, string>();
  #answeredUnixMs: number | undefined;
  #end: CallEnd | undefined;

  constructor(subject: Subject) {
    this.subject = subject;
  }

  head(unixMs: number): CalledBack {
    const { callId, custom, application } = this.subject;
    return { callId, unixMs, custom, cookies: this.#cookies, applicationKey: application.key };
  }

  /** @returns false where that makes more than may be, with `custom`: nothing is kept then */
  keepCookies(svaml: Svaml): boolean {
    const all = new Map([...this.#cookies, ...cookiesOf(svaml)]);
    const bytes = [...all].flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    if (bytes + Buffer.byteLength(this.subject.custom ?? '') > maxCookieBytes) return false;
    for (const [key, value] of all) this.#cookies.set(key, value);
    return true;
  }

  answered(unixMs: number): void {
    this.#answeredUnixMs ??= unixMs;
  }

  /** What ended it; the first word counts. */
  ends(end: CallEnd | undefined): void {
    this.#end ??= end;
  }

  partyEnded(end: SipEnd, answered: boolean, side: 'caller' | 'callee'): void {
    this.ends(partyEnd(end, answered, side));
  }

  disconnected(unixMs: number, parties: Pick<DisconnectedCall, 'from' | 'to' | 'callHeaders'>) {
    const { reason, result } = this.#end ?? { reason: 'N/A', result: 'N/A' };
    const durationMs = this.#answeredUnixMs === undefined ? 0 : unixMs - this.#answeredUnixMs;
    return { ...this.head(unixMs), ...parties, reason, result, durationMs };
  }
}
