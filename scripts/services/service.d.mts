export type ServiceKind = 's3' | 'hdfs' | 'toxiproxy';

/** A server of whoever has started it, on loopback. */
export interface Service {
  /** Where the server keeps what it has, and its log. */
  readonly folder: string;
  /** What the script prints when the server is up, such as `S3_ENDPOINT`. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs another command of the script on this server, such as `kill`; answers what it prints. */
  readonly command: (name: string, ...rest: readonly string[]) => Promise<Readonly<Record<string, string>>>;
  /** Ends the server and removes all that it kept. */
  readonly stop: () => Promise<void>;
}

/** Installs a server, if it is not there yet, which takes minutes; rejects with the reason why it cannot be had here. */
export function installService(kind: ServiceKind): Promise<void>;

/** Starts a server in a fresh folder. `args` go to the script, as `--datanodes 2`. */
export function startService(kind: ServiceKind, ...args: readonly string[]): Promise<Service>;
