import { type Examined, examineStore, type Finding, openStore } from '@tidemark/stores';
import { systemClock } from '../clock.adapter.ts';
import { type FlatRow, tableText } from '../table.ts';
import { type Answer, paragraphs } from './answer.ts';
import type { DoctorCommand } from './commands.ts';
import { msText } from './facts.ts';

/** What a place promises, by trying it. */
export async function doctorAnswer({ store }: DoctorCommand): Promise<Answer> {
  return examinedAnswer(await examineStore(() => openStore(store), { clock: systemClock }));
}

export function examinedAnswer({ url, findings, latencies }: Examined): Answer {
  const broken = findings.filter(({ ok }) => ok === false);
  const remedies = [...new Set(broken.flatMap(({ remedy }) => (remedy === null ? [] : [remedy])))];
  const verdict =
    broken.length === 0
      ? `${url} keeps what a store must, as far as this can be seen from here.`
      : `${url} must not be used as it is.`;
  return {
    text: paragraphs([tableText(findings.map(findingRow)), tableText(latencies.map(latencyRow)), verdict, ...remedies]),
    json: { url, kept: broken.length === 0, findings, latencies },
    warnings: [],
    code: broken.length === 0 ? null : 'STORE_UNSAFE',
  };
}

function findingRow({ check, ok, seen }: Finding): FlatRow {
  return { promise: check, kept: ok === null ? '?' : ok ? 'yes' : 'NO', seen };
}

function latencyRow({ call, count, p50, p99 }: Examined['latencies'][number]): FlatRow {
  return { call, calls: count, p50: msText(p50), p99: msText(p99) };
}
