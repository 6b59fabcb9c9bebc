import { openStoreForReading } from '@tidemark/stores';
import { errorCode, errorText } from '../error-text.ts';
import { EXIT, exitStatus } from '../exit-codes.ts';
import { toJson } from '../json.ts';
import { paintsFor } from '../paints.adapter.ts';
import { answerCommand } from './answer-command.ts';
import type { ReadingCommand } from './commands.ts';

/** Carries out a command that looks at a store; the status to end with. Nothing is changed anywhere. */
export async function readingMain(command: ReadingCommand): Promise<number> {
  const paints = paintsFor(process.stderr);
  try {
    const store = await openStoreForReading(command.store);
    const answer = await answerCommand(command, store, Date.now());
    await store.close();
    const text = command.json ? toJson(answer.json) : answer.text;
    if (text !== '') process.stdout.write(`${text}\n`);
    for (const warning of answer.warnings) process.stderr.write(`${paints.failure(`DAMAGED: ${warning}`)}\n`);
    return answer.isDamaged ? EXIT.noCheckpoint : EXIT.done;
  } catch (error) {
    process.stderr.write(`${paints.failure(errorText(error, command.verbose ? 'with-stacks' : 'short'))}\n`);
    return exitStatus(errorCode(error));
  }
}
