import type * as NodeFfi from 'node:ffi';

/**
 * Opens functions of the system or of Node itself. That `node:ffi` is experimental is no news to who runs a server, so
 * nothing is said of it.
 * @returns undefined where there is no `node:ffi`, or `open` throws
 */
export function openByFfi<Opened>(open: (ffi: typeof NodeFfi) => Opened): Opened | undefined {
  const { emitWarning } = process;
  try {
    process.emitWarning = () => undefined;
    const ffi = process.getBuiltinModule('node:ffi') as typeof NodeFfi | undefined;
    return ffi && open(ffi);
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
