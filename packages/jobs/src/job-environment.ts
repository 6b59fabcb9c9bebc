import type { Clock } from '@tidemark/actors/internal';
import type { Engine, EngineOptions } from '@tidemark/checkpoint/internal';
import { allowNetworkFolder, type Store } from '@tidemark/stores';
import type { FileAccess } from './input/file-access.ts';

/** What each thread of a job takes from outside. */
export interface JobOutside {
  readonly files: FileAccess;
  /** Opens an output. */
  readonly openStore: (location: string) => Promise<Store>;
}

/** All that the host's side of a job takes from outside: a simulator gives its own. */
export interface JobEnvironment extends JobOutside {
  readonly clock: Clock;
  readonly loadJob: (file: URL) => Promise<void>;
  readonly startEngine: (options: EngineOptions) => Promise<Engine>;
}

/** Opens folders on network file systems as well. */
export function onNetworkToo(environment: JobEnvironment): JobEnvironment {
  return { ...environment, openStore: (location) => environment.openStore(allowNetworkFolder(location)) };
}
