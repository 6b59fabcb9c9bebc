import type { PlanRow } from '../mapping/map-checkpoint.ts';

/** What a start changes in the checkpoint that it goes on from, for people, in one line. */
export function planText(position: number, rows: readonly PlanRow[]): string {
  return `Checkpoint ${position} is changed for this program: ${rows.map(changeText).join('; ')}`;
}

function changeText(row: PlanRow): string {
  const { type, to, outcome, stored, defined, refs } = row;
  const version = outcome === 'migrated' ? ` from version ${stored} to ${defined}` : '';
  const what = outcome === 'dropped' ? 'dropped' : `${to === null ? 'migrated' : `is now '${to}'`}${version}`;
  const also = [
    ...(row.messagesDropped > 0 ? [`${row.messagesDropped} of the messages dropped`] : []),
    ...(refs > 0 ? [counted(refs, 'ref')] : []),
  ];
  const held = [counted(row.units, 'unit'), counted(row.messages, 'message'), ...also].join(', ');
  return `'${type}' ${what} (${held})`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
