/**
 * Frees a piece of memory of its own (`Buffer.allocUnsafeSlow`) now: by itself it waits for a collection of its thread's
 * old generation, which a thread that makes little garbage has every few minutes. Whoever asks it for bytes later finds
 * none.
 */
export function releaseMemory(memory: Buffer<ArrayBuffer>): void {
  memory.buffer.transfer(0);
}
