import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { type Due, DueList } from './due-list.ts';
import { type RestingLeg, RestingRoom } from './resting-room.ts';
import { SlotCount } from './slot-count.ts';

class Leg implements RestingLeg {
  relaysTo = 25;
  mayRest = true;
  readonly told: string[] = [];
  readonly fast: RestingLeg['fast'];

  constructor() {
    const leg = this;
    this.fast = {
      get relaysTo() {
        return leg.relaysTo;
      },
      tell: () => void this.told.push('tell'),
      close: () => void this.told.push('close'),
    };
  }

  rest(): boolean {
    return this.mayRest;
  }
}

describe('a resting room', () => {
  let slots: SlotCount;
  let room: RestingRoom;
  let legs: [Leg, Leg];
  let dues: DueList<RestingRoom>;
  const isDue = (by: number) => {
    let count = 0;
    dues.visit(by, () => void count++);
    return count === 1;
  };

  beforeEach(() => {
    slots = new SlotCount();
    room = new RestingRoom(slots, 0);
    dues = new DueList();
    room.due = dues.add(room) satisfies Due;
    legs = [new Leg(), new Leg()];
  });

  test('is due again where the first of its legs may have something else to send', () => {
    legs[1].relaysTo = 20;
    room.begin(legs);
    assert.equal(isDue(19), false);
    assert.equal(isDue(20), true);
    slots.passed = 20;
    legs[1].relaysTo = 44;
    assert.equal(room.continues(), true);
    assert.equal(room.restsTo, 25);
    slots.passed = 25;
    assert.equal(room.continues(), false);
    assert.equal(room.restsTo, 0);
    assert.equal(isDue(0), true);
    assert.deepEqual(legs[0].told, ['tell', 'close']);
  });

  test('does not rest where one of them may not', () => {
    legs[1].mayRest = false;
    room.begin(legs);
    assert.equal(room.restsTo, 0);
    assert.deepEqual(legs[0].told, ['close']);
    room.wake();
    assert.deepEqual(legs[0].told, ['close']);
  });

  test('has both tell what came before it is woken, and once', () => {
    room.begin(legs);
    room.settle();
    room.wake();
    room.wake();
    for (const { told } of legs) assert.deepEqual(told, ['tell', 'tell', 'close']);
    room.settle();
    assert.equal(legs[0].told.length, 3);
  });
});
