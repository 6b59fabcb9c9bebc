import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { childStarter } from './child-process.adapter.ts';
import { codedText } from './cli-errors.ts';
import { systemClock } from './clock.adapter.ts';
import { parseCommandLine } from './command-line.ts';
import type { Engine } from './engine.ts';
import { EXIT } from './exit-codes.ts';
import { findJobFile } from './job-file.adapter.ts';
import { readReading, type TypedReading } from './reading/flags.ts';
import type { RunCommand } from './run-command.ts';
import type { RunFlags } from './run-flags.ts';
import { readRunFlags } from './run-flags.ts';
import { onStopSignal } from './signals.adapter.ts';
import { supervise } from './supervise.ts';
import { CLEAR_LINE } from './terminal.ts';

export interface MainOptions {
  /** Without Node and the script. */
  readonly argv: readonly string[];
  /** What the supervisor starts as its child: calls `childMain`. */
  readonly childEntry: URL;
  /** For `--inline`. */
  readonly loadEngine: () => Promise<Engine>;
  /** In [0, 1); draws the waits between restarts. */
  readonly random: () => number;
}

/**
 * The command line. Everything that can be known to be wrong is said before anything is started. Loads little: a job
 * that was killed waits for this before its runtime can even begin to load.
 */
export async function main({ argv, childEntry, loadEngine, random }: MainOptions): Promise<void> {
  // Who reads us may go away at any time; that must not end the supervisor, and with it the job.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const parsed = parseCommandLine(argv, ownVersion());
  if (parsed.kind === 'shown') return;
  if (parsed.kind === 'wrong') return refuse([parsed.error], parsed.advice);
  if (parsed.kind === 'reading') return look(parsed.typed);
  const command = readCommand(parsed.file, parsed.flags);
  if ('errors' in command) return refuse(command.errors, `See: tidemark ${parsed.kind} --help`);
  if (parsed.kind === 'restore') {
    const { showPlan } = await import('./show-plan.adapter.ts');
    const status = await showPlan(parsed.file, parsed.flags);
    if (status !== EXIT.done) {
      process.exitCode = status;
      return;
    }
  }
  if (command.options.inline) {
    const { runInline } = await import('./inline.adapter.ts');
    return runInline(command, loadEngine);
  }
  const ports = { clock: systemClock, random, startChild: childStarter(childEntry), onSignal: onStopSignal, say };
  process.exit(await supervise(command, ports));
}

/** A command over a store; what it needs is loaded for it alone. */
async function look(typed: TypedReading): Promise<void> {
  const read = readReading(typed);
  if ('errors' in read) return refuse(read.errors, `See: tidemark ${typed.kind} --help`);
  const { readingMain } = await import('./reading/reading-main.adapter.ts');
  if (read.command.kind !== 'plan') {
    process.exitCode = await readingMain(read.command);
    return;
  }
  const found = findJobFile(read.command.file);
  if ('error' in found) return refuse([found.error], 'See: tidemark plan --help');
  const status = await readingMain({ ...read.command, file: found.url.href });
  // The module that was loaded may have begun something that never ends.
  process.stdout.write('', () => process.exit(status));
}

function readCommand(file: string, flags: RunFlags): RunCommand | { readonly errors: readonly string[] } {
  const found = findJobFile(file);
  const { options, errors } = readRunFlags(flags);
  if ('error' in found) return { errors: [found.error, ...errors] };
  if (errors.length > 0) return { errors };
  const { json = false, quiet = false, verbose = false } = flags;
  return { file: found.url.href, options, json, quiet, verbose };
}

function refuse(errors: readonly string[], advice: string): void {
  for (const error of errors) say(codedText('USAGE', error));
  process.stderr.write(`${advice}\n`);
  process.exitCode = EXIT.usage;
}

function say(text: string): void {
  // The child may have been killed while its live line stood there.
  process.stderr.write(`${process.stderr.isTTY ? CLEAR_LINE : ''}tidemark: ${text}\n`);
}

function ownVersion(): string {
  const json: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'));
  return typeof json === 'object' && json !== null && 'version' in json ? String(json.version) : 'unknown';
}
