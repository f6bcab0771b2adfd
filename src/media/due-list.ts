const firstPlaces = 64;

/**
 * Many of whom few are due: those who are not cost next to nothing, for nothing of theirs is looked at. Whoever comes
 * is due at once, and they are visited in the order in which they came.
 */
export class DueList<Item> {
  /** By what `visit` asks with; infinite where nobody is. */
  #times = new Float64Array(firstPlaces);
  #items: (Item | undefined)[] = [];
  #dues: Due[] = [];

  /** Not from within `visit`. */
  add(item: Item): Due {
    if (this.#dues.length === this.#times.length) this.#makeRoom();
    const due = new Due(this.#dues.length, (place, at) => {
      this.#times[place] = at;
    });
    this.#items.push(item);
    this.#dues.push(due);
    due.set(0);
    return due;
  }

  /** Nothing happens where it was removed before. */
  remove(due: Due | undefined): void {
    const place = due?.place ?? 0;
    if (!due || this.#dues[place] !== due) return;
    this.#items[place] = undefined;
    this.#times[place] = Number.POSITIVE_INFINITY;
  }

  visit(by: number, visit: (item: Item) => void): void {
    const places = this.#dues.length;
    for (let place = 0; place < places; place++) {
      if (this.#times[place]! > by) continue;
      const item = this.#items[place];
      if (item !== undefined) visit(item);
    }
  }

  /** The places of those who are gone are given up; where that is not enough, there are more. */
  #makeRoom(): void {
    const kept = this.#dues.filter(({ place }) => this.#items[place] !== undefined);
    const isFull = 2 * kept.length > this.#times.length;
    const times = new Float64Array(isFull ? 2 * this.#times.length : this.#times.length);
    this.#items = kept.map(({ place }) => this.#items[place]);
    for (const [place, due] of kept.entries()) {
      times[place] = this.#times[due.place]!;
      due.place = place;
    }
    this.#dues = kept;
    this.#times = times;
  }
}

/** When one of a list is due. */
export class Due {
  /** Of the list alone. */
  place: number;
  readonly #set: (place: number, at: number) => void;

  constructor(place: number, set: (place: number, at: number) => void) {
    this.place = place;
    this.#set = set;
  }

  /** @param at infinite: not before it is set anew */
  set(at: number): void {
    this.#set(this.place, at);
  }
}
