import { randomUUID } from 'node:crypto';
import type { Leg } from '../../call/leg.ts';
import { displayUrl, parseUserUrl } from '../../callbacks/user-url.ts';
import { CallreelError } from '../../errors.ts';
import type { SwmlEnd } from './host.ts';
import { SwmlInterpreter } from './interpreter.ts';
import { LegHost, type LegHostOptions } from './swml-host.ts';

/** Where a call's document is: at a URL, asked again at another where that fails, or here. */
export type DocumentSource = { url: string; fallbackUrl?: string | undefined } | { document: unknown };

interface Session {
  replaced: AbortController;
}

/**
 * The documents that run on calls, one on each call. A document's end hangs up; one that takes another's place ends
 * that one, and the call goes on.
 */
export class SwmlSessions {
  readonly #options: LegHostOptions;
  readonly #sessions = new Map<string, Session>();

  constructor(options: LegHostOptions) {
    this.#options = options;
  }

  /** Never throws: whatever fails ends the call decently. */
  async run(leg: Leg, source: DocumentSource): Promise<void> {
    if (leg.ended) return;
    const session: Session = { replaced: new AbortController() };
    this.#sessions
      .get(leg.id)
      ?.replaced.abort(new CallreelError('CONFLICT', 'another document took its place'));
    this.#sessions.set(leg.id, session);
    const hungUp = new AbortController();
    const removeHandlers = leg.addHandlers({
      ended: () => hungUp.abort(new CallreelError('CONFLICT', 'the call ended')),
    });
    const ended = AbortSignal.any([session.replaced.signal, hungUp.signal]);
    const failure = await this.#document(leg, source, ended).catch((error: unknown) => error);
    removeHandlers();
    if (this.#sessions.get(leg.id) !== session) return;
    this.#sessions.delete(leg.id);
    this.#finish(leg, failure);
  }

  /** Whether a document runs on the call. */
  runsOn(connectionId: string): boolean {
    return this.#sessions.has(connectionId);
  }

  /** @returns what it failed with; undefined: it came to its end */
  async #document(leg: Leg, source: DocumentSource, ended: AbortSignal): Promise<unknown> {
    const { log } = this.#options;
    const channel = `swml:${randomUUID()}`;
    const host = new LegHost(this.#options, leg, channel, ended);
    const document = await this.#load(host, source);
    if (ended.aborted) return undefined;
    const { reason, error } = await new SwmlInterpreter(host).runSource(document);
    log.info({ connectionId: leg.id, channel, reason, error }, 'a document ended');
    return reason === 'failed' ? failureOf(error, source) : undefined;
  }

  async #load(host: LegHost, source: DocumentSource): Promise<unknown> {
    if ('document' in source) return source.document;
    const nothing = { vars: {}, envs: {}, params: {} };
    try {
      return await host.fetchDocument(source.url, nothing);
    } catch (error) {
      if (source.fallbackUrl === undefined || host.ended.aborted) throw error;
      const { call_id: connectionId } = host.call;
      this.#options.log.warn({ connectionId, error }, 'the fallback is asked for a document');
      return await host.fetchDocument(source.fallbackUrl, nothing);
    }
  }

  #finish(leg: Leg, failure: unknown): void {
    if (leg.ended) return;
    if (failure === undefined) {
      leg.hangUp('end of the document');
      return;
    }
    this.#options.log.warn({ connectionId: leg.id, error: failure }, 'the call could not be served');
    leg.rejectFor(failure);
  }
}

function failureOf(error: SwmlEnd['error'], source: DocumentSource): CallreelError {
  const from = 'url' in source ? displayUrl(parseUserUrl(source.url)) : '';
  if (!error) return new CallreelError('DOCUMENT_INVALID', 'the document failed', { where: from });
  const { code, message, path, line } = error;
  const where = [from, line > 0 ? `line ${line}` : '', path].filter(Boolean).join(' ');
  return new CallreelError('DOCUMENT_INVALID', `${code}: ${message}`, { where });
}
