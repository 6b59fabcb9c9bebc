import type { RunOptions } from '@tidemark/jobs/internal';

/** What `tidemark run` was asked to do: plain data, passed from the parent to the child as JSON. */
export interface RunCommand {
  /** URL of the job's module, as a string. */
  readonly file: string;
  readonly options: RunOptions;
  /** Events on stdout instead of a table. */
  readonly json: boolean;
  /** Only warnings and errors on stderr. */
  readonly quiet: boolean;
  /** Stacks with every error. */
  readonly verbose: boolean;
}

/**
 * The same command for a restart. Where to begin was asked for once and is in the log since the run started: asking
 * again would throw away what was done since. So would taking over again: whoever has the job by then took it over.
 */
export function withoutBeginning(command: RunCommand): RunCommand {
  const { fresh: _fresh, from: _from, acceptDuplicates: _acceptDuplicates, ifRunning, ...options } = command.options;
  return { ...command, options: ifRunning === 'wait' ? { ...options, ifRunning } : options };
}
