import type { DeliveryState } from '../database/schema.ts';
import { throwOnUnlistedTransitions } from '../state-machine.ts';
import { testTransitions } from '../test-transitions.ts';
import { type DeliveryEvent, deliveryTable } from './delivery-states.ts';

throwOnUnlistedTransitions();

testTransitions<DeliveryState, DeliveryEvent>('delivery', deliveryTable, {
  states: ['waiting', 'uploading', 'failing', 'delivered', 'dead', 'abandoned'],
  events: ['begin', 'succeed', 'fail', 'give up', 'abandon', 'again'],
  expected: [
    ['waiting', 'begin', 'uploading', 'destinations.md: the recording has ended'],
    ['waiting', 'abandon', 'abandoned', 'destinations.md: erased, or nothing was recorded'],
    ['uploading', 'begin', 'uploading', 'destinations.md: a restart goes on where it was'],
    ['uploading', 'succeed', 'delivered', 'destinations.md: the storage has the file'],
    ['uploading', 'fail', 'failing', 'destinations.md: it is tried again'],
    ['uploading', 'give up', 'dead', 'destinations.md: after so many days'],
    ['uploading', 'abandon', 'abandoned', 'destinations.md: erased'],
    ['failing', 'begin', 'uploading', 'destinations.md: it is tried again'],
    ['failing', 'again', 'waiting', 'destinations.md: deliver again'],
    ['failing', 'abandon', 'abandoned', 'destinations.md: erased'],
    ['delivered', 'again', 'waiting', 'destinations.md: deliver again'],
    ['dead', 'again', 'waiting', 'destinations.md: deliver again'],
    ['dead', 'abandon', 'abandoned', 'destinations.md: erased'],
  ],
});
