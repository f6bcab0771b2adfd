/** How many slots the rooms of a worker have made. They make each one after another, in their order. */
export class SlotCount {
  passed = 0;
  /** In the slot that is being made, the rooms below this order are through. */
  #through = 0;

  /** Slots that the room of this order has made. */
  by(order: number): number {
    return order < this.#through ? this.passed + 1 : this.passed;
  }

  /** The room of this order makes its slot now. */
  comes(order: number): void {
    this.#through = order;
  }

  /** The room of this order has made its slot. */
  isThrough(order: number): void {
    this.#through = order + 1;
  }

  /** Every room has made its slot. */
  end(): void {
    this.passed++;
    this.#through = 0;
  }
}
