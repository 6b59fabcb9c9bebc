import type { Environment } from './hdfs-location.ts';

/** The environment variables of this process. */
export function processEnvironment(): Environment {
  return process.env;
}
