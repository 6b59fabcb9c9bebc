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
    const answer = await answerCommand(command, Date.now());
    const text = command.json ? toJson(answer.json) : answer.text;
    if (text !== '') process.stdout.write(`${text}\n`);
    for (const warning of answer.warnings) {
      const { code, message } = typeof warning === 'string' ? { code: answer.code, message: warning } : warning;
      process.stderr.write(`${paints.failure(`${code}: ${message}`)}\n`);
    }
    return answer.code === null ? EXIT.done : exitStatus(answer.code);
  } catch (error) {
    process.stderr.write(`${paints.failure(errorText(error, command.verbose ? 'with-stacks' : 'short'))}\n`);
    return exitStatus(errorCode(error));
  }
}
