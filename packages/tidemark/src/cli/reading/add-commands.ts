import type { Command } from 'commander';
import { LIST_LIMIT } from '../limits.ts';
import type { ReadingCommand } from './commands.ts';
import type { ReadingFlags } from './flags.ts';

/** Takes a command that looks, as it was typed. */
export type TakeReading = (
  kind: ReadingCommand['kind'],
  positions: readonly (string | undefined)[],
  flags: ReadingFlags,
) => void;

/** Adds the commands that look at a store; none of them changes anything. */
export function addReadingCommands(program: Command, take: TakeReading): void {
  add(program, 'checkpoints', 'list the checkpoints of a store, newest first')
    .description(
      'Lists the checkpoints in a store, newest first, with the terms between them; damaged ones are marked.',
    )
    .action((flags: ReadingFlags) => take('checkpoints', [], flags));
  add(program, 'show', 'show what is in a checkpoint')
    .description('Shows a checkpoint: its record, parts, units, what was on the wire, how far a job had read.')
    .argument('[N]', POSITION)
    .action((position: string | undefined, flags: ReadingFlags) => take('show', [position], flags));
  add(program, 'inspect', 'show the state of an actor or of a key in a checkpoint')
    .description('Shows the state of one actor, or of one key of a job, as JSON; without one, lists all units.')
    .argument('[N]', POSITION)
    .option('--actor <TYPE/KEY>', 'the actor, for example account/7')
    .option('--job-key <KEY>', 'the key of a job, for example LAX; the same as --actor job/KEY')
    .option('--limit <LINES>', `units to list at most (default: ${LIST_LIMIT})`)
    .action((position: string | undefined, flags: ReadingFlags) => take('inspect', [position], flags));
  add(program, 'diff', 'show which units differ between two checkpoints')
    .description('Shows the units that were added, removed or changed from checkpoint N to checkpoint M.')
    .argument('<N>', 'position of the one checkpoint')
    .argument('<M>', 'position of the other')
    .option('--limit <LINES>', `units to show at most (default: ${LIST_LIMIT})`)
    .action((before: string, after: string, flags: ReadingFlags) => take('diff', [before, after], flags));
  add(program, 'verify', 'verify every byte of the checkpoints')
    .description('Verifies checksums, chain and boundaries and decodes every value, of all checkpoints or of one.')
    .argument('[N]', 'position of the checkpoint (default: all)')
    .action((position: string | undefined, flags: ReadingFlags) => take('verify', [position], flags));
}

const POSITION = 'position of the checkpoint (default: the newest)';

function add(program: Command, name: ReadingCommand['kind'], summary: string): Command {
  return program
    .command(name)
    .summary(summary)
    .requiredOption('--store <URL>', 'where the checkpoints are: what --store named when the job ran')
    .option('--job <NAME>', 'name of the job, where the store holds several')
    .option('--json', 'print one JSON object on stdout')
    .option('--verbose', 'show the stack of every error')
    .addHelpText('after', '\nExit status: 0 as asked · 2 usage, no such checkpoint · 3 store · 4 damage');
}
