/** A turn that finds much to do keeps nobody else from beginning with it. */
const mostMessages = 16;

/**
 * What is said to another thread or process in one turn of the event loop goes as one message: each costs its
 * serialization, a system call and the waking of who gets it. A turn has its end once all that it found has been done,
 * so nothing waits for what is not there yet.
 */
export class MessageBatch<Message> {
  readonly #send: (messages: Message[]) => void;
  #waiting: Message[] = [];

  constructor(send: (messages: Message[]) => void) {
    this.#send = send;
  }

  /** They arrive in this order. */
  add(message: Message): void {
    this.#waiting.push(message);
    if (this.#waiting.length === 1) setImmediate(() => this.flush());
    else if (this.#waiting.length >= mostMessages) this.flush();
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** At once, ahead of what ends the connection. */
  flush(): void {
    if (this.#waiting.length > 0) this.#send(this.#waiting.splice(0));
  }
}
