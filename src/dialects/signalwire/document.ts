import type { JsonObject } from './json.ts';
import type { Path, Place, Problem } from './script-error.ts';

/** A document that can be run: nothing is wrong in it that can be seen before. */
export interface SwmlDocument {
  /** Lists of steps, as they stand. */
  readonly sections: JsonObject;
  /** What it asks for and will not get. */
  readonly warnings: readonly Problem[];
  placeOf(path: Path): Place;
}
