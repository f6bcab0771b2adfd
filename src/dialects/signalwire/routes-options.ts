import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CallPlacer } from '../../call/call-placer.ts';
import type { LiveCalls } from '../../call/live-calls.ts';
import type { RecordingEraser } from '../../call/recording-eraser.ts';
import type { Clock } from '../../clock.ts';
import type { Db, Recording } from '../../database/schema.ts';
import type { Logger } from '../../logger.ts';
import type { VerbPerformer } from '../../script/performer.ts';
import type { SignalwireIdentity } from './identity.ts';
import type { RecordingLinks } from './recording-link.ts';
import type { StatusCallbacks } from './status-callbacks.ts';
import type { SwmlSessions } from './swml-sessions.ts';

export interface SignalwireRoutesOptions {
  accountId: string;
  clock: Clock;
  log: Logger;
  db: Db;
  calls: LiveCalls;
  placer: CallPlacer;
  eraser: Pick<RecordingEraser, 'erase'>;
  performer: VerbPerformer;
  sessions: SwmlSessions;
  statuses: StatusCallbacks;
  identity: SignalwireIdentity;
  links: RecordingLinks;
  /** Base of the links given out; known once the server listens. */
  publicUrl(): string;
}

/** The routes whose callers need no header. */
export interface SignalwireDownloadOptions {
  log: Logger;
  links: RecordingLinks;
  /** Whether the request carries the account's Basic authentication. @throws CallreelError UNAUTHORIZED */
  authenticate(request: FastifyRequest): void;
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
  /** Answers with the file that the recording was started for; 202 before its end. */
  sendFile(request: FastifyRequest, reply: FastifyReply, recording: Recording): Promise<FastifyReply>;
}
