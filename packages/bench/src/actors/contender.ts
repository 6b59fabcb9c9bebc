/** What one library, or one way by hand, can do of what is measured. What is left out it cannot do. */
export interface Contender {
  readonly name: string;
  /** Messages a second between two actors of one thread. */
  inThread?(count: number): Promise<number>;
  /** Messages a second from an actor of one worker to one of another. */
  between?(count: number): Promise<number>;
  /** Messages a second from the app's thread to an actor of a worker. */
  fromHost?(count: number): Promise<number>;
  /** Asks a worker once and waits for the answer. */
  ask?(id: number): Promise<unknown>;
  /** Bytes of heap of a tiny actor that has had one message. */
  bytesPerActor?(): Promise<{ readonly actors: number; readonly bytes: number }>;
  stop(): Promise<void>;
}
