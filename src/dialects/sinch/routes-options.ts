import type { CallPlacer } from '../../call/call-placer.ts';
import type { LiveCalls } from '../../call/live-calls.ts';
import type { Db } from '../../database/schema.ts';
import type { OwnStore } from '../../delivery/destinations/own-store.ts';
import type { DialPlans } from '../../routing/dial-plan.ts';
import type { VerbPerformer } from '../../script/performer.ts';
import type { SinchCallRecords } from './call-records.ts';
import type { SinchCallbacks } from './callbacks.ts';
import type { SinchDoorOptions } from './door.ts';
import type { RecordingRules } from './recording-options.ts';
import type { WishMaker } from './recording-wishes.ts';
import type { SinchSessions } from './sessions.ts';
import type { StoreLinks } from './store-links.ts';

export interface SinchRoutesOptions extends SinchDoorOptions {
  db: Db;
  calls: LiveCalls;
  placer: CallPlacer;
  dialPlans: Pick<DialPlans, 'country' | 'routeOutbound'>;
  performer: VerbPerformer;
  sessions: SinchSessions;
  records: SinchCallRecords;
  callbacks: SinchCallbacks;
  wishes: WishMaker;
  rules: RecordingRules;
  ownStore: OwnStore | undefined;
  storeLinks: StoreLinks;
  /** Base of the URLs given out; known once the server listens. */
  publicUrl(): string;
}
