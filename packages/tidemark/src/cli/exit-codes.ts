import type { StopSignal } from './messages.ts';

/**
 * The exit statuses of `tidemark run`; the commands over a store end with 0 or 2 to 6. A supervisor above (systemd, k8s) needs no more than this to know whether
 * starting again can help.
 *
 * | status | means | restarted |
 * |---|---|---|
 * | 0 | the job finished, now or earlier | no |
 * | 2 | usage, configuration or input is wrong: `USAGE`, `INPUT_*`, `BAD_ROW`, `JOB_*`, `SCHEDULE_*`, `OUTPUT_NOT_EMPTY`, `STORE_BAD_URL`, … | no |
 * | 3 | the store cannot be used: `STORE_DENIED`, `STORE_FULL`, `STORE_IO`, … | only if the run had started before |
 * | 4 | there are checkpoints, but none that may be used: `CHECKPOINT_DAMAGED` | no |
 * | 5 | the checkpoint is of another program or version: `CHECKPOINT_INCOMPATIBLE`, `STATE_UNCLAIMED`, `MIGRATION_FAILED` | no |
 * | 6 | somebody else owns the job: `FENCED`, `ALREADY_RUNNING` | no |
 * | 7 | the supervisor has spent its restarts, or the runtime its rollbacks: `ROLLBACKS_SPENT` | no |
 * | 8 | more checkpoints in a row have failed than `toleratedFailures` allows: `CHECKPOINTS_FAILING` | no |
 * | 70 | the runtime crashed; a restart may help: `WORKER_LOST`, `PROCESS_THREW`, and every error without a known code | yes |
 * | 130, 143 | stopped by SIGINT, SIGTERM | no |
 */
export const EXIT = {
  done: 0,
  usage: 2,
  store: 3,
  noCheckpoint: 4,
  incompatible: 5,
  owned: 6,
  restartsSpent: 7,
  failing: 8,
  crashed: 70,
} as const;

/** The status that an error with this code ends the process with. */
export function exitStatus(code: string | undefined): number {
  return knownStatus(code) ?? EXIT.crashed;
}

/** Whether the code is one of ours: then its message says what to do, and no stack is needed. */
export function isKnownCode(code: string | undefined): boolean {
  return knownStatus(code) !== undefined;
}

/** The usual status of a process that a signal ended. */
export function signalStatus(signal: StopSignal): number {
  return signal === 'SIGINT' ? 130 : 143;
}

/** Whether the supervisor leaves it at this status. `ran`: a child of this supervisor had its run started. */
export function isFinal(status: number, ran: boolean): boolean {
  if (status === EXIT.store) return !ran;
  return FINAL.has(status);
}

const FINAL: ReadonlySet<number> = new Set([
  EXIT.done,
  EXIT.usage,
  EXIT.noCheckpoint,
  EXIT.incompatible,
  EXIT.owned,
  EXIT.restartsSpent,
  EXIT.failing,
  signalStatus('SIGINT'),
  signalStatus('SIGTERM'),
]);

const STATUS_BY_CODE: ReadonlyMap<string, number> = new Map(
  Object.entries({
    [EXIT.usage]: [
      'ACTORS_NOT_FOUND',
      'BAD_ROW',
      'CHECKPOINT_UNKNOWN',
      'COMPRESSION_UNAVAILABLE',
      'CONFIG_INVALID',
      'COPIES_INVALID',
      'DEFINITIONS_DIFFER',
      'DEFINITION_CLASH',
      'DEFINITION_INVALID',
      'DEFINITION_UNKNOWN',
      'DUPLICATES_NOT_ACCEPTED',
      'HANDLER_ASYNC',
      'HANDLER_UNKNOWN',
      'KEEP_INVALID',
      'LABEL_INVALID',
      'MAPPING_INVALID',
      'MODULE_FAILED',
      'NEEDS_TSX',
      'NOT_ON_HOST',
      'OUTPUT_DIFFERS',
      'OUTPUT_NOT_A_FOLDER',
      'OUTPUT_NOT_EMPTY',
      'PIN_REFUSED',
      'PIN_TAKEN',
      'PIN_UNKNOWN',
      'PROCESS_ASYNC',
      'ROW_TOO_LONG',
      'STORE_BAD_NAME',
      'STORE_BAD_URL',
      'STORE_INSECURE',
      'STORE_NOT_EMPTY',
      'STORE_NOT_INSTALLED',
      'STORE_OTHER_JOB',
      'UNIT_UNKNOWN',
      'USAGE',
      'WORKERS_INVALID',
    ],
    [EXIT.store]: [
      'STORE_BAD_ANSWER',
      'STORE_BUSY',
      'STORE_CLOCK_SKEW',
      'STORE_CREDENTIALS',
      'STORE_DENIED',
      'STORE_FULL',
      'STORE_IO',
      'STORE_NOT_A_FOLDER',
      'STORE_NOT_FOUND',
      'STORE_READ_ONLY',
      'STORE_REDIRECT_REFUSED',
      'STORE_TIMEOUT',
      'STORE_UNREACHABLE',
      'STORE_UNSAFE',
    ],
    [EXIT.noCheckpoint]: ['CHECKPOINT_DAMAGED', 'STORE_CORRUPT', 'STORE_TOO_LARGE'],
    [EXIT.incompatible]: ['CHECKPOINT_INCOMPATIBLE', 'MIGRATION_FAILED', 'STATE_UNCLAIMED'],
    [EXIT.owned]: ['ALREADY_RUNNING', 'FENCED'],
    [EXIT.restartsSpent]: ['ROLLBACKS_SPENT'],
    [EXIT.failing]: ['CHECKPOINTS_FAILING'],
    [EXIT.crashed]: [
      'ASK_TIMEOUT',
      'BUFFER_NOT_MOVABLE',
      'BYTES_UNREADABLE',
      'CALL_INCOMPLETE',
      'CALL_TIMEOUT',
      'CAPTURE_TOO_LARGE',
      'CHECKPOINT_ABANDONED',
      'CHECKPOINT_OVERDUE',
      'COPY_TAKEN_OVER',
      'CTX_EXPIRED',
      'DATA_NOT_SERIALISABLE',
      'DEAD_LETTER',
      'DEAD_LETTERS_SPENT',
      'DELAY_INVALID',
      'LOG_UNSETTLED',
      'MAILBOX_FULL',
      'MEMORY_SPENT',
      'MESSAGE_TOO_LARGE',
      'OVERRUN',
      'PART_NOT_STORED',
      'PROCESS_THREW',
      'REQUEST_ID_REUSED',
      'ROLLED_BACK',
      'SAVEPOINT_UNANSWERED',
      'SERVICE_INTERRUPTED',
      'SERVICE_THREW',
      'STORE_ABORTED',
      'STORE_ABSENT',
      'STORE_NAME_TAKEN',
      'STORE_OUTCOME_UNKNOWN',
      'SYSTEM_FAILED',
      'SYSTEM_STOPPED',
      'TURN_THREW',
      'WORKER_LOST',
      'WORKER_START',
      'WORKER_STUCK',
    ],
  }).flatMap(([status, codes]) => codes.map((code) => [code, Number(status)] as const)),
);

/** For whole families; looked at after the exact codes. */
const STATUS_BY_PREFIX: readonly (readonly [string, number])[] = [
  ['CHECKPOINT_INCOMPATIBLE', EXIT.incompatible],
  ['INPUT_', EXIT.usage],
  ['JOB_', EXIT.usage],
  ['SCHEDULE_', EXIT.usage],
  // Of the test kit: wrong use of it, or what a test has found.
  ['TEST_', EXIT.usage],
];

function knownStatus(code: string | undefined): number | undefined {
  if (code === undefined) return undefined;
  return STATUS_BY_CODE.get(code) ?? STATUS_BY_PREFIX.find(([prefix]) => code.startsWith(prefix))?.[1];
}
