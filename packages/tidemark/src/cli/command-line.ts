import { Command, CommanderError } from 'commander';
import { addCopyFlags } from './copy-flags.ts';
import { addScheduleFlags } from './schedule-flags.ts';
import { addKeepFlags } from './keep-flags.ts';
import { addReadingCommands } from './reading/add-commands.ts';
import type { TypedReading } from './reading/flags.ts';
import type { RunFlags } from './run-flags.ts';

/** What the command line asks for. */
export type Parsed =
  | { readonly kind: 'run'; readonly file: string; readonly flags: RunFlags }
  /** As `run`, after a look at what will become of the state. */
  | { readonly kind: 'restore'; readonly file: string; readonly flags: RunFlags }
  | { readonly kind: 'reading'; readonly typed: TypedReading }
  /** Help or the version were shown. */
  | { readonly kind: 'shown' }
  | { readonly kind: 'wrong'; readonly error: string; readonly advice: string };

/** Reads the arguments; has no effect but to show help or the version. */
export function parseCommandLine(argv: readonly string[], version: string): Parsed {
  let parsed: Parsed = { kind: 'shown' };
  const program = new Command('tidemark')
    .description('Stream jobs that survive anything: killed at any moment, they go on exactly where they were.')
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .addHelpText('after', EXAMPLES);
  addRun(program, (file, flags) => {
    parsed = { kind: 'run', file, flags };
  });
  // A job that was killed waits for each millisecond of this.
  if (argv[0] !== 'run') {
    addRestore(program, (file, flags) => {
      parsed = { kind: 'restore', file, flags };
    });
    addReadingCommands(program, (typed) => {
      parsed = { kind: 'reading', typed };
    });
  }
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? { kind: 'shown' } : wrong(error, argv, program);
  }
  return parsed;
}

function addRun(program: Command, run: (file: string, flags: RunFlags) => void): void {
  addRunFlags(
    program
      .command('run')
      .summary('run a job, and go on where it was')
      .description('Runs the job in FILE. A job that was stopped or killed goes on where it was.')
      .argument('<FILE>', 'module that holds the job (.ts or .js)')
      .option('--store <URL>', 'where checkpoints are kept: a folder, or the URL of a store')
      .option('--from <P>', 'go on from the checkpoint at position P'),
  )
    .option('--fresh', 'begin again, whatever checkpoints there are')
    .addHelpText('after', RUN_EXAMPLES)
    .action(run);
}

function addRestore(program: Command, restore: (file: string, flags: RunFlags) => void): void {
  addRunFlags(
    program
      .command('restore')
      .summary('go back to a checkpoint, and run from there')
      .description(
        'Shows what the checkpoint at position N holds for FILE, then runs FILE from it: tidemark run --from N.',
      )
      .argument('<FILE>', 'module that holds the job (.ts or .js)')
      .requiredOption('--from <N>', 'position of the checkpoint, as tidemark checkpoints lists it')
      .requiredOption('--store <URL>', 'where the checkpoints are: what --store named when the job ran'),
  )
    .addHelpText('after', RESTORE_EXAMPLES)
    .action(restore);
}

/** What `run` and `restore` have in common. */
function addRunFlags(command: Command): Command {
  const begun = command
    .option('--input <PATH...>', "files to read, folders of files, or a pattern such as 'data/*.csv'")
    .option('--output <DIR>', 'folder for the records that the job emits')
    .option('--workers <N>', 'threads to run on (default: one for each core)');
  return addCopyFlags(addKeepFlags(addScheduleFlags(begun)))
    .option('--compression <C>', 'how checkpoints are stored: none (default), gzip, zstd or snappy')
    .option('--allow-nfs', 'take folders on network file systems (NFS, SMB, FUSE) too')
    .option('--rate <ROWS/S>', 'rows a second at most, over all workers')
    .option('--key <COLUMN>', 'column of a CSV input that holds the key')
    .option('--bad-rows <WHAT>', 'rows that cannot be read: stop (default), skip, or file:DIR to set them aside')
    .option('--accept-duplicates', 'with --from: accept that output since then is made again')
    .option('--drop <NAME...>', 'give up the state of actors that the job has no more')
    .option('--rename <OLD=NEW...>', 'actors that have another name now')
    .option('--wait', 'if it runs elsewhere, wait until it has ended there')
    .option('--take-over', 'if it runs elsewhere, go on here all the same: the other one ends')
    .option('--inline', 'run in this process and one thread, for a debugger')
    .option('--json', 'print events on stdout, one JSON object a line')
    .option('--quiet', 'only warnings and errors on stderr')
    .option('--verbose', 'show the stack of every error');
}

/** Commander's own words, without its `error: `, and what to do next. */
function wrong(error: CommanderError, argv: readonly string[], program: Command): Parsed {
  if (error.code === 'commander.help')
    return { kind: 'wrong', error: 'there is no command', advice: program.helpInformation() };
  const text = error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
  return { kind: 'wrong', error: text, advice: adviceFor(error.code, argv) };
}

function adviceFor(code: string, argv: readonly string[]): string {
  const [first = ''] = argv;
  if (code === 'commander.unknownCommand' && /\.[mc]?[jt]s$/.test(first)) return `To run a job: tidemark run ${first}`;
  if (code === 'commander.missingArgument' && argv.includes('--input')) {
    return 'FILE comes first: tidemark run FILE --input PATH. What follows --input is taken for its paths.';
  }
  return code !== 'commander.unknownCommand' && COMMAND.test(first)
    ? `See: tidemark ${first} --help`
    : 'See: tidemark --help';
}

const COMMAND = /^[a-z]+$/;

const EXAMPLES = `
Examples:
  tidemark run job.ts                      run it on every core
  tidemark run job.ts --store ./cp         keep its checkpoints in ./cp
  tidemark checkpoints --store ./cp        list them
  tidemark savepoint --label before-upgrade --store ./cp
  tidemark restore job.ts --from 41 --store ./cp
  tidemark run --help                      all that can be set`;

const RESTORE_EXAMPLES = `
Examples:
  tidemark restore job.ts --from 41 --store ./cp
  tidemark restore job.ts --from 41 --store ./cp --accept-duplicates
                                           go back before output that was made

Exit status: as of tidemark run`;

const RUN_EXAMPLES = `
Examples:
  tidemark run add-one.ts --input numbers.ndjson --output out --store ./cp
  tidemark run flights.ts --input flights.csv --key origin --schedule 250ms
  tidemark run job.ts --fresh              begin again
  tidemark run job.ts --json | jq .event   watch it from a program

Exit status: 0 finished · 2 usage or input · 3 store · 4 no usable checkpoint · 5 other program · 6 runs elsewhere ·
7 crashed too often · 8 checkpoints keep failing · 130, 143 stopped by a signal`;
