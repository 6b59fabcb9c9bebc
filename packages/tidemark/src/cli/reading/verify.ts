import type { Verified } from '@tidemark/checkpoint/internal';
import { bytes, counted } from '../numbers.ts';
import { tableText } from '../table.ts';
import { type Answer, paragraphs } from './answer.ts';

/** What a verification has found. Damage is what was asked for here, so it is no warning. */
export function verifyAnswer(verified: Verified, position: number | null): Answer {
  const { job, records, parts, boundaries, pins, units, messages, findings, unnamed } = verified;
  const what = position === null ? `job ${job}` : `checkpoint ${position} of job ${job}`;
  const looked = [
    counted(records, 'record'),
    counted(parts, 'part'),
    counted(boundaries, 'boundary').replace('boundarys', 'boundaries'),
    ...(pins === 0 ? [] : [counted(pins, 'pin')]),
  ];
  const held = `${counted(units, 'unit')} and ${counted(messages, 'message')} decoded`;
  const sum = `Verified ${what}: ${looked.join(', ')}, ${bytes(verified.bytes)}; ${held}`;
  const rows = findings.map(({ object, position: of, message }) => ({ position: String(of), object, damage: message }));
  const left =
    (unnamed ?? 0) === 0
      ? ''
      : `${counted(unnamed ?? 0, 'part')} that no record names, of attempts that came to nothing or are under way: no damage.`;
  const verdict = findings.length === 0 ? 'All of it is whole.' : `DAMAGED: ${counted(findings.length, 'finding')}`;
  return {
    text: paragraphs([sum, tableText(rows), left, verdict]),
    json: { ...verified, position, whole: findings.length === 0 },
    warnings: [],
    code: findings.length > 0 ? 'CHECKPOINT_DAMAGED' : null,
  };
}
