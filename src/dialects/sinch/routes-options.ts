import type { CallPlacer } from '../../call/call-placer.ts';
import type { LiveCalls } from '../../call/live-calls.ts';
import type { Db } from '../../database/schema.ts';
import type { DialPlans } from '../../routing/dial-plan.ts';
import type { SinchCallRecords } from './call-records.ts';
import type { SinchDoorOptions } from './door.ts';

export interface SinchRoutesOptions extends SinchDoorOptions {
  db: Db;
  calls: LiveCalls;
  placer: CallPlacer;
  dialPlans: Pick<DialPlans, 'country' | 'routeOutbound'>;
  records: SinchCallRecords;
}
