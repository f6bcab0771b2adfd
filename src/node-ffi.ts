import type * as NodeFfi from 'node:ffi';

/**
 * Functions of OpenSSL's EVP that Node has in it. Numbers are given as pointers, and behind each list stands a fraction
 * that no function looks at (both calling conventions hold it in a register of its own): functions that have nothing but
 * pointers and a fraction are called straight from optimized code, all others by way of an array of their arguments,
 * which takes ten times as long.
 */
export const cipherSignatures = {
  EVP_CIPHER_CTX_new: { arguments: [], return: 'pointer' },
  EVP_CipherInit: {
    arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'float'],
    return: 'int32',
  },
  EVP_CipherUpdate: {
    arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'float'],
    return: 'int32',
  },
} as const satisfies NodeFfi.FunctionDefinitions;

/**
 * Opens functions of the system or of Node itself. That `node:ffi` is experimental is no news to who runs a server, so
 * nothing is said of it.
 * @returns undefined where there is no `node:ffi`, what is opened is not right, or anything throws
 */
export function openByFfi<Opened>(
  open: (ffi: typeof NodeFfi) => Opened,
  isRight: (opened: Opened) => boolean = () => true,
): Opened | undefined {
  const { emitWarning } = process;
  try {
    process.emitWarning = () => undefined;
    const ffi = process.getBuiltinModule('node:ffi') as typeof NodeFfi | undefined;
    const opened = ffi && open(ffi);
    return opened && isRight(opened) ? opened : undefined;
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
