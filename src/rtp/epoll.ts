import { errorName, type Libc, linux, type OpenedLibc, PinnedBytes } from './libc.ts';

/** `struct epoll_event` is packed on x64 alone. */
const eventWords = process.arch === 'x64' ? 3 : 4;
const fdWord = eventWords - 2;
const firstRoom = 256;

/** Which sockets have something to read. Closing a socket takes it out. */
export class Epoll {
  readonly #opened: OpenedLibc;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #added: PinnedBytes;
  #events: PinnedBytes;
  #room = firstRoom;

  /** @throws Error */
  constructor(opened: OpenedLibc) {
    const { ffi, libc } = opened;
    this.#opened = opened;
    this.#libc = libc;
    this.#added = new PinnedBytes(ffi, 16);
    this.#events = new PinnedBytes(ffi, firstRoom * eventWords * 4);
    this.#fd = libc.epoll_create1(linux.EPOLL_CLOEXEC);
    if (this.#fd === -1) throw new Error(`epoll_create1: ${errorName(libc.errno())}`);
  }

  /** @returns the name of the error, where there was one */
  add(fd: number): string | undefined {
    const { words, pointer } = this.#added;
    words[0] = linux.EPOLLIN;
    words[fdWord] = fd;
    const result = this.#libc.epoll_ctl(this.#fd, linux.EPOLL_CTL_ADD, fd, pointer);
    return result === -1 ? errorName(this.#libc.errno()) : undefined;
  }

  /** From now on one `wait` has room for so many. */
  makeRoom(sockets: number): void {
    if (sockets <= this.#room) return;
    this.#room = 2 * sockets;
    this.#events = new PinnedBytes(this.#opened.ffi, this.#room * eventWords * 4);
  }

  /** @returns how many sockets have something; none on an error */
  wait(timeoutMs = 0): number {
    const ready = this.#libc.epoll_wait(this.#fd, this.#events.pointer, this.#room, timeoutMs);
    return Math.max(0, Math.min(ready, this.#room));
  }

  /** It may have been closed since, and another have its number. */
  fdOf(index: number): number {
    return this.#events.words[index * eventWords + fdWord]!;
  }

  close(): void {
    this.#libc.close(this.#fd);
  }
}
