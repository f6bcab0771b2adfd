import type { FastifyInstance } from 'fastify';
import type { CallPlacer } from '../call/call-placer.ts';
import type { CallRecords } from '../call/call-records.ts';
import type { LiveCalls } from '../call/live-calls.ts';
import type { RecordingEraser } from '../call/recording-eraser.ts';
import type { Clock } from '../clock.ts';
import type { Db, Recording } from '../database/schema.ts';
import type { Deliveries } from '../delivery/deliveries.ts';
import type { Logger } from '../logger.ts';
import type { DialPlans } from '../routing/dial-plan.ts';
import type { TrunkRegistrations } from '../routing/trunk-registrations.ts';
import type { Secret } from '../secret.ts';
import type { Transcripts } from '../transcripts/transcripts.ts';
import type { CaptureExport } from '../worker/capture-export.ts';
import type { RenderPool } from '../worker/render-pool.ts';
import { applicationRoutes, type DocumentChecks } from './application-routes.ts';
import { callCommandRoutes } from './call-commands.ts';
import { callRoutes } from './call-routes.ts';
import { connectionRoutes } from './connection-routes.ts';
import { deliveryRoutes } from './delivery-routes.ts';
import type { DestinationRules } from './destination-input.ts';
import { dialPermissionRoutes } from './dial-permission-routes.ts';
import { consentClipRoutes, downloadRoutes } from './download-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { liveRoutes } from './live-routes.ts';
import { markRoutes } from './mark-routes.ts';
import type { MediaUrl } from './media-url.ts';
import { recordingCommands } from './recording-commands.ts';
import { recordingRoutes } from './recording-routes.ts';
import { transcriptRoutes } from './transcript-routes.ts';
import { trunkRoutes } from './trunk-routes.ts';

export interface NativeRoutesOptions {
  accountId: string;
  log: Logger;
  clock: Clock;
  db: Db;
  calls: LiveCalls;
  placer: CallPlacer;
  renders: RenderPool;
  records: CallRecords;
  captures: CaptureExport;
  dialPlans: DialPlans;
  registrations: TrunkRegistrations;
  eraser: RecordingEraser;
  deliveries: Deliveries;
  transcripts: Transcripts;
  destinations: DestinationRules;
  /** Seals what users entrust to us. */
  masterKey: Secret<Buffer>;
  mediaUrl: MediaUrl;
  /** Checks the documents of applications. */
  documents: DocumentChecks;
  /** @throws CallreelError NOT_FOUND, RECORDING_ERASED */
  recordingOf(recordingId: string): Promise<Recording>;
  /** Sends an event once more. @throws CallreelError NOT_FOUND, CONFLICT */
  replayEvent(eventId: string): Promise<void>;
}

/** The native API, `/v1`. Nothing is asked of the options before a request comes. */
export function nativeRoutes(app: FastifyInstance, options: NativeRoutesOptions): void {
  const { dialPlans, replayEvent } = options;
  liveRoutes(app, options);
  recordingRoutes(app, options);
  recordingCommands(app, options);
  downloadRoutes(app, options);
  consentClipRoutes(app, options);
  markRoutes(app, options);
  deliveryRoutes(app, options);
  transcriptRoutes(app, options);
  callRoutes(app, options);
  applicationRoutes(app, options);
  callCommandRoutes(app, options);
  connectionRoutes(app, options);
  eventRoutes(app, { ...options, replay: replayEvent });
  trunkRoutes(app, options);
  dialPermissionRoutes(app, {
    ...options,
    routeOutbound: (account, target) => dialPlans.routeOutbound(account, target),
  });
}
