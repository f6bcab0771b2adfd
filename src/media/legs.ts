import { CallreelError } from '../errors.ts';
import type { Datagram, RtpTransport } from '../rtp/transport.ts';
import type { LegNegotiate, LegOpen } from './control.ts';
import { DueList } from './due-list.ts';
import { MediaSession } from './media-session.ts';
import type { MediaSessionOptions } from './media-session-options.ts';

export type LegsOptions = Omit<MediaSessionOptions, 'legId' | 'awaitsAnswer' | 'joinsAtAnswer'> & {
  transport: RtpTransport;
};

/** The legs of this worker, each with its own port. */
export class Legs {
  readonly #options: LegsOptions;
  readonly #sessions = new Map<string, MediaSession>();
  /** In monotonic microseconds. */
  readonly #due = new DueList<MediaSession>();

  constructor(options: LegsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#sessions.size;
  }

  get openPorts(): number {
    let open = 0;
    for (const session of this.#sessions.values()) if (session.port) open++;
    return open;
  }

  /**
   * @returns the port
   * @throws CallreelError CONFLICT, PORTS_EXHAUSTED
   */
  async open({ legId, awaitsAnswer = false, joinsAtAnswer = false }: Omit<LegOpen, 'verb'>): Promise<number> {
    if (this.#sessions.has(legId)) throw new CallreelError('CONFLICT', `the leg ${legId} is open already`);
    const session = new MediaSession({ ...this.#options, legId, awaitsAnswer, joinsAtAnswer });
    this.#sessions.set(legId, session);
    session.fast.due = this.#due.add(session);
    try {
      const port = await this.#options.transport.open(session);
      if (this.#sessions.get(legId) !== session) {
        port.close();
        throw new CallreelError('CONFLICT', `the leg ${legId} was closed while it was being opened`);
      }
      session.attach(port);
      return port.port;
    } catch (error) {
      this.#due.remove(session.fast.due);
      if (this.#sessions.get(legId) === session) this.#sessions.delete(legId);
      throw error;
    }
  }

  /** How many of them are listened to. */
  get listening(): number {
    let listening = 0;
    for (const { ears } of this.#sessions.values()) if (ears.listens) listening++;
    return listening;
  }

  /** To do something with it. */
  find(legId: string): MediaSession | undefined {
    const session = this.#sessions.get(legId);
    session?.fast.wake();
    return session;
  }

  /** @throws CallreelError NOT_FOUND */
  get(legId: string): MediaSession {
    const session = this.find(legId);
    if (!session) throw new CallreelError('NOT_FOUND', `no leg ${legId} on this worker`);
    return session;
  }

  /** @throws CallreelError NOT_FOUND, NO_COMMON_CODEC */
  negotiate(command: LegNegotiate): void {
    const session = this.get(command.legId);
    session.negotiate(command);
    if (session.rtcp.needsPort) void this.#openRtcp(session);
  }

  /** The leg left its room before. */
  close(legId: string, nowUs: number): void {
    const session = this.#sessions.get(legId);
    session?.close(nowUs);
    this.#due.remove(session?.fast.due);
    this.#sessions.delete(legId);
  }

  /**
   * One slot of 20 ms. A leg that is in no room gets its prompts or silence, so that NAT bindings and latches of the
   * peer open and stay open.
   */
  slot(nowUs: number): void {
    this.#due.visit(nowUs, (session) => {
      session.expire(nowUs);
      if (!session.stay) session.slotAlone();
    });
  }

  /** The leg whose recordings by itself have this room. */
  ofCallRoom(roomId: string): MediaSession | undefined {
    for (const session of this.#sessions.values())
      if (session.callRoomId === roomId) return this.find(session.legId);
    return undefined;
  }

  /** Lets slots pass that came too late to be sent. */
  missSlots(slots: number): void {
    for (const session of this.#sessions.values()) session.missSlots(slots);
  }

  /** A leg without the port goes without RTCP. */
  async #openRtcp(session: MediaSession): Promise<void> {
    const rtpPort = session.port;
    if (!rtpPort) return;
    const sink = { receive: (datagram: Datagram) => session.receiveRtcp(datagram) };
    const port = await this.#options.transport.openRtcp(rtpPort, sink);
    if (port && session.port === rtpPort && session.rtcp.needsPort) session.rtcp.attachRtcp(port);
    else port?.close();
  }
}
