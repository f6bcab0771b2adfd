/** What the other thread sees of this one: how many inputs were begun, and the present one. */
export interface Watch {
  readonly count: Int32Array;
  readonly length: Int32Array;
  readonly bytes: Uint8Array;
}

export function watchOn(shared: SharedArrayBuffer): Watch {
  return {
    count: new Int32Array(shared, 0, 1),
    length: new Int32Array(shared, 4, 1),
    bytes: new Uint8Array(shared, 8),
  };
}
