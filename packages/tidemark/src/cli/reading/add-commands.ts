import type { Command } from 'commander';
import { addKeepFlags } from '../keep-flags.ts';
import { LIST_LIMIT } from '../limits.ts';
import type { ReadingFlags, TypedReading } from './flags.ts';

/** Adds the commands over a store: those that look, which change nothing in it, and those that say what stays. */
export function addReadingCommands(program: Command, take: (typed: TypedReading) => void): void {
  const add = (kind: TypedReading['kind'], summary: string): Command => addCommand(program, kind, summary);
  withStore(add('checkpoints', 'list the checkpoints of a store, newest first'))
    .description(
      'Lists the checkpoints in a store, newest first, with the terms between them; damaged ones are marked.',
    )
    .action((flags: ReadingFlags) => take({ kind: 'checkpoints', words: [], flags }));
  withStore(add('show', 'show what is in a checkpoint'))
    .description('Shows a checkpoint: its record, parts, units, what was on the wire, how far a job had read.')
    .argument('[N]', POSITION)
    .action((n: Word, flags: ReadingFlags) => take({ kind: 'show', words: [n], flags }));
  withStore(add('inspect', 'show the state of an actor, or of a key of a job'))
    .description('Shows the state of one actor, or of one key of a job, as JSON; without one, lists all units.')
    .argument('[N]', POSITION)
    .option('--actor <TYPE/KEY>', 'the actor, for example account/7')
    .option('--job-key <KEY>', 'the key of a job, for example LAX; the same as --actor job/KEY')
    .option('--limit <LINES>', `units to list at most (default: ${LIST_LIMIT})`)
    .action((n: Word, flags: ReadingFlags) => take({ kind: 'inspect', words: [n], flags }));
  withStore(add('diff', 'show which units differ between two checkpoints'))
    .description('Shows the units that were added, removed or changed from checkpoint N to checkpoint M.')
    .argument('<N>', 'position of the one checkpoint')
    .argument('<M>', 'position of the other')
    .option('--limit <LINES>', `units to show at most (default: ${LIST_LIMIT})`)
    .action((n: Word, m: Word, flags: ReadingFlags) => take({ kind: 'diff', words: [n, m], flags }));
  withStore(add('verify', 'verify every byte of the checkpoints'))
    .description('Verifies checksums, chain and boundaries and decodes every value, of all checkpoints or of one.')
    .argument('[N]', 'position of the checkpoint (default: all)')
    .action((n: Word, flags: ReadingFlags) => take({ kind: 'verify', words: [n], flags }));
  withStore(add('plan', 'show what a start of a program would do with its checkpoint'))
    .description('Loads FILE without starting it, and shows what would become of the state in its newest checkpoint.')
    .argument('<FILE>', 'module that holds the job or the actors (.ts or .js)')
    .option('--from <P>', 'the checkpoint at position P, as with tidemark run')
    .option('--drop <NAME...>', 'actors whose state is given up, as with tidemark run')
    .option('--rename <OLD=NEW...>', 'actors that have another name now, as with tidemark run')
    .action((file: Word, flags: ReadingFlags) => take({ kind: 'plan', words: [file], flags }));
  addKeepingCommands(add, take);
  addDoctor(program, take);
  add('copy', 'copy one checkpoint into another store')
    .description(
      'Copies one checkpoint into a store of its own and verifies it there; a start from DST goes on from it.',
    )
    .argument('<SRC>', 'the store that holds it')
    .argument('<DST>', 'the store that gets it; a folder is made')
    .argument('[N]', POSITION)
    .action((src: Word, dst: Word, n: Word, flags: ReadingFlags) =>
      take({ kind: 'copy', words: [src, dst, n], flags }),
    );
}

/** Looks at a place that need not hold anything, so that it takes no flag of a job. */
function addDoctor(program: Command, take: (typed: TypedReading) => void): void {
  program
    .command('doctor')
    .summary('prove that a place keeps what a store must')
    .description(
      'Writes against itself in a folder of its own, which it removes again: that of two writers one wins, that what is put can be listed and read, how long calls take, whether clocks agree. Takes 10 s at most.',
    )
    .argument('<URL>', 'a folder, or the URL of a store')
    .option('--json', 'print one JSON object on stdout')
    .option('--verbose', 'show the stack of every error')
    .addHelpText(
      'after',
      '\nExit status: 0 all is kept · 2 usage · 3 something is not kept, or the place cannot be used',
    )
    .action((url: Word, flags: ReadingFlags) => take({ kind: 'doctor', words: [url], flags }));
}

/** `pin`, `unpin`, `savepoint`, `gc`. */
function addKeepingCommands(
  add: (kind: TypedReading['kind'], summary: string) => Command,
  take: (typed: TypedReading) => void,
): void {
  withStore(add('savepoint', 'take a checkpoint that stays, and name it'))
    .description(
      'Asks the running job for a checkpoint and pins it; where the job does not run, pins the newest. With N, pins that one.',
    )
    .argument('[N]', 'position of a checkpoint that is there')
    .option('--label <TEXT>', 'its name: a letter, then letters, digits, . _ - (default: savepoint-N)')
    .action((n: Word, flags: ReadingFlags) => take({ kind: 'savepoint', words: [n], flags }));
  withStore(add('pin', 'keep a checkpoint until it is unpinned'))
    .description('Keeps the checkpoint at position N, however old it becomes, until tidemark unpin N.')
    .argument('<N>', 'position of the checkpoint')
    .option('--label <TEXT>', 'its name: a letter, then letters, digits, . _ -')
    .action((n: Word, flags: ReadingFlags) => take({ kind: 'pin', words: [n], flags }));
  withStore(add('unpin', 'let a pinned checkpoint go'))
    .description('Lets the checkpoint at position N be removed, once it is old enough.')
    .argument('<N>', 'position of the checkpoint')
    .action((n: Word, flags: ReadingFlags) => take({ kind: 'unpin', words: [n], flags }));
  addKeepFlags(
    withStore(add('gc', 'remove old checkpoints now, or list which')).description(
      'Removes what the running job would remove some time, for a job that does not run. What is kept is what the job keeps, unless flags say something else.',
    ),
  )
    .option('--dry-run', 'remove nothing, only list; also beside the running job')
    .action((flags: ReadingFlags) => take({ kind: 'gc', words: [], flags }));
}

type Word = string | undefined;

const POSITION = 'position of the checkpoint (default: the newest)';

function withStore(command: Command): Command {
  return command.requiredOption('--store <URL>', 'where the checkpoints are: what --store named when the job ran');
}

function addCommand(program: Command, kind: TypedReading['kind'], summary: string): Command {
  return program
    .command(kind)
    .summary(summary)
    .option('--job <NAME>', 'name of the job, where the store holds several')
    .option('--json', 'print one JSON object on stdout')
    .option('--verbose', 'show the stack of every error')
    .addHelpText('after', STATUSES);
}

const STATUSES = `
Exit status: 0 as asked · 2 usage, or no such checkpoint · 3 store · 4 damage ·
5 other program · 6 the job runs`;
