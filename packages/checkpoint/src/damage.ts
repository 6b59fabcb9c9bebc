import { StoreError } from '@tidemark/stores';
import { CheckpointError } from './errors.ts';

/** One object that cannot be read is damage like any other; a store that says "later" or "no" to all is not. */
export function damageOf(error: unknown, name: string): CheckpointError {
  if (error instanceof CheckpointError) return error;
  const isOneObjects = error instanceof StoreError && (error.kind === 'absent' || error.code === 'STORE_IO');
  if (!isOneObjects) throw error;
  const what = error.kind === 'absent' ? 'is missing' : `cannot be read: ${error.message}`;
  return new CheckpointError('CHECKPOINT_DAMAGED', `${name} ${what}`, { cause: error });
}

/** Whether the store has surely answered that the object is not there. */
export function isAbsent(error: CheckpointError): boolean {
  return error.cause instanceof StoreError && error.cause.kind === 'absent';
}
