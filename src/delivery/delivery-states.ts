import type { DeliveryState } from '../database/schema.ts';
import type { TransitionTable } from '../state-machine.ts';

export type DeliveryEvent = 'begin' | 'succeed' | 'fail' | 'give up' | 'abandon' | 'again';

/** docs/destinations.md, "When it is tried": `delivered`, `dead` and `abandoned` are ends; only "deliver again" leads on. */
export const deliveryTable: TransitionTable<DeliveryState, DeliveryEvent> = {
  waiting: {
    begin: 'uploading',
    abandon: 'abandoned', // erased, or ended without audio
  },
  uploading: {
    begin: 'uploading', // the process that uploaded it ended
    succeed: 'delivered',
    fail: 'failing',
    'give up': 'dead',
    abandon: 'abandoned',
  },
  failing: {
    begin: 'uploading',
    again: 'waiting',
    abandon: 'abandoned',
  },
  delivered: {
    again: 'waiting',
  },
  dead: {
    again: 'waiting',
    abandon: 'abandoned',
  },
  abandoned: {},
};
