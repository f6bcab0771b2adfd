/**
 * The options that were set, under the vendor's names: `controlId` as `control_id`. What is undefined or null was not
 * set and is left out; the values themselves are not touched.
 */
export function snakeCased(options: object = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(options)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
  );
}
